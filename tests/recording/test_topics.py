"""The topics of a recording, and schemas that Foxglove can read."""

import json
from typing import Any, Dict, List

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.messages import DepthSeen, PersonEntry, PersonMessage
from nasion.mqtt.contract import json_schema
from nasion.recording.topics import PARTS, PERSON, plain, schema_data, split_topic, topic_of
from nasion.settings import FORBIDDEN_IN_NAMES

NAMES = st.text(min_size=1, max_size=8).filter(lambda name: not set(name) & set(FORBIDDEN_IN_NAMES))
JSON = [part for part, about in PARTS.items() if about.encoding == "json"]


@given(NAMES, st.sampled_from(sorted(PARTS)))
def test_a_topic_says_camera_and_part(camera: str, part: str) -> None:
    assert split_topic(topic_of(camera, part)) == (camera, part)


@pytest.mark.parametrize(
    "topic", ["", "/", "cam0/left/image", "/cam0", "/cam0/left", "//left/image", "/a/b/left/image"]
)
def test_another_topic_is_none_of_ours(topic: str) -> None:
    assert split_topic(topic) is None


def refused_by_foxglove_double(schema: Dict[str, Any], place: str = "") -> List[str]:
    """What Foxglove's reader of JSON Schemas does not understand: a double of its parseJsonSchema."""
    if schema.get("type") != "object" or "properties" not in schema:
        return [f"{place} is no object with properties"]
    refused = []
    for name, field in schema["properties"].items():
        where, kind = f"{place}.{name}", field.get("type")
        if "oneOf" in field:
            refused.append(f"{where} has oneOf")
        elif kind == "object":
            refused += refused_by_foxglove_double(field, where)
        elif kind == "array":
            items = field["items"]
            if items.get("type") == "object":
                refused += refused_by_foxglove_double(items, where)
            elif items.get("type") not in ("boolean", "string", "number", "integer"):
                refused.append(f"{where} is a list of {items.get('type')}")
        elif kind not in ("boolean", "string", "number", "integer"):
            refused.append(f"{where} is {kind}")
    return refused


@pytest.mark.parametrize("part", JSON)
def test_foxglove_understands_the_schemas_of_json(part: str) -> None:
    assert refused_by_foxglove_double(json.loads(schema_data(PARTS[part].schema))) == []


def test_it_would_not_understand_the_whole_contract() -> None:
    assert refused_by_foxglove_double(json_schema("person"))


def test_nothing_of_a_message_is_missing_in_its_schema() -> None:
    """Every value that is there fits; that a value may be null the plain schema says in words only."""
    seen = DepthSeen(value=2.0, count=25, of=25, spread=0.01)
    person = PersonEntry(
        track_id=1,
        probability=0.9,
        pixel=[1.0, 2.0],
        bearing_rad=[0.1, 0.2],
        valid=True,
        reason=None,
        depth_m=2.0,
        range_m=2.1,
        position_m=[0.1, 0.2, 2.0],
        covariance_m2=[0.1] * 9,
        depth=seen,
    )
    message = PersonMessage(
        session="s",
        camera="cam0",
        seq=0,
        frame_id="f",
        captured_at=1.0,
        captured_ns="1",
        published_at=1.0,
        max_age_ms=200.0,
        persons=[person],
        reason=None,
        latency_ms={"total": 1.0},
    )
    schema = json.loads(schema_data(PARTS[PERSON].schema))
    payload = {key: value for key, value in json.loads(message.to_json()).items() if value is not None}
    payload["persons"][0].pop("reason")
    jsonschema.validate(payload, closed(schema))


def closed(schema: Dict[str, Any]) -> Dict[str, Any]:
    """The same schema, but an object may have nothing else."""
    closed_ = {name: closed(value) if isinstance(value, dict) else value for name, value in schema.items()}
    return {**closed_, "additionalProperties": False} if schema.get("type") == "object" else closed_


def test_references_and_nulls_are_resolved() -> None:
    schema = {
        "type": "object",
        "properties": {
            "one": {"anyOf": [{"$ref": "#/$defs/Part"}, {"type": "null"}], "description": "Said here."},
            "two": {"anyOf": [{"type": "number"}, {"type": "null"}], "description": "Said here; null at night."},
            "three": {"anyOf": [{"type": "number"}, {"type": "null"}]},
            "many": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "minItems": 1},
        },
        "oneOf": [{}],
        "$defs": {"Part": {"type": "string", "enum": ["a"], "description": "said there"}},
    }
    assert plain(schema) == {
        "type": "object",
        "properties": {
            "one": {"type": "string", "description": "Said here. Null, or left out, where there is none."},
            "two": {"type": "number", "description": "Said here; null at night."},
            "three": {"type": "number", "description": "Null, or left out, where there is none."},
            "many": {"type": "array", "items": {"type": "string", "description": "said there"}},
        },
    }
