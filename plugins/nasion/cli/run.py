"""``nasion run``: locate persons and publish where they are."""

from pathlib import Path
from typing import Any, List, Optional

import typer
from typing_extensions import Annotated

from nasion.cli.flags import choices_of, help_of
from nasion.cli.output import MessageLines, tell
from nasion.cli.signals import stopping_signals
from nasion.config.run_file import Override, Place, run_settings
from nasion.pipeline import app
from nasion.settings import CameraSettings, MqttSettings, RunSettings
from nasion.sources.clock import SystemClock


def _choice(field: str) -> Any:
    return typer.Option(metavar=choices_of(RunSettings, field), help=help_of(RunSettings, field))


# Values stay texts: the settings know their kinds and limits, and say what came and what was expected.


def _setting(field: str, metavar: str) -> Any:
    return typer.Option(metavar=metavar, help=help_of(RunSettings, field))


def run(
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
    """Locate the persons in front of one or several cameras and publish where they are."""
    flags = (
        _flag("--model", ("model",), model),
        _flag("--view", ("view",), view),
        _flag("--engine", ("engine",), engine),
        _flag("--precision", ("precision",), precision),
        _flag("--mode", ("mode",), mode),
        _flag("--every", ("every",), every),
        _flag("--frames", ("frames",), frames),
        _flag("--seconds", ("seconds",), seconds),
        _flag("--save", ("save",), save),
        _flag("--mqtt", ("mqtt", "url"), mqtt),
        _flag("--prefix", ("mqtt", "prefix"), prefix),
        _flag("--threshold", ("threshold",), threshold),
        _flag("--max-persons", ("max_persons",), max_persons),
    )
    settings = run_settings(config, [flag for flag in flags if flag is not None], source or ())
    clock = SystemClock()
    with stopping_signals() as stop:
        lines = MessageLines(json=json, clock=clock, stop=stop)
        summary = app.run(settings, clock=clock, on_message=lines, on_event=tell, stop=stop)
    for line in summary.lines():
        tell(line)


def _flag(name: str, place: Place, value: Any) -> Optional[Override]:
    """What overrides the configuration; None where the flag was not given."""
    if value is None:
        return None
    return Override(name, place, str(value) if isinstance(value, Path) else value)
