"""The messages' promises: a value or a reason, strict JSON, nothing unknown."""

import json
from typing import Any, Dict

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.messages import (
    SCHEMA_VERSION,
    SETTABLE,
    PersonEntry,
    PersonMessage,
    SetMessage,
    StateMessage,
    StatusMessage,
    read_set,
)
from nasion.mqtt.contract import json_schema
from nasion.settings import RunSettings
from pydantic import ValidationError

POSITION: Dict[str, Any] = {
    "depth_m": 1.5,
    "range_m": 1.6,
    "position_m": [0.1, -0.2, 1.5],
    "covariance_m2": [1e-4, 0, 0, 0, 1e-4, 0, 0, 0, 4e-4],
}
NO_POSITION: Dict[str, Any] = dict.fromkeys(POSITION)


def entry(**changed: Any) -> Dict[str, Any]:
    """A person with a position, but for what is changed."""
    return {
        "track_id": 1,
        "probability": 0.9,
        "pixel": [640.0, 360.0],
        "bearing_rad": [0.1, -0.05],
        "valid": True,
        "reason": None,
        **POSITION,
        "depth": {"value": 1.5, "count": 25, "of": 25, "spread": 0.003},
        **changed,
    }


def frame(**changed: Any) -> Dict[str, Any]:
    """A frame with one person, but for what is changed."""
    return {
        "schema": SCHEMA_VERSION,
        "session": "s1",
        "seq": 0,
        "camera": "cam0",
        "frame_id": "cam0_left_camera_optical_frame",
        "captured_at": 1.7e9,
        "captured_ns": "1700000000000000000",
        "published_at": 1.7e9,
        "max_age_ms": 200.0,
        "persons": [entry()],
        "reason": None,
        "latency_ms": {"network": 8.0, "total": 12.5},
        **changed,
    }


def test_a_person_with_a_position_and_one_with_a_reason() -> None:
    assert PersonEntry(**entry()).valid
    refused = PersonEntry(**entry(valid=False, reason="too_near", **NO_POSITION))
    assert refused.depth.value == 1.5


@given(
    valid=st.booleans(),
    reason=st.sampled_from(
        [None, "no_depth", "ambiguous", "too_near", "too_far", "jump", "unpaired", "eyes_do_not_fit"]
    ),
    present=st.fixed_dictionaries({key: st.booleans() for key in POSITION}),
)
def test_a_person_has_all_of_a_position_or_exactly_a_reason(valid: bool, reason: Any, present: Dict[str, bool]) -> None:
    values = {key: POSITION[key] if there else None for key, there in present.items()}
    whole = all(present.values())
    consistent = (whole and valid and reason is None) or (
        not any(present.values()) and not valid and reason is not None
    )
    if consistent:
        assert PersonEntry(**entry(valid=valid, reason=reason, **values)).valid == whole
    else:
        with pytest.raises(ValidationError, match="or a reason"):
            PersonEntry(**entry(valid=valid, reason=reason, **values))


@pytest.mark.parametrize("reason", ["no_face", "low_probability", "no_tensor", "corrupt_frame", "no_frame"])
def test_a_frame_lists_persons_or_gives_a_reason(reason: str) -> None:
    assert PersonMessage(**frame(persons=[], reason=reason)).persons == []
    with pytest.raises(ValidationError, match="lists persons, or gives a reason"):
        PersonMessage(**frame(reason=reason))
    with pytest.raises(ValidationError, match="lists persons, or gives a reason"):
        PersonMessage(**frame(persons=[]))


