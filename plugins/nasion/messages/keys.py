"""Topics `set/<key>` and `state/<key>`: what can be set while it runs, what is asked, what is answered.

Kinds and limits of a value are those of the settings that it changes.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Dict, FrozenSet, Optional, Type, Union

from pydantic import BaseModel, Field, ValidationError, create_model
from typing_extensions import Annotated

from nasion.messages.base import Message, Stamped
from nasion.settings import DepthSettings, Probability, RunSettings

#: A value on the wire: true or false, or a number.
Value = Union[bool, int, float]


class SetMessage(Message):
    """Asks for a value. Retained ones are ignored: what was asked long ago is nobody's wish any more."""

    left_out_when_none: ClassVar[FrozenSet[str]] = frozenset({"id"})

    value: Value = Field(description="The value wanted.")
    id: Optional[str] = Field(default=None, max_length=64, description="Whatever tells the answer; comes back in it.")


class StateMessage(Stamped):
    """What is in force, said at the start (retained) and as the answer to each `set/<key>`."""

    left_out_when_none: ClassVar[FrozenSet[str]] = frozenset({"monotonic_ns", "boot_id", "id"})

    key: str = Field(description="The key, as in the topic.")
    value: Optional[Value] = Field(description="What is in force now; null of a key that is not known.")
    accepted: bool = Field(description="Whether what was asked is in force.")
    reason: Optional[str] = Field(description="Why it is not; null where accepted.")
    id: Optional[str] = Field(default=None, max_length=64, description="That of the request.")


@dataclass(frozen=True)
class Settable:
    """One key. ``kind``: the annotation of its values, with limits; ``place``: the setting that it changes, if any."""

    kind: Any
    meaning: str
    place: str


def _like(model: Type[BaseModel], field: str) -> Any:
    """The kind of a setting, with its limits."""
    info = model.model_fields[field]
    annotated: Any = Annotated
    return annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation


def _meaning(model: Type[BaseModel], field: str) -> str:
    return model.model_fields[field].description or ""


SETTABLE: Dict[str, Settable] = {
    "threshold": Settable(Probability, "Probability of a person.", "threshold"),
    "max_persons": Settable(_like(RunSettings, "max_persons"), _meaning(RunSettings, "max_persons"), "max_persons"),
    "near_m": Settable(_like(DepthSettings, "near_m"), _meaning(DepthSettings, "near_m"), "depth.near_m"),
    "far_m": Settable(_like(DepthSettings, "far_m"), _meaning(DepthSettings, "far_m"), "depth.far_m"),
    "image": Settable(bool, "Whether annotated pictures leave the machine, on `image`.", ""),
    "image_hz": Settable(Annotated[float, Field(gt=0, le=30)], "At most so many pictures a second.", ""),
}


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
