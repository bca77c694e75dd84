"""Who asks over HTTP hears the same as the broker, and whether the program is well."""

import json
import socket
import sys
import threading
import urllib.request
from pathlib import Path
from typing import Any, Callable, Dict, FrozenSet, List, Optional, Tuple
from urllib.error import HTTPError

import pytest
from nasion.core.results import EyesFault, EyesFit
from nasion.errors import DependencyError, InputError
from nasion.health import ENVIRONMENT, Health
from nasion.messages import AGES, TIMES, EyesStats, SourceStats, Spread, Stamped, StatsMessage
from nasion.metrics import METRICS, MetricsServer, StatsBoard
from nasion.mqtt.publishing import COUNTERS
from nasion.pipeline.flow import DROPS
from nasion.settings import HttpSettings
from nasion.sources.clock import SystemClock
from prometheus_client.parser import text_string_to_metric_families

from tests.pipeline.conftest import Stage

PATIENCE_S = 60.0


class Clock(SystemClock):
    """Stands still until it is moved."""

    now_ns = 0

    def monotonic_ns(self) -> int:
        return self.now_ns


def said(camera: str = "cam0", **changed: Any) -> StatsMessage:
    told = {
        "session": "s1",
        "camera": camera,
        "at": 1.0,
        "seq": 4,
        "uptime_s": 9.0,
        "window_s": 1.0,
        "fps_in": 30.0,
        "fps_out": 20.0,
        "frames_in": 160,
        "frames_out": 130,
        "drops": {**dict.fromkeys(DROPS, 0), "queue": 30},
        "published": {**dict.fromkeys(COUNTERS, 0), "sent": 128},
        "times_ms": {stage: Spread(count=20, median=5.0, p95=9.0) for stage in TIMES},
        "ages_ms": {age: Spread(count=20, median=40.0, p95=60.0) for age in AGES},
        "source": SourceStats(
            state="lost",
            lost=2,
            reconnecting=1,
            newest_age_ms=None,
            counters={"reopened": 2},
            flags=["low_lighting"],
            eyes=EyesStats(fit=EyesFit.MISFIT, fault=EyesFault.ROWS, rows_px=5.5),
        ),
    }
    return StatsMessage.model_validate({**told, **changed})


def ask(port: int, path: str, method: str = "GET") -> Tuple[int, str, str]:
    """Code, kind and body."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
    try:
        answer = urllib.request.urlopen(request, timeout=PATIENCE_S)
    except HTTPError as refused:
        answer = refused
    with answer:
        return answer.status or 0, answer.headers["Content-Type"], answer.read().decode()


def figures(text: str) -> Dict[str, Dict[FrozenSet[str], float]]:
    """Of each metric, by its labels' values in no order, what it is."""
    found: Dict[str, Dict[FrozenSet[str], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[frozenset(sample.labels.values())] = sample.value
    return found


WELL = Health(live=True, ready=True, fresh=True, detail="cam0: last frame 0.1 s ago", cameras={"cam0": 0.1})
UNWELL = Health(live=True, ready=True, fresh=False, detail="cam0: no frame yet", cameras={"cam0": None})


def test_every_key_of_stats_has_its_metric() -> None:
    def keys(model: Any, prefix: str) -> List[str]:
        names = []
        for key, field in model.model_fields.items():
            if key not in Stamped.model_fields:
                whole = f"{prefix}_{key}"
                part = {SourceStats: SourceStats, Optional[EyesStats]: EyesStats}.get(field.annotation)
                names += keys(part, whole) if part else [whole]
        return names

    assert [metric.name for metric in METRICS] == keys(StatsMessage, "nasion")
    assert all(metric.meaning for metric in METRICS)


def test_the_figures_are_those_of_the_latest_stats_with_their_age() -> None:
    clock = Clock()
    board = StatsBoard(clock)
    board.put(said(seq=1, frames_in=1))
    board.put(said())
    clock.now_ns = 2_500_000_000
    board.put(said("rear", frames_in=7))
    with MetricsServer(HttpSettings(port=0), board, lambda: WELL, print) as server:
        code, kind, text = ask(server.port, "/metrics")
    assert code == 200
    assert kind.startswith("text/plain")
    found = figures(text)
    cam0, rear = frozenset({"cam0"}), frozenset({"rear"})
    assert found["nasion_stats_age_s"] == {cam0: 2.5, rear: 0.0}
    assert found["nasion_frames_in_total"] == {cam0: 160, rear: 7}
    assert found["nasion_fps_out"] == {cam0: 20, rear: 20}
    assert found["nasion_drops_total"][cam0 | {"queue"}] == 30
    assert set(found["nasion_drops_total"]) == {camera | {cause} for camera in (cam0, rear) for cause in DROPS}
    assert found["nasion_published_total"][cam0 | {"sent"}] == 128
    assert found["nasion_times_ms"][cam0 | {"network", "p95"}] == 9
    assert found["nasion_ages_ms"][cam0 | {"sent", "median"}] == 40
    assert found["nasion_source_state"] == {cam0 | {"lost"}: 1, rear | {"lost"}: 1}
    assert found["nasion_source_lost_total"][cam0] == 2
    assert found["nasion_source_counters_total"][cam0 | {"reopened"}] == 2
    assert found["nasion_source_flags"][cam0 | {"low_lighting"}] == 1
    assert found["nasion_source_eyes_fit"][cam0 | {"misfit"}] == 1
    assert found["nasion_source_eyes_fault"][cam0 | {"rows"}] == 1
    assert found["nasion_source_eyes_rows_px"][cam0] == 5.5
    assert "nasion_source_newest_age_ms" not in found, "what is not known has no figure"


def test_before_the_first_stats_there_are_no_figures() -> None:
    with MetricsServer(HttpSettings(port=0), StatsBoard(Clock()), lambda: UNWELL, print) as server:
        code, _, text = ask(server.port, "/metrics")
    assert code == 200
    assert figures(text) == {}


@pytest.mark.parametrize(("health", "expected"), [(WELL, 200), (UNWELL, 503)])
def test_healthz_gives_the_three_answers(health: Health, expected: int) -> None:
    with MetricsServer(HttpSettings(port=0), StatsBoard(Clock()), lambda: health, print) as server:
        code, kind, text = ask(server.port, "/healthz")
        assert ask(server.port, "/healthz", method="HEAD") == (expected, kind, "")
    assert (code, kind) == (expected, "application/json")
    told = json.loads(text)
    assert (told["live"], told["ready"], told["fresh"]) == (health.live, health.ready, health.fresh)
    assert told["detail"] == health.detail


@pytest.mark.parametrize(
    ("path", "method", "expected"), [("/", "GET", 404), ("/../etc/passwd", "GET", 404), ("/metrics", "POST", 501)]
)
def test_there_is_nothing_else(path: str, method: str, expected: int) -> None:
    with MetricsServer(HttpSettings(port=0), StatsBoard(Clock()), lambda: WELL, print) as server:
        assert ask(server.port, path, method)[0] == expected
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_S) as rude:
            rude.sendall(b"\x00\xff nonsense\r\n\r\n")
        assert ask(server.port, "/healthz")[0] == 200


def test_it_is_for_this_machine_only_unless_told_otherwise() -> None:
    told: List[str] = []
    with MetricsServer(HttpSettings(port=0), StatsBoard(Clock()), lambda: WELL, told.append) as server:
        assert told == [f"http://127.0.0.1:{server.port}: /healthz and /metrics"]
        assert server._server.server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken_is_bad_input() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port}: Address already in use"):
            MetricsServer(HttpSettings(port=port), StatsBoard(Clock()), lambda: WELL, print)


