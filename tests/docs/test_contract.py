"""The files of the contract are what the code makes, and are what they say they are."""

import json
import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import jsonschema
import pytest
import yaml
from nasion.cli.schema import REGENERATE, files
from nasion.messages import AGES, TIMES
from nasion.mqtt.contract import CHANNELS, json_schema, name_of, payload_names
from nasion.mqtt.publishing import COUNTERS
from nasion.pipeline.flow import DROPS
from nasion.pipeline.slip import STAGES

DOCS = Path(__file__).parents[2] / "docs"
ASYNCAPI: Dict[str, Any] = yaml.safe_load((DOCS / "asyncapi.yaml").read_text())


@pytest.mark.parametrize("place", sorted(files()))
def test_the_file_is_what_the_code_makes(place: str) -> None:
    assert (DOCS / place).read_text() == files()[place], f"made anew by: {REGENERATE}"


def test_no_file_is_left_over() -> None:
    there = {str(path.relative_to(DOCS)) for path in (DOCS / "schema").iterdir()}
    assert there == {place for place in files() if place.startswith("schema/")}, f"delete it, then: {REGENERATE}"


@pytest.mark.parametrize("name", list(payload_names()))
def test_a_schema_is_a_schema_whose_every_key_is_explained(name: str) -> None:
    schema = json_schema(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["additionalProperties"] is False
    for key, about in schema["properties"].items():
        below = schema["$defs"][about["$ref"].rpartition("/")[2]] if "$ref" in about else {}
        assert about.get("description") or below.get("description"), key


def test_the_keys_of_the_stats_are_those_that_the_code_counts() -> None:
    properties = json_schema("stats")["properties"]
    assert list(properties["drops"]["properties"]) == list(DROPS)
    assert list(properties["published"]["properties"]) == list(COUNTERS)
    assert list(properties["ages_ms"]["properties"]) == list(AGES)
    assert list(properties["times_ms"]["properties"]) == list(TIMES) == [*STAGES, "total"]


@pytest.mark.parametrize(
    ("levels", "name"),
    [
        *((name, name) for name in ("person", "status", "info", "stats", "image")),
        ("set/near_m", "set-near_m"),
        ("state/near_m", "state"),
        ("state/anything", "state"),
        ("state", None),
        ("set", None),
        ("set/anything", None),
        ("set-near_m", None),
        ("person/x", None),
        ("other", None),
    ],
)
def test_a_topic_has_one_payload_or_is_not_ours(levels: str, name: Any) -> None:
    assert name_of(levels) == name


REFERENCE = {"type": "object", "required": ["$ref"], "properties": {"$ref": {"type": "string"}}, "maxProperties": 1}


def every(value: Dict[str, Any]) -> Dict[str, Any]:
    """An object whose every value is like this."""
    return {"type": "object", "minProperties": 1, "additionalProperties": value}


def closed(required: List[str], **properties: Any) -> Dict[str, Any]:
    """An object with these properties and with `x-…` ones of its own."""
    return {
        "type": "object",
        "required": required,
        "properties": properties,
        "patternProperties": {"^x-": {}},
        "additionalProperties": False,
    }


TEXT = {"type": "string", "minLength": 1}
#: Of AsyncAPI 3.0.0 the part that this document uses.
STRUCTURE = closed(
    ["asyncapi", "info"],
    asyncapi={"const": "3.0.0"},
    info=closed(
        ["title", "version"],
        title=TEXT,
        version=TEXT,
        description=TEXT,
        license=closed(["name"], name=TEXT, url={"type": "string", "pattern": "^https://"}),
    ),
    defaultContentType=TEXT,
    servers=every(
        closed(
            ["host", "protocol"],
            host=TEXT,
            protocol={"enum": ["mqtt", "mqtts", "secure-mqtt"]},
            protocolVersion=TEXT,
            description=TEXT,
            variables=every(closed([], default=TEXT, description=TEXT)),
        )
    ),
    channels=every(
        closed(["address"], address=TEXT, description=TEXT, parameters=every(REFERENCE), messages=every(REFERENCE))
    ),
    operations=every(
        closed(
            ["action", "channel"],
            action={"enum": ["send", "receive"]},
            channel=REFERENCE,
            summary=TEXT,
            description=TEXT,
            messages={"type": "array", "items": REFERENCE},
            bindings=closed(
                ["mqtt"],
                mqtt=closed(
                    ["bindingVersion"],
                    qos={"enum": [0, 1, 2]},
                    retain={"type": "boolean"},
                    bindingVersion={"const": "0.2.0"},
                ),
            ),
        )
    ),
    components=closed(
        [],
        messages=every(
            closed(
                ["payload"],
                name=TEXT,
                contentType=TEXT,
                summary=TEXT,
                headers={"type": "object"},
                payload={"type": "object"},
            )
        ),
        parameters=every(
            closed(
                [], description=TEXT, default=TEXT, enum={"type": "array"}, examples={"type": "array", "items": TEXT}
            )
        ),
    ),
)


def test_the_asyncapi_document_has_the_structure_of_one() -> None:
    jsonschema.validate(ASYNCAPI, STRUCTURE, jsonschema.Draft202012Validator)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for below in value.values():
            yield from references(below)
    elif isinstance(value, list):
        for below in value:
            yield from references(below)


def test_its_references_lead_somewhere() -> None:
    found = set(references(ASYNCAPI))
    assert len(found) > 2 * len(CHANNELS)
    for reference in found:
        file, _, path = reference.partition("#")
        if file:
            jsonschema.Draft202012Validator.check_schema(json.loads((DOCS / file).read_text()))
            continue
        place: Any = ASYNCAPI
        for step in path.lstrip("/").split("/"):
            place = place[step]


def test_every_parameter_of_an_address_is_described_and_no_other() -> None:
    for channel in ASYNCAPI["channels"].values():
        assert re.findall(r"{(\w+)}", channel["address"]) == list(channel["parameters"])


def operations() -> Iterator[Tuple[str, Dict[str, Any]]]:
    for operation in ASYNCAPI["operations"].values():
        yield operation["channel"]["$ref"].rpartition("/")[2], operation


def test_what_nasion_does_on_each_channel_is_said_once_and_belongs_to_it() -> None:
    assert [channel for channel, _ in operations()] == list(ASYNCAPI["channels"]) == list(CHANNELS)
    for channel, operation in operations():
        assert operation["messages"] == [{"$ref": f"#/channels/{channel}/messages/{channel}"}]
        assert operation["action"] == ("receive" if channel.startswith("set-") else "send")
        assert operation["bindings"]["mqtt"]["retain"] == (channel in ("status", "info", "state"))
