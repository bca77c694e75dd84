"""Puts the parts of one camera together: its line, what can be set of it, what it says of itself."""

from dataclasses import dataclass
from typing import Callable, List, Optional

from nasion.messages import PersonMessage, StatsMessage
from nasion.messages.keys import Value
from nasion.mqtt.publisher import open_publisher
from nasion.pipeline.controls import Controls
from nasion.pipeline.engine import Engine
from nasion.pipeline.kept import Kept
from nasion.pipeline.line import CameraLine
from nasion.pipeline.report import Reporter, info_message
from nasion.settings import CameraSettings, RunSettings
from nasion.show.video import AnnotatedVideo
from nasion.sources.clock import stamp_now
from nasion.sources.frame import Clock, Source


@dataclass(frozen=True)
class Shared:
    """What all cameras of a run have in common."""

    settings: RunSettings
    engine: Engine
    session: str
    boot_id: Optional[str]
    kept: Kept
    clock: Clock
    on_message: Callable[[PersonMessage], None]
    on_event: Callable[[str], None]
    failures: List[BaseException]
    on_stats: Optional[Callable[[StatsMessage], None]]


@dataclass(frozen=True)
class Camera:
    """One camera of a run."""

    line: CameraLine
    reporter: Reporter


def open_camera(camera: CameraSettings, source: Source, video: Optional[AnnotatedVideo], shared: Shared) -> Camera:
    """Ready to start; what was said of it first waits for the broker. InputError where something does not fit.

    ``source`` and ``video`` are then the line's to close.
    """
    publisher = open_publisher(
        shared.settings.mqtt,
        camera=camera.name,
        session=shared.session,
        clock=shared.clock,
        on_event=shared.on_event,
    )

    def introduce() -> None:
        message = info_message(
            camera,
            controls.settings,
            source=source,
            model=shared.engine.model,
            session=shared.session,
            stamp=stamp_now(shared.clock),
            boot_id=shared.boot_id,
            engine=shared.engine.name,
        )
        publisher.info(message)

    def on_change(key: str, value: Value) -> None:
        shared.kept.put(camera.name, key, value)
        introduce()

    controls = Controls(
        camera.name,
        shared.settings,
        threshold=shared.engine.model.metadata.threshold,
        session=shared.session,
        clock=shared.clock,
        on_event=shared.on_event,
        on_change=on_change,
    )
    controls.take_up(shared.kept.of(camera.name), shared.settings.remote.persist or "")
    line = CameraLine(
        camera,
        shared.settings,
        source=source,
        engine=shared.engine,
        session=shared.session,
        publisher=publisher,
        controls=controls,
        video=video,
        clock=shared.clock,
        on_message=shared.on_message,
        on_event=shared.on_event,
        on_failure=shared.failures.append,
    )
    introduce()
    publisher.obey(controls)
    reporter = Reporter(
        camera.name,
        line.summary,
        line.health,
        publisher,
        session=shared.session,
        boot_id=shared.boot_id,
        also=shared.on_stats,
    )
    return Camera(line, reporter)
