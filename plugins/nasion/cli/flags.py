"""The flags that several commands have, and what they override.

Help texts and choices are taken from the settings: a default is never said twice. Values stay texts: the settings know
their kinds and limits, and say what came and what was expected.
"""

from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, Type, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from typing_extensions import Annotated, Literal

from nasion.cli.completion import complete_source, one_of
from nasion.config.run_file import Override, Place
from nasion.settings import CameraSettings, MqttSettings, RunSettings

#: More characters of choices leave too little of 80 columns for what they mean.
_WIDEST_CHOICES = 18
#: Where flags stand that are no setting of the run itself under their own name.
_PLACES: Dict[str, Place] = {"mqtt": ("mqtt", "url"), "prefix": ("mqtt", "prefix")}


def help_of(model: Type[BaseModel], field: str) -> str:
    """Description of a setting, with its default where that is a value."""
    info = model.model_fields[field]
    description = info.description or ""
    if info.default is None or info.default is PydanticUndefined:
        return description
    # No full stop: it would look like a part of the value.
    return f"{description} Default: {info.default}"


def choices_of(model: Type[BaseModel], field: str) -> str:
    """The values a setting can take, as ``a|b|c``."""
    return "|".join(_literals(model.model_fields[field].annotation))


def one_of_setting(model: Type[BaseModel], field: str) -> Any:
    """The completer of a setting that takes one of some words."""
    return one_of(_literals(model.model_fields[field].annotation))


def _literals(annotation: Any) -> Tuple[str, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if get_origin(annotation) is Union:
        return tuple(value for member in get_args(annotation) for value in _literals(member))
    return ()


def _choice(field: str) -> Any:
    choices, text = choices_of(RunSettings, field), help_of(RunSettings, field)
    if len(choices) > _WIDEST_CHOICES:
        choices, text = field.upper(), f"{choices.replace('|', ', ')}. {text}"
    return typer.Option(metavar=choices, help=text, autocompletion=one_of_setting(RunSettings, field))


def _setting(field: str, metavar: str) -> Any:
    return typer.Option(metavar=metavar, help=help_of(RunSettings, field))


SourceFlag = Annotated[
    Optional[List[str]],
    typer.Option(
        metavar="[NAME=]URI",
        help=f"{help_of(CameraSettings, 'source')} Repeat it for several cameras.",
        autocompletion=complete_source,
    ),
]
ConfigFlag = Annotated[
    Optional[Path], typer.Option(metavar="FILE.yaml", help="Configuration; the flags here override it.")
]
ModelFlag = Annotated[Optional[Path], _setting("model", "FILE.onnx")]
ViewFlag = Annotated[Optional[str], _choice("view")]
EngineFlag = Annotated[Optional[str], _choice("engine")]
PrecisionFlag = Annotated[Optional[str], _choice("precision")]
ModeFlag = Annotated[Optional[str], _choice("mode")]
EveryFlag = Annotated[Optional[str], _setting("every", "N")]
FramesFlag = Annotated[Optional[str], _setting("frames", "N")]
SecondsFlag = Annotated[Optional[str], _setting("seconds", "S")]
SaveFlag = Annotated[Optional[Path], _setting("save", "FILE.avi")]
MqttFlag = Annotated[Optional[str], typer.Option(metavar="URL|none", help=help_of(MqttSettings, "url"))]
PrefixFlag = Annotated[Optional[str], typer.Option(metavar="P", help=help_of(MqttSettings, "prefix"))]
ThresholdFlag = Annotated[Optional[str], _setting("threshold", "T")]
MaxPersonsFlag = Annotated[Optional[str], _setting("max_persons", "N")]
JsonFlag = Annotated[
    bool, typer.Option("--json", help="One `person` message a processed frame on stdout, and nothing else.")
]


def overrides(**flags: Union[str, Path, None]) -> List[Override]:
    """What the flags that were given override, by the names of the command's parameters."""
    return [
        Override(f"--{name.replace('_', '-')}", _PLACES.get(name, (name,)), str(value))
        for name, value in flags.items()
        if value is not None
    ]