def test_a_host_that_is_none_of_ours_is_bad_input() -> None:
    with pytest.raises(InputError, match=r"http\.host 192\.0\.2\.1"):
        MetricsServer(HttpSettings(port=0, host="192.0.2.1"), StatsBoard(Clock()), lambda: WELL, print)


def test_without_the_package_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(DependencyError, match="scripts/setup metrics"):
        MetricsServer(HttpSettings(port=0), StatsBoard(Clock()), lambda: WELL, print)


def until(happened: Callable[[], bool]) -> None:
    ended = threading.Event()
    for _ in range(int(PATIENCE_S / 0.02)):
        if happened():
            return
        ended.wait(0.02)
    raise AssertionError("it did not happen")


@pytest.mark.parametrize("file", [True, False])
def test_a_run_serves_both_also_without_a_broker(
    spot_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: bool
) -> None:
    path = tmp_path / "health.json"
    monkeypatch.delenv(ENVIRONMENT, raising=False)
    if file:
        monkeypatch.setenv(ENVIRONMENT, str(path))
    stage = Stage(spot_model)
    heard: List[str] = []
    failed: List[BaseException] = []

    def frames() -> Any:
        while not stage.stop.wait(0.02):
            yield stage.frame()

    def look_on() -> None:
        try:
            until(lambda: any("/healthz" in event for event in stage.events))
            (event,) = [event for event in stage.events if "/healthz" in event]
            port = int(event.split(":")[2])
            until(lambda: ask(port, "/healthz")[0] == 200)
            until(
                lambda: (
                    figures(ask(port, "/metrics")[2]).get("nasion_frames_out_total", {}).get(frozenset({"cam0"}), 0) > 0
                )
            )
            heard.append(ask(port, "/healthz")[2])
            assert path.exists() == file
        except BaseException as error:
            failed.append(error)
        finally:
            stage.stop.set()

    looking = threading.Thread(target=look_on)
    looking.start()
    stage.run({"cam0": stage.source(frames(), live=True)}, http={"port": 0})
    looking.join()
    assert failed == []
    assert json.loads(heard[0])["healthy"]
    (event,) = [event for event in stage.events if "/healthz" in event]
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(event.split(":")[2])), timeout=PATIENCE_S)
