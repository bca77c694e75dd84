"""Whatever the core finds becomes a message that says it, valid and strict."""

import json
import math
from typing import Any, Dict, List, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.core.compose import person_message
from nasion.core.results import DepthReading, FrameReason, Keypoint, Located, Person, PersonReason, Position

finite = st.floats(-1e6, 1e6)
positive = st.floats(0, 1e3)
positions = st.builds(Position, positive, positive, st.tuples(finite, finite, finite), st.tuples(*[finite] * 9))


@st.composite
def people(draw: st.DrawFn) -> Person:
    position = draw(st.none() | positions)
    reason = None if position else draw(st.sampled_from(PersonReason))
    value = draw(positive) if position or reason is PersonReason.JUMP else None
    of = draw(st.integers(0, 49))
    return Person(
        track_id=draw(st.integers(0, 2**40)),
        keypoint=Keypoint(draw(finite), draw(finite), draw(st.floats(0, 1)), draw(positive), draw(positive)),
        bearing_rad=(draw(st.floats(-math.pi, math.pi)), draw(st.floats(-math.pi / 2, math.pi / 2))),
        depth=DepthReading(value, reason, draw(st.integers(0, of)), of, draw(st.none() | positive)),
        position=position,
        reason=reason,
    )


def compose(*persons: Person, reason: Optional[FrameReason] = None, **changes: Any) -> Dict[str, Any]:
    """The message as a receiver reads it."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not strict JSON")

    located = Located(tuple(person.keypoint for person in persons), reason, None)
    stamps: Dict[str, Any] = {
        "session": "s1",
        "seq": 7,
        "camera": "cam0",
        "frame_id": "base_link",
        "captured_ns": 1_790_000_000_123_456_789,
        "recorded_ns": None,
        "published_at_ns": 1_790_000_000_150_000_000,
        "max_age_ms": 200.0,
        "latency_ms": {"inference": 15.5, "total": 26.5},
    }
    message = person_message(located, persons, **{**stamps, **changes})
    read: Dict[str, Any] = json.loads(message.to_json(), parse_constant=refuse)
    return read


@given(persons=st.lists(people(), min_size=1, max_size=4))
def test_any_persons_make_a_valid_message_with_every_number_unchanged(persons: List[Person]) -> None:
    message = compose(*persons)
    assert message["reason"] is None
    assert len(message["persons"]) == len(persons)
    for entry, person in zip(message["persons"], persons):
        assert entry["track_id"] == person.track_id
        assert entry["probability"] == person.keypoint.probability
        assert entry["pixel"] == [person.keypoint.u, person.keypoint.v]
        assert entry["bearing_rad"] == list(person.bearing_rad)
        assert entry["valid"] == (person.position is not None)
        assert entry["reason"] == (person.reason.value if person.reason else None)
        assert entry["depth"] == {
            "value": person.depth.value,
            "count": person.depth.count,
            "of": person.depth.of,
            "spread": person.depth.spread,
        }
        place = person.position
        assert entry["depth_m"] == (place.depth_m if place else None)
        assert entry["range_m"] == (place.range_m if place else None)
        assert entry["position_m"] == (list(place.xyz) if place else None)
        assert entry["covariance_m2"] == (list(place.covariance) if place else None)


@pytest.mark.parametrize("reason", list(FrameReason))
def test_nobody_is_a_message_too(reason: FrameReason) -> None:
    message = compose(reason=reason)
    assert message["persons"] == []
    assert message["reason"] == reason.value


def test_the_stamps_keep_every_nanosecond() -> None:
    message = compose(reason=FrameReason.NO_FACE)
    assert message["captured_ns"] == "1790000000123456789"
    assert message["captured_at"] == pytest.approx(1_790_000_000.123456789, abs=1e-6)
    assert message["published_at"] == pytest.approx(1_790_000_000.15, abs=1e-6)
    assert "recorded_ns" not in message
    assert compose(reason=FrameReason.NO_FACE, recorded_ns=0)["recorded_ns"] == "0"


def test_the_rest_is_carried_as_it_is() -> None:
    message = compose(reason=FrameReason.NO_FRAME, seq=12, camera="rear", max_age_ms=150.0)
    assert (message["schema"], message["session"], message["seq"], message["camera"]) == (1, "s1", 12, "rear")
    assert (message["frame_id"], message["max_age_ms"]) == ("base_link", 150.0)
    assert message["latency_ms"] == {"inference": 15.5, "total": 26.5}


PERSON = Person(
    track_id=0,
    keypoint=Keypoint(1.0, 2.0, 0.9, 1.0, 1.0),
    bearing_rad=(0.0, 0.0),
    depth=DepthReading(None, PersonReason.NO_DEPTH, 0, 25, None),
    position=None,
    reason=PersonReason.NO_DEPTH,
)


def test_persons_of_another_frame_are_refused() -> None:
    with pytest.raises(ValueError, match="0 keypoints were located, but 1 persons"):
        person_message(
            Located((), FrameReason.NO_FACE, 0.1),
            [PERSON],
            session="s1",
            seq=0,
            camera="cam0",
            frame_id="f",
            captured_ns=0,
            recorded_ns=None,
            published_at_ns=0,
            max_age_ms=200.0,
            latency_ms={},
        )


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_never_leaves(wrong: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        compose(PERSON, latency_ms={"total": wrong})
