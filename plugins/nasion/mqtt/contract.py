"""The contract with every receiver: which topics there are, how they are sent, and the JSON Schema of each payload."""

from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Type

from typing_extensions import Literal

from nasion.messages import (
    AGES,
    SETTABLE,
    TIMES,
    UNITS,
    InfoMessage,
    Message,
    PersonMessage,
    StateMessage,
    StatsMessage,
    StatusMessage,
    set_model,
)
from nasion.mqtt.publishing import COUNTERS
from nasion.mqtt.topics import IMAGE, INFO, PERSON, SET, STATE, STATS, STATUS
from nasion.pipeline.flow import DROPS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True)
class Channel:
    """One topic below ``<prefix>/<camera>/``. ``model`` None: the payload is a JPEG picture.

    ``by``: who publishes on it; ``qos``: of those who publish; ``subject``: in one line, what is said.
    """

    topic: str
    model: Optional[Type[Message]]
    by: Literal["nasion", "operator"]
    qos: int
    retained: bool
    subject: str


#: Every topic by the name of its payload; `set-<key>` is the payload of `set/<key>`.
CHANNELS: Dict[str, Channel] = {
    "person": Channel(PERSON, PersonMessage, "nasion", 1, False, "Who is where: one for each processed frame."),
    "status": Channel(STATUS, StatusMessage, "nasion", 1, True, "Whether anybody publishes; also the last will."),
    "info": Channel(INFO, InfoMessage, "nasion", 1, True, "The birth certificate of a session."),
    "stats": Channel(STATS, StatsMessage, "nasion", 0, False, "Once a second: rates, drops, times, ages."),
    "image": Channel(IMAGE, None, "nasion", 0, False, "The annotated picture, only where it was asked for."),
    "state": Channel(
        f"{STATE}/{{key}}",
        StateMessage,
        "nasion",
        1,
        True,
        "A setting in force; the answer to `set`, not retained where it is a refusal.",
    ),
    **{
        f"set-{key}": Channel(f"{SET}/{key}", set_model(key), "operator", 1, False, f"Sets: {settable.meaning}")
        for key, settable in SETTABLE.items()
    },
}

#: Objects whose keys are known: by payload and field, each key with its meaning.
_LISTED: Dict[str, Dict[str, Mapping[str, str]]] = {
    "person": {"latency_ms": {stage: meaning for stage, meaning in TIMES.items() if stage != "publish"}},
    "info": {"units": dict.fromkeys(UNITS, "")},
    "stats": {"drops": DROPS, "published": COUNTERS, "times_ms": TIMES, "ages_ms": AGES},
}
#: Of these only the keys with a value are there; of the others always all.
_ONLY_WITH_VALUE = {"latency_ms", "times_ms", "ages_ms"}


def json_schema(name: str) -> Dict[str, Any]:
    """JSON Schema 2020-12 of a payload in CHANNELS; KeyError of another name, and of a picture."""
    model = CHANNELS[name].model
    if model is None:
        raise KeyError(name)
    schema = model.model_json_schema(by_alias=True, mode="serialization")
    for part in (schema, *schema.get("$defs", {}).values()):
        _tidy(part)
    # Also what has a default is always written, unless it is left out where there is none.
    schema["required"] = [key for key in schema["properties"] if key not in model.left_out_when_none]
    if name == "state":
        schema["properties"]["key"]["examples"] = list(SETTABLE)
    for field, keys in _LISTED.get(name, {}).items():
        _list_keys(schema["properties"][field], keys, all_there=field not in _ONLY_WITH_VALUE)
    return {"$schema": DIALECT, "$id": f"urn:nasion:schema:{name}", **schema}


def payload_names() -> Dict[str, str]:
    """Of every payload that is JSON: its name, and in one line what it says."""
    return {name: channel.subject for name, channel in CHANNELS.items() if channel.model is not None}


def name_of(levels: str) -> Optional[str]:
    """The payload's name of a topic's part below ``<prefix>/<camera>/``; None of what is not in the contract."""
    if levels.startswith(f"{STATE}/"):
        return "state"
    return next((name for name, channel in CHANNELS.items() if channel.topic == levels), None)


def _tidy(part: Dict[str, Any]) -> None:
    """pydantic's titles only repeat the names; a default of null is one that is never written."""
    for about in part.get("properties", {}).values():
        about.pop("title", None)
        about.pop("default", None)
    if "description" in part:
        part["description"] = " ".join(part["description"].split())


def _list_keys(about: Dict[str, Any], keys: Mapping[str, str], *, all_there: bool) -> None:
    value = about["additionalProperties"]
    about["properties"] = {key: {**value, "description": text} if text else dict(value) for key, text in keys.items()}
    about["additionalProperties"] = False
    if all_there:
        about["required"] = list(keys)
