"""Properties of elements that are settings: kind, range, default and help are those of the settings."""

import sys
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Tuple, Type, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from typing_extensions import Literal

from nasion.errors import InputError
from nasion.settings import RunSettings

#: What GObject's own kinds of numbers hold.
_INT_MAX = (1 << 31) - 1
_FLOAT_MAX = sys.float_info.max

#: Where a property's setting stands in `RunSettings`, e.g. ("depth", "patch_px"); of lists the first entry is meant.
Place = Tuple[str, ...]


@dataclass(frozen=True)
class Property:
    """What GObject has to know. ``low``, ``high``: of numbers; a limit that the settings exclude is shown as allowed.

    A setting that may be left out is a text, whose default None says that it was.
    """

    kind: type
    text: str
    default: Any
    low: Union[int, float, None] = None
    high: Union[int, float, None] = None


def property_of(place: Place) -> Property:
    """The property of the setting at ``place``."""
    field = _field(place)
    kinds = [kind for kind in _kinds(field.annotation) if kind is not type(None)]
    text = (field.description or "").replace("`", "")
    if get_origin(kinds[0]) is Literal:
        choices = get_args(kinds[0])
        if all(isinstance(choice, int) for choice in choices):
            return Property(int, text, field.default, min(choices), max(choices))
        return Property(str, f"{text} One of {', '.join(choices)}.", _given(field.default))
    if len(_kinds(field.annotation)) > 1 or kinds[0] is str:
        return Property(str, text, _given(field.default))
    if kinds[0] is bool:
        return Property(bool, text, field.default)
    low, high = _limits(field)
    largest = _INT_MAX if kinds[0] is int else _FLOAT_MAX
    return Property(kinds[0], text, field.default, -largest if low is None else low, largest if high is None else high)


def settings_from(element: str, places: Mapping[str, Place], values: Mapping[str, Any]) -> RunSettings:
    """Settings of a run in which the properties named in ``places`` have ``values``; None is the setting's default.

    InputError names the element, the property, what it says and what was expected.
    """
    tree: Dict[str, Any] = {"cameras": [{"source": element}]}
    for name, value in values.items():
        if value is not None:
            _put(tree, places[name], value)
    try:
        return RunSettings.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        found = tuple(part for part in first["loc"] if isinstance(part, str))
        message = first["msg"].replace("Value error, ", "", 1)
        named = next((name for name, place in places.items() if place == found), None)
        # What is not to be shown may hold a password.
        shown = f"={values[named]}" if named and _field(places[named]).repr else ""
        said = f"{named}{shown}: " if named else ""
        raise InputError(f"{element}: {said}{message}") from None


def _put(tree: Dict[str, Any], place: Place, value: Any) -> None:
    for part in place[:-1]:
        below = tree.setdefault(part, {})
        tree = below[0] if isinstance(below, list) else below
    tree[place[-1]] = value


def _field(place: Place) -> FieldInfo:
    model: Type[BaseModel] = RunSettings
    for part in place[:-1]:
        model = next(kind for kind in _kinds(model.model_fields[part].annotation) if issubclass(kind, BaseModel))
    return model.model_fields[place[-1]]


def _kinds(annotation: Any) -> Tuple[Any, ...]:
    """The types in Optional[X], List[X] and Annotated[X, ...]; of a plain X only itself."""
    if get_origin(annotation) in (Union, list):
        return tuple(kind for part in get_args(annotation) for kind in _kinds(part))
    if hasattr(annotation, "__metadata__"):
        return _kinds(annotation.__origin__)
    return (annotation,)


def _limits(field: FieldInfo) -> Tuple[Optional[float], Optional[float]]:
    low = high = None
    for rule in field.metadata:
        low = getattr(rule, "ge", getattr(rule, "gt", low))
        high = getattr(rule, "le", getattr(rule, "lt", high))
    return low, high


def _given(default: Any) -> Optional[str]:
    """A default that is a text; None where the setting has none or must be given."""
    return default if isinstance(default, str) else None
