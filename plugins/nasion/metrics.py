"""Health and metrics over HTTP: `/healthz` for whoever starts the program anew, `/metrics` for Prometheus.

The metrics are the keys of `stats`, by their names there and with their meaning there.
"""

import socket
import threading
from enum import Enum
from functools import partial
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from types import TracebackType
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple, Type, Union, get_args, get_origin

from pydantic import BaseModel

from nasion.errors import DependencyError, InputError
from nasion.health import Health
from nasion.installing import how_to_install
from nasion.messages import Spread, Stamped, StatsMessage
from nasion.settings import HttpSettings
from nasion.sources.frame import Clock

#: How long a client may take to ask.
_PATIENCE_S = 5.0

#: Of a key with a mapping, what its keys are; of words, what they are; of those in `source`, too.
LABELS = {
    "drops": "cause",
    "published": "outcome",
    "times_ms": "stage",
    "ages_ms": "age",
    "state": "state",
    "counters": "counter",
    "flags": "flag",
    "fit": "fit",
    "fault": "fault",
}
#: The figures of a `Spread`.
FIGURES = ("median", "p95")

#: The values of a metric's labels, and its own.
Sample = Tuple[Tuple[str, ...], float]


class Metric(NamedTuple):
    """One key of `stats`. ``counts``: it only rises in a session; ``read``: what a message says of it."""

    name: str
    meaning: str
    counts: bool
    labels: Tuple[str, ...]
    read: Callable[[StatsMessage], Iterator[Sample]]


class StatsBoard:
    """The latest `stats` of each camera. Any thread may put and ask."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._latest: Dict[str, Tuple[StatsMessage, int]] = {}

    def put(self, message: StatsMessage) -> None:
        """The newest one of its camera."""
        with self._lock:
            self._latest[message.camera] = message, self._clock.monotonic_ns()

    def latest(self) -> List[Tuple[StatsMessage, float]]:
        """With the age of each, seconds."""
        with self._lock:
            now_ns = self._clock.monotonic_ns()
            return [(message, (now_ns - at_ns) / 1e9) for message, at_ns in self._latest.values()]


class MetricsServer:
    """Serves while it is entered, from threads of its own."""

    def __init__(
        self, settings: HttpSettings, board: StatsBoard, health: Callable[[], Health], on_event: Callable[[str], None]
    ) -> None:
        """DependencyError without prometheus-client; InputError where the address cannot be had."""
        render = _renderer(board)
        _Server.address_family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        try:
            self._server = _Server((settings.host, settings.port or 0), partial(_Handler, render, health))
        except OSError as error:
            raise InputError(
                f"http.host {settings.host}, http.port {settings.port}: {error.strerror or error}; name others"
            ) from None
        self.port: int = self._server.server_address[1]
        on_event(f"http://{settings.host}:{self.port}: /healthz and /metrics")

    def __enter__(self) -> "MetricsServer":
        threading.Thread(target=self._server.serve_forever, name="http", daemon=True).start()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingTCPServer):
    """Not `http.server.HTTPServer`, which asks the name service who we are before it serves."""

    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asks and goes away is no matter of ours."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _PATIENCE_S

    def __init__(self, render: Callable[[], Tuple[bytes, str]], health: Callable[[], Health], *connection: Any) -> None:
        self._render = render
        self._health = health
        super().__init__(*connection)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._answer(200, *self._render())
        elif path == "/healthz":
            health = self._health()
            self._answer(200 if health.healthy else 503, f"{health.as_json()}\n".encode(), "application/json")
        else:
            self._answer(404, b"expected /healthz or /metrics\n", "text/plain; charset=utf-8")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, code: int, body: bytes, kind: str) -> None:
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def version_string(self) -> str:
        return "nasion"

    def log_message(self, *_: Any) -> None: ...


def _renderer(board: StatsBoard) -> Callable[[], Tuple[bytes, str]]:
    try:
        from prometheus_client import CollectorRegistry
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
        from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
    except ImportError:
        raise DependencyError(
            f"http.port needs the package prometheus-client; install it with: {how_to_install('metrics')}"
        ) from None

    class Collector:
        def collect(self) -> Iterator[Any]:
            latest = board.latest()
            age = GaugeMetricFamily("nasion_stats_age_s", "Since these figures were made.", labels=["camera"])
            for message, age_s in latest:
                age.add_metric([message.camera], age_s)
            yield age
            for metric in METRICS:
                kind = CounterMetricFamily if metric.counts else GaugeMetricFamily
                family = kind(metric.name, metric.meaning, labels=["camera", *metric.labels])
                for message, _ in latest:
                    for labels, value in metric.read(message):
                        family.add_metric([message.camera, *labels], value)
                yield family

    registry = CollectorRegistry()
    registry.register(Collector())
    return lambda: (generate_latest(registry), CONTENT_TYPE_LATEST)


def _metrics(model: Type[BaseModel], prefix: str, part: Callable[[StatsMessage], Any]) -> Iterator[Metric]:
    """Every key of ``model``, which is that ``part`` of a message."""
    for key, field in model.model_fields.items():
        if key in Stamped.model_fields:
            continue
        name, meaning, kind = f"{prefix}_{key}", field.description or "", field.annotation
        value = partial(_value, part, key)
        part_of = _model(kind)
        if part_of is not None:
            yield from _metrics(part_of, name, value)
        elif get_origin(kind) is dict and get_args(kind)[1] is Spread:
            yield Metric(name, meaning, False, (LABELS[key], "figure"), partial(_spreads, value))
        elif get_origin(kind) is dict:
            yield Metric(name, meaning, True, (LABELS[key],), partial(_counts, value))
        elif key in LABELS:
            yield Metric(name, meaning, False, (LABELS[key],), partial(_words, value))
        else:
            yield Metric(name, meaning, kind is int, (), partial(_number, value))


def _model(kind: Any) -> Optional[Type[BaseModel]]:
    """The class of a key that has keys itself, also where it may be null."""
    kinds = [kind, *get_args(kind)] if get_origin(kind) is Union else [kind]
    return next((one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel)), None)


def _value(part: Callable[[StatsMessage], Any], key: str, message: StatsMessage) -> Any:
    whole = part(message)
    return None if whole is None else getattr(whole, key)


def _number(value: Callable[[StatsMessage], Any], message: StatsMessage) -> Iterator[Sample]:
    found = value(message)
    if found is not None:
        yield (), found


def _counts(value: Callable[[StatsMessage], Any], message: StatsMessage) -> Iterator[Sample]:
    for name, count in value(message).items():
        yield (name,), count


def _spreads(value: Callable[[StatsMessage], Any], message: StatsMessage) -> Iterator[Sample]:
    for name, spread in value(message).items():
        for figure in FIGURES:
            yield (name, figure), getattr(spread, figure)


def _words(value: Callable[[StatsMessage], Any], message: StatsMessage) -> Iterator[Sample]:
    """One word or several: each that holds is 1; none where there is none."""
    found = value(message)
    if found is None:
        return
    for word in [found] if isinstance(found, str) else found:
        yield (word.value if isinstance(word, Enum) else word,), 1.0


METRICS = list(_metrics(StatsMessage, "nasion", lambda message: message))
