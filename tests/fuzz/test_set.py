"""Whatever is asked on `set/<key>`: a value within its limits, or one line that says why not; the answer is JSON."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
from hypothesis import example, given
from hypothesis import strategies as st
from nasion.messages import SETTABLE, SetMessage, StateMessage, read_set
from nasion.mqtt.contract import json_schema

from tests.fuzz.broken import anything, damaged, one_line, spoilt, texts
from tests.fuzz.profile import tries

SCHEMAS = {key: jsonschema.Draft202012Validator(json_schema(f"set-{key}")) for key in SETTABLE}
STATE = jsonschema.Draft202012Validator(json_schema("state"))
keys = st.sampled_from(sorted(SETTABLE)) | texts


def no_constant(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


def check(key: str, payload: bytes) -> None:
    asked = read_set(key, payload)
    if isinstance(asked, SetMessage):
        # Code and schema agree on what is taken, but for what JSON's readers see in other ways: the key that stands
        # twice.
        assert SCHEMAS[key].is_valid(json.loads(payload, parse_constant=no_constant))
        value, accepted, reason, id_ = asked.value, True, None, asked.id
    else:
        assert one_line(asked), asked
        value, accepted, reason, id_ = None, False, asked, None
    answer = StateMessage(
        session="s", camera="cam0", at=0.0, key=key, value=value, accepted=accepted, reason=reason, id=id_
    )
    STATE.validate(json.loads(answer.to_json(), parse_constant=no_constant))


@tries(300, 12_000)
@given(key=keys, value=anything, more=st.dictionaries(st.sampled_from(["id", "also"]), anything, max_size=2))
def test_a_request_for_any_value(key: str, value: Any, more: dict[str, Any]) -> None:
    check(key, json.dumps({"value": value, **more}).encode())


@tries(200, 8_000)
@given(key=keys, payload=spoilt('{"value": 0.5, "id": "request 7"}') | st.binary(max_size=40))
@example(key="threshold", payload=b"[" * 100_000)
@example(key="threshold", payload=b'{"value": ' + b"9" * 10_000 + b"}")
@example(key="threshold", payload=b'{"value": 1e999}')
@example(key="threshold", payload=b'{"value": 0.5, "id": "\\ud800"}')
def test_a_payload_that_is_no_request(key: str, payload: bytes) -> None:
    check(key, payload)


@tries(100, 4_000)
@given(key=keys, tree=damaged({"value": 1, "id": "7"}))
def test_a_request_in_which_something_is_wrong(key: str, tree: Any) -> None:
    check(key, json.dumps(tree).encode())