@pytest.mark.parametrize("not_a_number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    "where",
    [
        {"captured_at": 0},
        {"published_at": 0},
        {"max_age_ms": 0},
        {"latency_ms": {"total": 0}},
        *({"persons": [{key: 0}]} for key in ("probability", "depth_m", "range_m")),
        {"persons": [{"pixel": [0, 1.0]}]},
        {"persons": [{"bearing_rad": [1.0, 0]}]},
        {"persons": [{"position_m": [0, 1.0, 1.0]}]},
        {"persons": [{"covariance_m2": [0, *[1.0] * 8]}]},
        {"persons": [{"depth": {"value": 0, "count": 1, "of": 1, "spread": 1.0}}]},
        {"persons": [{"depth": {"value": 1.0, "count": 1, "of": 1, "spread": 0}}]},
    ],
    ids=str,
)
def test_what_is_not_a_number_is_refused_wherever_a_number_stands(not_a_number: float, where: Dict[str, Any]) -> None:
    def poisoned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: poisoned(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [poisoned(inner) for inner in value]
        return not_a_number if value == 0 and isinstance(value, int) else value

    changed = poisoned(where)
    if "persons" in changed:
        changed["persons"] = [entry(**changed["persons"][0])]
    with pytest.raises(ValidationError):
        PersonMessage(**frame(**changed))


@pytest.mark.parametrize(
    "changed",
    [
        {"extra": 1},
        {"persons": [entry(extra=1)]},
        {"seq": -1},
        {"captured_ns": "1.5"},
        {"captured_ns": 1700000000000000000},
        {"captured_ns": "9" * 20},
        {"max_age_ms": 0},
        {"persons": [entry(probability=1.1)]},
        {"persons": [entry(pixel=[1.0])]},
        {"persons": [entry(covariance_m2=[1.0] * 8)]},
    ],
    ids=str,
)
def test_what_breaks_the_contract_is_refused(changed: Dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PersonMessage(**frame(**changed))


finite = st.floats(allow_nan=False, allow_infinity=False)


@given(
    numbers=st.lists(finite, min_size=3, max_size=3),
    text=st.text(st.characters(blacklist_categories=["Cs"])),
    nanoseconds=st.integers(-(10**19) + 1, 10**19 - 1),
)
def test_json_is_strict_and_brings_everything_back(numbers: Any, text: str, nanoseconds: int) -> None:
    message = PersonMessage(
        **frame(session=text, captured_ns=str(nanoseconds), captured_at=numbers[0], persons=[entry(position_m=numbers)])
    )

    def no_constant(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    wire = json.loads(message.to_json(), parse_constant=no_constant)
    assert wire["captured_ns"] == str(nanoseconds)
    assert wire["persons"][0]["position_m"] == numbers
    assert PersonMessage.model_validate_json(message.to_json(), strict=True) == message


def test_only_recordings_carry_a_recorded_time() -> None:
    assert "recorded_ns" not in json.loads(PersonMessage(**frame()).to_json())
    assert json.loads(PersonMessage(**frame(recorded_ns="5")).to_json())["recorded_ns"] == "5"


def test_nulls_are_written_so_that_every_key_is_always_there() -> None:
    wire = json.loads(PersonMessage(**frame(persons=[entry(valid=False, reason="no_depth", **NO_POSITION)])).to_json())
    assert wire["reason"] is None
    assert {wire["persons"][0][key] for key in POSITION} == {None}


@pytest.mark.parametrize("process", ["online", "stopped", "offline"])
@pytest.mark.parametrize("source", ["ok", "reconnecting", "lost"])
def test_status(process: Any, source: Any) -> None:
    status = StatusMessage(session="s1", camera="cam0", process=process, source=source, at=1.5)
    assert json.loads(status.to_json()) == {
        "schema": SCHEMA_VERSION,
        "session": "s1",
        "camera": "cam0",
        "process": process,
        "source": source,
        "duplicate": False,
        "at": 1.5,
    }
    assert StatusMessage.model_validate_json(status.to_json(), strict=True) == status


def test_a_monotonic_stamp_goes_with_the_boot_it_belongs_to() -> None:
    plain = PersonMessage(**frame())
    assert not {"monotonic_ns", "boot_id"} & set(json.loads(plain.to_json()))
    wire = json.loads(plain.stamped(5, "boot-1").to_json())
    assert (wire["monotonic_ns"], wire["boot_id"]) == ("5", "boot-1")
    assert plain.stamped(5, None) == plain
    for half in ({"monotonic_ns": "5"}, {"boot_id": "boot-1"}):
        with pytest.raises(ValidationError, match="stand together"):
            PersonMessage(**frame(**half))


@pytest.mark.parametrize(
    ("name", "example"),
    [
        ("person", PersonMessage(**frame())),
        ("person", PersonMessage(**frame(persons=[], reason="no_face", recorded_ns="-1")).stamped(-5, "b")),
        ("person", PersonMessage(**frame(persons=[entry(valid=False, reason="jump", **NO_POSITION)]))),
        ("status", StatusMessage(session="s", camera="c", process="online", source="ok", at=0.0)),
        ("state", StateMessage(session="s", camera="c", at=0.0, key="image", value=True, accepted=True, reason=None)),
        ("set-near_m", SetMessage(value=0.5, id="request 7")),
    ],
)
def test_the_generated_schema_describes_what_is_written(name: str, example: Any) -> None:
    jsonschema.validate(json.loads(example.to_json()), json_schema(name), jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    "wrong",
    [
        frame(schema=2),
        frame(persons=[]),
        frame(reason="no_face"),
        frame(extra=1),
        frame(persons=[entry(valid=False)]),
        frame(persons=[entry(reason="jump")]),
        frame(persons=[entry(depth_m=None)]),
        frame(latency_ms={"publish": 1.0}),
        frame(captured_ns=5),
        {key: value for key, value in frame().items() if key != "schema"},
    ],
    ids=str,
)
def test_the_generated_schema_refuses_what_the_code_would_never_say(wrong: Dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, json_schema("person"), jsonschema.Draft202012Validator)


GOOD = {
    "threshold": 0.7,
    "max_persons": 3,
    "near_m": 0.5,
    "far_m": 6,
    "jump_mode": "fixed",
    "jump_max_speed_m_s": 2,
    "jump_sigmas": 0,
    "jump_fixed_m": 1.5,
    "jump_expires_s": 0.5,
    "image": True,
    "image_hz": 2,
}


def test_every_settable_key_takes_a_good_value_and_changes_a_setting_that_there_is() -> None:
    assert list(GOOD) == list(SETTABLE)
    for key, value in GOOD.items():
        asked = read_set(key, json.dumps({"value": value, "id": "7"}).encode())
        assert isinstance(asked, SetMessage), asked
        assert (asked.value, asked.id) == (value, "7")
        place: Any = RunSettings
        for step in SETTABLE[key].place.split("."):
            place = place.model_fields[step].annotation


@pytest.mark.parametrize(
    ("key", "payload", "said"),
    [
        ("threshold", b'{"value": 1.5}', "value: Input should be less than or equal to 1"),
        ("threshold", b'{"value": NaN}', "value: Input should be a finite number"),
        ("threshold", b'{"value": true}', "value: Input should be a valid number"),
        ("max_persons", b'{"value": 2.5}', "value: Input should be a valid integer"),
        ("max_persons", b'{"value": 33}', "value: Input should be less than or equal to 32"),
        ("near_m", b'{"value": "0.5"}', "value: Input should be a valid number"),
        ("image", b'{"value": 1}', "value: Input should be a valid boolean"),
        ("image_hz", b'{"value": 0}', "value: Input should be greater than 0"),
        ("image", b"true", "payload: Input should be an object"),
        ("image", b"", "payload: Invalid JSON"),
        ("image", b'{"value": true, "also": 1}', "also: Extra inputs are not permitted"),
        ("volume", b'{"value": 11}', "unknown key 'volume'; expected one of threshold, max_persons, near_m"),
    ],
)
def test_what_cannot_be_set_gets_a_reason_in_one_line(key: str, payload: bytes, said: str) -> None:
    why = read_set(key, payload)
    assert isinstance(why, str)
    assert why.startswith(said)
    assert "\n" not in why


@given(st.text(max_size=10) | st.sampled_from(sorted(SETTABLE)), st.binary(max_size=40))
def test_no_request_breaks_the_reader(key: str, payload: bytes) -> None:
    assert isinstance(read_set(key, payload), (SetMessage, str))
