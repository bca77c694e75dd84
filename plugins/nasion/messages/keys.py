"""Topics `set/<key>` and `state/<key>`: what can be set while it runs, what is asked, what is answered.

Kinds and limits of a value are those of the settings that it changes.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Dict, FrozenSet, Optional, Type, Union, get_args

from pydantic import BaseModel, Field, ValidationError, create_model
from typing_extensions import Annotated, Literal

from nasion.messages.base import Message, Stamped
from nasion.settings import SETTABLE_PLACES, RunSettings

#: A value on the wire: true or false, a number, or a word.
Value = Union[bool, int, float, str]
#: Where what is in force comes from.
Origin = Literal["configuration", "kept", "set"]


class SetMessage(Message):
    """Asks for a value. Retained ones are ignored: what was asked long ago is nobody's wish any more."""

    left_out_when_none: ClassVar[FrozenSet[str]] = frozenset({"id"})

    value: Value = Field(description="The value wanted.")
    id: Optional[str] = Field(default=None, max_length=64, description="Whatever tells the answer; comes back in it.")


class StateMessage(Stamped):
    """What is in force, said at the start and as the answer to each `set/<key>`. A refusal is not retained."""

    left_out_when_none: ClassVar[FrozenSet[str]] = frozenset({"monotonic_ns", "boot_id", "id"})

    key: str = Field(description="The key, as in the topic.")
    value: Optional[Value] = Field(description="What is in force now; null where the key has nothing in force.")
    origin: Optional[Origin] = Field(
        default=None,
        description="Where the value comes from: `configuration` (also flags and defaults); `kept`: set in an earlier "
        "run, and kept; `set`: in this one. Null where the value is.",
    )
    accepted: bool = Field(description="Whether what was asked is in force.")
    reason: Optional[str] = Field(description="Why it is not, and what was expected; null where accepted.")
    id: Optional[str] = Field(default=None, max_length=64, description="That of the request.")


@dataclass(frozen=True)
class Settable:
    """One key. ``kind``: the annotation of its values, with limits; ``place``: the setting that it changes."""

    kind: Any
    meaning: str
    place: str


def _settable(place: str) -> Settable:
    """The setting at ``place``, with its limits."""
    model: Type[BaseModel] = RunSettings
    *parents, name = place.split(".")
    for parent in parents:
        below: Any = model.model_fields[parent].annotation
        model = below
    info = model.model_fields[name]
    choices = get_args(info.annotation)
    # What may be left open in the configuration (Optional) has a value here.
    kind: Any = choices[0] if type(None) in choices else info.annotation
    annotated: Any = Annotated
    return Settable(annotated[(kind, *info.metadata)] if info.metadata else kind, info.description or "", place)


SETTABLE: Dict[str, Settable] = {key: _settable(place) for key, place in SETTABLE_PLACES.items()}


def set_model(key: str) -> Type[SetMessage]:
    """The payload of ``set/<key>``; KeyError of a key that is not in SETTABLE."""
    settable = SETTABLE[key]
    model: Type[SetMessage] = create_model(
        "Set" + "".join(word.capitalize() for word in key.split("_")),
        __base__=SetMessage,
        __doc__=f"Asks for a value. {settable.meaning}",
        value=(settable.kind, Field(description=settable.meaning)),
    )
    return model


_MODELS = {key: set_model(key) for key in SETTABLE}


def read_set(key: str, payload: bytes) -> Union[SetMessage, str]:
    """What ``set/<key>`` asks for, or in one line why it cannot be had."""
    if key not in _MODELS:
        return f"unknown key {key[:40]!r}; expected one of {', '.join(SETTABLE)}"
    try:
        return _MODELS[key].model_validate_json(payload, strict=True)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(step) for step in fault["loc"]) or "payload"
        return " ".join(f'{place}: {fault["msg"]}; expected e.g. {{"value": ...}}'.split())
