"""What stands in a recording: one topic for each kind of thing that a camera gave, and its schema.

``/<camera>/<part>``; all parts of a frame have the same log time and sequence number, and its left picture comes last.
Log time: the recording's own time of the frame, of live cameras the time since 1970 when it began, continued on the
monotonic clock, which nobody sets; publish time: when the picture was taken (of a message: when it was published).
"""

import json
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from nasion.mqtt.contract import json_schema
from nasion.recording.foxglove import CAMERA_CALIBRATION, COMPRESSED_IMAGE, RAW_IMAGE
from nasion.recording.protobuf import descriptor_set

LEFT = "left/image"
RIGHT = "right/image"
DEPTH = "depth/image"
CALIBRATION = "left/calibration"
RIGHT_CALIBRATION = "right/calibration"
PERSON = "person"
CORRUPT = "corrupt_frame"

#: Facts of a camera that no message of Foxglove's has room for: metadata of the channel of its calibration.
FPS, BASELINE = "fps", "baseline_m"


class Part(NamedTuple):
    """``schema``: its name; ``encoding``: of the messages."""

    schema: str
    encoding: str

    @property
    def schema_encoding(self) -> str:
        """As MCAP names it."""
        return "jsonschema" if self.encoding == "json" else self.encoding


PARTS: Dict[str, Part] = {
    LEFT: Part(COMPRESSED_IMAGE.name, "protobuf"),
    RIGHT: Part(COMPRESSED_IMAGE.name, "protobuf"),
    DEPTH: Part(RAW_IMAGE.name, "protobuf"),
    CALIBRATION: Part(CAMERA_CALIBRATION.name, "protobuf"),
    RIGHT_CALIBRATION: Part(CAMERA_CALIBRATION.name, "protobuf"),
    PERSON: Part("nasion.person", "json"),
    CORRUPT: Part("nasion.corrupt_frame", "json"),
}


def topic_of(camera: str, part: str) -> str:
    """The topic of a part; a camera's name has no slash."""
    return f"/{camera}/{part}"


def split_topic(topic: str) -> Optional[Tuple[str, str]]:
    """(camera, part); None of another's topic."""
    empty, _, rest = topic.partition("/")
    camera, _, part = rest.partition("/")
    return (camera, part) if not empty and camera and part in PARTS else None


def schema_data(name: str) -> bytes:
    """The schema of that name as it stands in the file."""
    for message in (COMPRESSED_IMAGE, RAW_IMAGE, CAMERA_CALIBRATION):
        if message.name == name:
            return descriptor_set(message)
    if name == PARTS[CORRUPT].schema:
        return _json({"type": "object", "properties": {"why": {"type": "string"}}})
    return _json(plain(json_schema("person")))


def plain(schema: Mapping[str, Any]) -> Dict[str, Any]:
    """A JSON Schema in the few words that Foxglove understands: one type for each value, nothing by reference.

    That a value may be null it says in words, to people; the whole contract is what `nasion schema` prints. Foxglove
    goes by the schema only for the names of what it can plot, and shows a null that is there as null.
    """
    return _plain(schema, schema.get("$defs", {}))


def _plain(part: Mapping[str, Any], parts: Mapping[str, Any]) -> Dict[str, Any]:
    if "anyOf" in part:
        some = next(one for one in part["anyOf"] if one.get("type") != "null")
        part = {**some, **part, "description": _or_null(part.get("description", some.get("description", "")))}
    if "$ref" in part:
        part = {**parts[part["$ref"].rpartition("/")[2]], **part}
    kept = {key: part[key] for key in ("type", "description") if key in part}
    if part["type"] == "object":
        properties = part.get("properties", {})
        kept["properties"] = {name: _plain(value, parts) for name, value in properties.items()}
    elif part["type"] == "array":
        kept["items"] = _plain(part["items"], parts)
    return kept


def _or_null(description: str) -> str:
    """Of a value that may be null."""
    return description if "null" in description else f"{description} Null, or left out, where there is none.".lstrip()


def _json(schema: Mapping[str, Any]) -> bytes:
    return json.dumps(schema).encode()
