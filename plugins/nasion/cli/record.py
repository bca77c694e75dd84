"""``nasion record``: what `run` does, and what the cameras gave is kept."""

from dataclasses import replace
from pathlib import Path
from typing import Any, List, Optional

import typer
from typing_extensions import Annotated

from nasion.cli.flags import choices_of, help_of
from nasion.cli.output import MessageLines, tell
from nasion.cli.signals import stopping_signals
from nasion.config.run_file import Override, run_settings
from nasion.messages import PersonMessage
from nasion.pipeline import app
from nasion.recording.file import CameraFacts
from nasion.recording.recorded import RecordedSource
from nasion.recording.recorder import Recorder
from nasion.recording.rotation import Rotation
from nasion.settings import CameraSettings, MqttSettings, RunSettings
from nasion.sources.clock import SystemClock
from nasion.sources.frame import Source
from nasion.sources.open import open_source


def _choice(field: str) -> Any:
    return typer.Option(metavar=choices_of(RunSettings, field), help=help_of(RunSettings, field))


def _setting(field: str, metavar: str) -> Any:
    return typer.Option(metavar=metavar, help=help_of(RunSettings, field))


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
            metavar="QUALITY",
            min=1,
            max=100,
            help="Keep pictures as JPEG: smaller, but replays are only nearly the same. Default: PNG, every pixel.",
        ),
    ] = None,
    messages: Annotated[bool, typer.Option(help="Record the `person` messages, too.")] = True,
    source: Annotated[
        Optional[List[str]],
        typer.Option(metavar="[NAME=]URI", help=f"{help_of(CameraSettings, 'source')} Repeat it for several cameras."),
    ] = None,
    config: Annotated[
        Optional[Path], typer.Option(metavar="FILE.yaml", help="Configuration; the flags here override it.")
    ] = None,
    model: Annotated[Optional[Path], _setting("model", "FILE.onnx")] = None,
    view: Annotated[Optional[str], _choice("view")] = None,
    engine: Annotated[Optional[str], _choice("engine")] = None,
    precision: Annotated[Optional[str], _choice("precision")] = None,
    mode: Annotated[Optional[str], _choice("mode")] = None,
    every: Annotated[Optional[str], _setting("every", "N")] = None,
    frames: Annotated[Optional[str], _setting("frames", "N")] = None,
    seconds: Annotated[Optional[str], _setting("seconds", "S")] = None,
    save: Annotated[Optional[Path], _setting("save", "FILE.avi")] = None,
    mqtt: Annotated[Optional[str], typer.Option(metavar="URL|none", help=help_of(MqttSettings, "url"))] = None,
    prefix: Annotated[Optional[str], typer.Option(metavar="P", help=help_of(MqttSettings, "prefix"))] = None,
    threshold: Annotated[Optional[str], _setting("threshold", "T")] = None,
    max_persons: Annotated[Optional[str], _setting("max_persons", "N")] = None,
    json: Annotated[
        bool, typer.Option("--json", help="One `person` message a processed frame on stdout, and nothing else.")
    ] = False,
) -> None:
    """Do what `run` does, and record what the cameras give: pictures, depth, calibration, messages."""
    flags = (
        Override("--model", ("model",), model),
        Override("--view", ("view",), view),
        Override("--engine", ("engine",), engine),
        Override("--precision", ("precision",), precision),
        Override("--mode", ("mode",), mode),
        Override("--every", ("every",), every),
        Override("--frames", ("frames",), frames),
        Override("--seconds", ("seconds",), seconds),
        Override("--save", ("save",), save),
        Override("--mqtt", ("mqtt", "url"), mqtt),
        Override("--prefix", ("mqtt", "prefix"), prefix),
        Override("--threshold", ("threshold",), threshold),
        Override("--max-persons", ("max_persons",), max_persons),
    )
    settings = run_settings(config, [_as_text(flag) for flag in flags if flag.value is not None], source or ())
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


def _as_text(flag: Override) -> Override:
    return replace(flag, value=str(flag.value))


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
