"""``nasion record``: what `run` does, and what the cameras gave is kept."""

from pathlib import Path
from typing import Any, Optional

import typer
from typing_extensions import Annotated

from nasion.cli.flags import (
    ConfigFlag,
    EngineFlag,
    EveryFlag,
    FramesFlag,
    JsonFlag,
    MaxPersonsFlag,
    ModeFlag,
    ModelFlag,
    MqttFlag,
    PrecisionFlag,
    PrefixFlag,
    SaveFlag,
    SecondsFlag,
    SourceFlag,
    ThresholdFlag,
    ViewFlag,
    overrides,
)
from nasion.cli.output import MessageLines, tell
from nasion.cli.signals import stopping_signals
from nasion.config.run_file import run_settings
from nasion.messages import PersonMessage
from nasion.pipeline import app
from nasion.recording.file import CameraFacts
from nasion.recording.recorded import RecordedSource
from nasion.recording.recorder import Recorder
from nasion.recording.rotation import Rotation
from nasion.settings import RunSettings
from nasion.sources.clock import SystemClock
from nasion.sources.frame import Source
from nasion.sources.open import open_source


def record(
    out: Annotated[Path, typer.Option(metavar="FILE.mcap", help="The recording; a new file.")],
    max_mb: Annotated[
        Optional[int],
        typer.Option(metavar="M", min=1, help="Go on in a next file, FILE-0002.mcap and so on, at so many megabytes."),
    ] = None,
    max_seconds: Annotated[
        Optional[int], typer.Option(metavar="T", min=1, help="Go on in a next file after so many seconds of frames.")
    ] = None,
    jpeg: Annotated[
        Optional[int],
        typer.Option(
            metavar="Q",
            min=1,
            max=100,
            help="Keep pictures as JPEG: smaller, but replays are only nearly the same. Default: PNG, every pixel.",
        ),
    ] = None,
    messages: Annotated[bool, typer.Option(help="Record the `person` messages, too.")] = True,
    source: SourceFlag = None,
    config: ConfigFlag = None,
    model: ModelFlag = None,
    view: ViewFlag = None,
    engine: EngineFlag = None,
    precision: PrecisionFlag = None,
    mode: ModeFlag = None,
    every: EveryFlag = None,
    frames: FramesFlag = None,
    seconds: SecondsFlag = None,
    save: SaveFlag = None,
    mqtt: MqttFlag = None,
    prefix: PrefixFlag = None,
    threshold: ThresholdFlag = None,
    max_persons: MaxPersonsFlag = None,
    json: JsonFlag = False,
) -> None:
    """Do what `run` does, and record what the cameras give: pictures, depth, calibration, messages."""
    flags = overrides(
        model=model,
        view=view,
        engine=engine,
        precision=precision,
        mode=mode,
        every=every,
        frames=frames,
        seconds=seconds,
        save=save,
        mqtt=mqtt,
        prefix=prefix,
        threshold=threshold,
        max_persons=max_persons,
    )
    settings = run_settings(config, flags, source or ())
    rotation = Rotation(
        None if max_mb is None else max_mb * 10**6, None if max_seconds is None else max_seconds * 10**9
    )
    clock = SystemClock()
    with stopping_signals() as stop, Recorder(
        out, rotation=rotation, jpeg=jpeg, clock=clock, on_event=tell
    ) as recorder:
        lines = MessageLines(json=json, clock=clock, stop=stop)

        def on_message(message: PersonMessage) -> None:
            if messages:
                recorder.message(message)
            lines(message)

        summary = app.run(
            settings,
            clock=clock,
            on_message=on_message,
            on_event=tell,
            stop=stop,
            opener=_recorded(settings, recorder),
        )
        for line in summary.lines():
            tell(line)
    tell(recorder.outcome())
    summary.check()


def _recorded(settings: RunSettings, recorder: Recorder) -> app.SourceOpener:
    """Opens the sources of a run so that they are recorded."""
    to_open = list(settings.cameras)

    def opener(uri: str, **how: Any) -> Source:
        source = open_source(uri, **how)
        camera = next(camera for camera in to_open if camera.source == uri)
        to_open.remove(camera)
        # Pictures and calibration are the camera's own, wherever it is mounted.
        frame_id = camera.model_copy(update={"mount": None}).frame_id
        recorder.add_camera(CameraFacts(camera.name, frame_id, source.fps, source.calibration.baseline_m))
        return RecordedSource(source, recorder, camera.name, settings.every)

    return opener
