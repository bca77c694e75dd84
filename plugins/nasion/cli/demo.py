"""``nasion demo``: the whole way, from a made scene over a real broker to the terminal, where nothing is set up."""

import os
import shlex
import sys
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, Deque, Iterator, Optional

import typer
from typing_extensions import Annotated

from nasion.cli.completion import complete_source
from nasion.cli.flags import JsonFlag, ViewFlag
from nasion.cli.output import MessageLines, tell
from nasion.cli.signals import stopping_signals
from nasion.cli.watching import wait, watch
from nasion.config.run_file import Override, run_settings
from nasion.messages import PersonMessage, StatusMessage
from nasion.mqtt.board import Board
from nasion.mqtt.broker import PrivateBroker
from nasion.mqtt.receiver import Accepted, Heard, Receiver
from nasion.pipeline import app
from nasion.pipeline.summary import RunSummary, percentiles
from nasion.settings import MqttSettings
from nasion.show.screens import demo_screen
from nasion.sources.clock import SystemClock

#: Ages are those of the latest messages: ten minutes at 30 fps.
LATEST = 18_000
#: How long the last messages may be on their way to the receiver when the run has ended.
ARRIVAL_S = 1.0


def demo(
    seconds: Annotated[
        Optional[float], typer.Option(metavar="S", help="End after this time. Default: when Ctrl-C is pressed.")
    ] = None,
    view: ViewFlag = None,
    source: Annotated[
        str,
        typer.Option(
            metavar="URI",
            help="What is looked at, e.g. demo:?size=1080 for a larger picture.",
            autocompletion=complete_source,
        ),
    ] = "demo:",
    json: JsonFlag = False,
) -> None:
    """Watch a person being located in metres: a made scene, the real pipeline, a real MQTT broker of its own."""
    flags = (
        Override("--seconds", ("seconds",), seconds),
        Override("--view", ("view",), view),
        Override("--mode", ("mode",), "live"),
    )
    settings = run_settings(None, [flag for flag in flags if flag.value is not None], [source])
    clock = SystemClock()
    with stopping_signals() as stop, PrivateBroker() as broker:
        settings = settings.model_copy(update={"mqtt": settings.mqtt.model_copy(update={"url": broker.url})})
        tell(_how_to_watch(broker))
        lines = MessageLines(json=True, clock=clock, stop=stop) if json else None
        arrived = _Arrived(clock)
        counted = _Counted()

        def on_message(message: PersonMessage) -> None:
            counted.hear(message)
            if lines is not None:
                lines(message)

        receiver = Receiver(
            settings.mqtt,
            client_id=f"nasion-demo-{os.getpid()}",
            on_heard=arrived.hear,
            on_event=lambda text: tell(f"receiver: {text}"),
        )

        def look_on(over: Callable[[], bool]) -> None:
            if json:
                wait(stop=stop, over=over)
                return
            watch(
                arrived.board,
                lambda rows: demo_screen(rows, broker.url, counted.frames, arrived.count),
                clock=clock,
                stop=stop,
                over=over,
            )

        receiver.start()
        try:
            summary = _looked_on(
                lambda: app.run(settings, clock=clock, on_message=on_message, on_event=tell, stop=stop), look_on, stop
            )
            arrived.stopped.wait(ARRIVAL_S)
        finally:
            receiver.stop()
    for text in (*summary.lines(), *_outcome(summary, counted, arrived, settings.mqtt)):
        tell(text)


def _looked_on(
    run: Callable[[], RunSummary], look_on: Callable[[Callable[[], bool]], None], stop: threading.Event
) -> RunSummary:
    """``run`` in another thread while this one looks on, until either has enough."""
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run)
        try:
            look_on(running.done)
        finally:
            stop.set()
        return running.result()


class _Counted:
    """Processed frames, and those with a position in them."""

    def __init__(self) -> None:
        self.frames = 0
        self.located = 0

    def hear(self, message: PersonMessage) -> None:
        self.frames += 1
        self.located += any(person.valid for person in message.persons)


class _Arrived:
    """What came back from the broker."""

    def __init__(self, clock: SystemClock) -> None:
        self.board = Board()
        self.ages_ms: Deque[float] = deque(maxlen=LATEST)
        self.count = 0
        #: Set by the publisher's last word; nothing comes after it.
        self.stopped = threading.Event()
        self._clock = clock

    def hear(self, heard: Heard) -> None:
        self.board.hear(heard, self._clock.monotonic_ns())
        if isinstance(heard, Accepted):
            self.count += 1
            self.ages_ms.append(heard.age_ms)
        elif isinstance(heard, StatusMessage) and heard.process == "stopped":
            self.stopped.set()


def _how_to_watch(broker: PrivateBroker) -> str:
    listen = f"{shlex.quote(sys.argv[0])} listen --mqtt {broker.url}"
    return f"while this runs, hear it in another terminal: {listen}"


def _outcome(summary: RunSummary, counted: _Counted, arrived: _Arrived, mqtt: MqttSettings) -> Iterator[str]:
    share = f" ({counted.located / counted.frames:.0%})" if counted.frames else ""
    yield f"a position in {counted.located} of {counted.frames} frames{share}"
    for age in percentiles({"age": tuple(arrived.ages_ms)}).values():
        yield (
            f"{arrived.count} messages arrived through the private broker, "
            f"{age.median:.0f} ms after their capture (median; p95 {age.p95:.0f}, p99 {age.p99:.0f})"
        )
    stale = sum(camera.published["stale"] for camera in summary.cameras.values())
    if stale:
        yield (
            f"{stale} messages were not sent, being older than {mqtt.max_age_ms:.0f} ms: "
            "this machine is busy or too slow for this view"
        )
    yield "next: your own camera or recording and broker, with `run --source … --mqtt mqtt://…`"
