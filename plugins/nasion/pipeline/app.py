"""The application: opens everything a run needs, lets it run, ends it."""

import threading
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import Callable, List, Optional

from typing_extensions import Protocol

from nasion.deepstream.engine import open_deepstream
from nasion.engine.card import card_of, stated_digest
from nasion.engine.choice import choose_engine, missing_for_deepstream
from nasion.engine.precision import network_config, read_cpuinfo
from nasion.engine.threads import opencv_threads
from nasion.events import Event
from nasion.messages import PersonMessage
from nasion.mqtt.boot import read_boot_id
from nasion.pipeline.camera import Camera, Shared, open_camera
from nasion.pipeline.engine import Engine
from nasion.pipeline.graph import CpuNetworkEngine
from nasion.pipeline.gst import has_element, load_gst
from nasion.pipeline.kept import Kept
from nasion.pipeline.line import CameraLine
from nasion.pipeline.onlookers import Onlookers
from nasion.pipeline.summary import RunSummary
from nasion.pipeline.watchdog import Watchdog, was_restarted
from nasion.settings import CameraSettings, DepthSettings, Mode, RunSettings
from nasion.show.video import AnnotatedVideo, video_path
from nasion.sources.clock import stamp_now
from nasion.sources.frame import Clock, Source
from nasion.sources.open import open_source

#: How often the cameras are looked after, seconds.
_LOOK_S = 0.02
#: How long the frames on their way may take to come through at the end.
_FINISH_NS = 5_000_000_000


class SourceOpener(Protocol):
    """What `nasion.sources.open_source` is; tests pass sources of their own."""

    def __call__(
        self,
        uri: str,
        *,
        depth: DepthSettings,
        mode: Optional[Mode],
        clock: Clock,
        on_event: Callable[[str], None],
    ) -> Source:
        """Open a source; InputError, DependencyError or HardwareError."""


def run(
    settings: RunSettings,
    *,
    clock: Clock,
    on_event: Callable[[str], None],
    stop: threading.Event,
    on_message: Callable[[PersonMessage], None] = lambda _: None,
    opener: SourceOpener = open_source,
) -> RunSummary:
    """Locate persons until all sources have ended, a limit of ``settings`` is reached, or ``stop`` is set.

    ``on_message`` gets the message of every processed frame, one at a time; ``on_event`` gets lines for people. Both
    are called from other threads. The first failure in any thread ends the run and is raised here: NasionErrors for
    what can go wrong, anything else is a mistake in the program.
    """
    load_gst()
    engine = open_engine(settings, on_event)
    failures: List[BaseException] = []
    one_at_a_time = threading.Lock()

    def deliver(message: PersonMessage) -> None:
        with one_at_a_time:
            on_message(message)

    kept = Kept(Path(settings.remote.persist) if settings.remote.persist else None, on_event=on_event)
    cameras: List[Camera] = []
    with ExitStack() as opened:
        opened.enter_context(opencv_threads(settings.threads))
        opened.callback(kept.look)
        opened.enter_context(
            Watchdog(
                settings.watchdog,
                lambda: [camera.line.progress() for camera in cameras],
                on_event=on_event,
                last_words=lambda: [kept.look, *(camera.line.fail for camera in cameras)],
            )
        )
        onlookers = opened.enter_context(Onlookers(settings.http, clock=clock, on_event=on_event))
        shared = Shared(
            settings=settings,
            engine=engine,
            session=uuid.uuid4().hex[:12],
            boot_id=read_boot_id(),
            kept=kept,
            clock=clock,
            on_message=deliver,
            on_event=on_event,
            failures=failures,
            on_stats=onlookers.stats,
        )
        for camera in settings.cameras:
            source = opener(
                camera.source,
                depth=settings.depth,
                mode=settings.mode,
                clock=clock,
                on_event=named_event(camera.name, on_event),
            )
            unclaimed = opened.enter_context(ExitStack())
            unclaimed.callback(source.close)
            video = _video(settings, camera, source)
            if video is not None:
                unclaimed.callback(video.close)
            cameras.append(open_camera(camera, source, video, shared))
            unclaimed.pop_all()
            opened.callback(cameras[-1].line.close)
        started_ns = clock.monotonic_ns()
        for each in cameras:
            each.line.start()

        def look() -> None:
            for each in cameras:
                each.reporter.look(stamp_now(clock))
                each.line.tell(clock.monotonic_ns())
            onlookers.look(lambda: {each.line.name: each.line.work() for each in cameras})
            kept.look()

        _watch([each.line for each in cameras], look, settings.seconds, stop, failures, clock)
        seconds = (clock.monotonic_ns() - started_ns) / 1e9
        stopped = stop.is_set()
    if failures:
        raise failures[0]
    for each in cameras:
        each.line.tell_at_the_end(clock.monotonic_ns())
    return RunSummary({each.line.name: each.line.summary() for each in cameras}, seconds, stopped)


def named_event(name: str, on_event: Callable[[str], None]) -> Callable[[str], None]:
    """``on_event`` for what camera ``name`` has to say."""
    return lambda text: on_event(Event(name, text))


def open_engine(settings: RunSettings, on_event: Callable[[str], None]) -> Engine:
    """The engine to take, with the network that the nvinfer file names, or the one the settings name instead."""
    name = choose_engine(settings.engine, lambda: missing_for_deepstream(has_element), on_event)
    config = network_config(settings, engine=name, cpuinfo=read_cpuinfo(), on_event=on_event)
    engine: Engine
    if name == "deepstream":
        engine = open_deepstream(config, cameras=len(settings.cameras), on_event=on_event)
    else:
        engine = CpuNetworkEngine(name, config, threads=settings.threads)
    about = engine.model.metadata
    on_event(f"model: {about.name} {about.version} ({engine.model.digest[:12]}), view {settings.view}")
    if stated_digest(config.onnx_file, about.precision) is None:
        on_event(f"model: {card_of(config.onnx_file)} states no digest of it: damage to the file would not be noticed")
    return engine


def _watch(
    lines: List[CameraLine],
    look: Callable[[], None],
    seconds: Optional[float],
    stop: threading.Event,
    failures: List[BaseException],
    clock: Clock,
) -> None:
    """Until all lines are through or something failed; after ``stop`` or ``seconds`` they are asked to finish.

    ``look``: called at each turn.
    """
    end_ns = None if seconds is None else clock.monotonic_ns() + int(seconds * 1e9)
    patience_ns: Optional[int] = None
    while not failures:
        through = [line.watch() for line in lines]
        if all(through):
            return
        now_ns = clock.monotonic_ns()
        look()
        if patience_ns is None and (stop.is_set() or (end_ns is not None and now_ns >= end_ns)):
            patience_ns = now_ns + _FINISH_NS
            for line in lines:
                line.finish()
        if patience_ns is not None and now_ns >= patience_ns:
            return
        clock.sleep(_LOOK_S)


def _video(settings: RunSettings, camera: CameraSettings, source: Source) -> Optional[AnnotatedVideo]:
    """The annotated video of a camera."""
    if settings.save is None:
        return None
    path = video_path(settings.save, camera.name, len(settings.cameras))
    return AnnotatedVideo(path, source.fps / settings.every, goes_on=was_restarted())
