"""Help texts and choices of flags, taken from the settings they override: a default is never said twice."""

from typing import Any, Tuple, Type, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from typing_extensions import Literal


def help_of(model: Type[BaseModel], field: str) -> str:
    """Description of a setting, with its default where that is a value."""
    info = model.model_fields[field]
    description = info.description or ""
    if info.default is None or info.default is PydanticUndefined:
        return description
    return f"{description} Default: {info.default}."


def choices_of(model: Type[BaseModel], field: str) -> str:
    """The values a setting can take, as ``a|b|c``."""
    return "|".join(_literals(model.model_fields[field].annotation))


def _literals(annotation: Any) -> Tuple[str, ...]:
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if get_origin(annotation) is Union:
        return tuple(value for member in get_args(annotation) for value in _literals(member))
    return ()
