"""How old an accepted picture can be at most, whatever the clocks and the network do. The stories are in docs/."""

import math
from typing import Any, List, Optional, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nasion.core.calibration import Calibration, Intrinsics
from nasion.core.compose import person_message
from nasion.core.position import Mount, bearing, position
from nasion.core.results import DepthReading, Keypoint, Located, Person
from nasion.messages import PersonMessage
from nasion.mqtt import judge
from nasion.mqtt.judge import Gate, Now, Verdict, nearest, read_boot_id, read_now
from nasion.settings import MountSettings

MS = 1_000_000
SECOND_NS = 1_000 * MS
#: The true time at which everything begins; true time is what the receiver's clock since boot shows, but for the start.
UTC_NS, MONOTONIC_NS, BOOTTIME_NS = 1_700_000_000 * SECOND_NS, 80_000 * SECOND_NS, 90_000 * SECOND_NS
AFAR_NS = 5_000 * SECOND_NS
TOPIC = "nasion/cam0/person"


def payload(captured_ns: int, stamp_ns: Optional[int], boot_id: str = "afar", **changed: Any) -> bytes:
    """A message of nobody whose picture was taken at these instants of its sender's clocks."""
    message = PersonMessage(
        session="s1",
        seq=0,
        camera="cam0",
        frame_id="cam0_left_camera_optical_frame",
        captured_at=captured_ns / 1e9,
        captured_ns=str(captured_ns),
        published_at=captured_ns / 1e9,
        max_age_ms=1e6,
        persons=[],
        reason="no_face",
        latency_ms={},
    ).model_copy(update=changed)
    if stamp_ns is not None:
        message = message.stamped(stamp_ns, boot_id)
    return message.to_json().encode()


def here(true_ns: int, own_error_ns: int = 0, suspended_ns: int = 0) -> Now:
    """The receiver's clocks at a true time; its wall clock is ``own_error_ns`` ahead."""
    return Now(UTC_NS + true_ns + own_error_ns, MONOTONIC_NS + true_ns - suspended_ns, BOOTTIME_NS + true_ns)


#: (time between two pictures, way from the picture to the receiver), ms.
Steps = List[Tuple[float, float]]


@st.composite
def streams(draw: Any) -> Steps:
    """It flows for a second or not at all, then it is held up, comes in bursts or late; some ways are always long."""
    least_ms = draw(st.sampled_from([0.0, 5.0, 100.0, 240.0, 300.0, 2000.0]) | st.floats(0, 400))
    flowing = [(50.0, least_ms)] * draw(st.sampled_from([0, 20]))
    step_ms = st.sampled_from([1.0, 20.0, 33.0, 50.0, 100.0]) | st.floats(1, 300)
    more_ms = st.sampled_from([0.0, 10.0]) | st.integers(0, 60) | st.integers(180, 320) | st.floats(0, 10_000)
    return flowing + [
        (step, least_ms + more) for step, more in draw(st.lists(st.tuples(step_ms, more_ms), min_size=10, max_size=40))
    ]


STEPS = streams()
STAMPED = st.booleans()


def arrivals(steps: Steps) -> List[Tuple[int, int]]:
    """(captured, arrived) in true nanoseconds: in order, as over one connection."""
    told, captured_ns, arrived_ns = [], 0, 0
    for step_ms, way_ms in steps:
        captured_ns += int(step_ms * MS)
        arrived_ns = max(arrived_ns, captured_ns + int(way_ms * MS))
        told.append((captured_ns, arrived_ns))
    return told


@given(steps=STEPS, stamped=STAMPED, errors=st.lists(st.floats(-25, 25), min_size=120, max_size=120))
@settings(max_examples=300)
def test_while_the_wall_clocks_agree_nothing_accepted_is_older_than_the_limit_and_the_tolerance(
    steps: Steps, stamped: bool, errors: List[float]
) -> None:
    """Both wall clocks are wrong by up to half the tolerance, and stepped with every message."""
    gate = Gate(boot_id="here")
    for seq, (captured_ns, arrived_ns) in enumerate(arrivals(steps)):
        captured_utc_ns = UTC_NS + captured_ns + int(errors[2 * seq % 120] * MS)
        stamp_ns = AFAR_NS + captured_ns if stamped else None
        now = here(arrived_ns, int(errors[(2 * seq + 1) % 120] * MS))
        verdict = gate.judge(TOPIC, False, payload(captured_utc_ns, stamp_ns, seq=seq), now)
        if verdict.code == "accepted":
            assert (arrived_ns - captured_ns) / MS <= judge.MAX_AGE_MS + judge.TOLERANCE_MS + 1e-3
    assert gate.counts["error"] == 0


@given(
    steps=STEPS,
    stamped=STAMPED,
    ahead_ms=st.integers(-100, 100) | st.sampled_from([45, 50, 200, 5000]) | st.floats(-6000, 6000),
    drift_ppm=st.floats(-500, 500),
)
@settings(max_examples=300)
def test_however_a_senders_clock_stands_the_quickest_message_bounds_the_age_of_the_accepted(
    steps: Steps, stamped: bool, ahead_ms: float, drift_ppm: float
) -> None:
    gate = Gate(boot_id="here")
    heard: List[Tuple[int, int]] = []
    for seq, (captured_ns, arrived_ns) in enumerate(arrivals(steps)):
        drifted_ns = captured_ns + int(captured_ns * drift_ppm / 1e6)
        captured_utc_ns = UTC_NS + drifted_ns + int(ahead_ms * MS)
        stamp_ns = AFAR_NS + drifted_ns if stamped else None
        age_ns = arrived_ns - captured_ns
        heard.append((age_ns, arrived_ns))
        verdict = gate.judge(TOPIC, False, payload(captured_utc_ns, stamp_ns, seq=seq), here(arrived_ns))
        if verdict.code == "accepted":
            # 500 ppm that the judge allows, and 500 ppm that the clocks do drift, also while a picture is on its way.
            least_ns = min(age + (arrived_ns - at + age_ns + age) / 1000 for age, at in heard)
            assert age_ns <= judge.MAX_AGE_MS * MS + least_ns + 1000
    assert gate.counts["error"] == 0


@given(
    way_ms=st.floats(0, 100),
    jitter_ms=st.lists(st.floats(0, 40), min_size=60, max_size=60),
    ahead_ms=st.floats(-49, 49),
    period_ms=st.sampled_from([10.0, 33.0, 100.0]),
    drift_ppm=st.floats(-100, 100),
)
def test_a_stream_that_is_well_is_accepted_after_learning(
    way_ms: float, jitter_ms: List[float], ahead_ms: float, period_ms: float, drift_ppm: float
) -> None:
    gate = Gate(boot_id="here")
    steps = [(period_ms, way_ms + jitter) for jitter in jitter_ms]
    for seq, (captured_ns, arrived_ns) in enumerate(arrivals(steps)):
        drifted_ns = captured_ns + int(captured_ns * drift_ppm / 1e6)
        told = payload(UTC_NS + drifted_ns + int(ahead_ms * MS), AFAR_NS + drifted_ns, seq=seq)
        gate.judge(TOPIC, False, told, here(arrived_ns))
    assert set(gate.counts) <= {"learning", "accepted"}
    flowing = min(period_ms, 100.0) * len(steps)
    assert gate.counts["learning"] <= judge.LEARN_NS / MS / period_ms + jitter_ms[0] + 5 or flowing < 500
    assert flowing < 600 or gate.counts["accepted"] > 0


@given(steps=STEPS, pauses_ms=st.lists(st.sampled_from([0.0] * 5 + [11.0, 150.0, 3e6]), min_size=60, max_size=60))
@settings(max_examples=200)
def test_on_one_host_no_suspension_makes_a_picture_younger(steps: Steps, pauses_ms: List[float]) -> None:
    """The host sleeps between two arrivals; the age that counts is that by the clock since boot."""
    gate = Gate(boot_id="here")
    asleep_ns, sleeps = 0, []
    for seq, (captured_ns, arrived_ns) in enumerate(arrivals(steps)):
        # Just before the arrival, at a moment of the monotonic clock.
        sleeps.append((arrived_ns, int(pauses_ms[seq % 60] * MS)))
        asleep_ns += sleeps[-1][1]
        now = Now(UTC_NS, MONOTONIC_NS + arrived_ns, BOOTTIME_NS + arrived_ns + asleep_ns)
        verdict = gate.judge(TOPIC, False, payload(0, MONOTONIC_NS + captured_ns, "here", seq=seq), now)
        slept_ns = sum(slept for at, slept in sleeps[1:] if captured_ns < at)
        if verdict.code == "accepted":
            assert arrived_ns - captured_ns + slept_ns <= judge.MAX_AGE_MS * MS
    assert set(gate.counts) <= {"accepted", "stale"}


angle = st.floats(-3.0, 3.0)


@given(
    pixel=st.tuples(st.integers(0, 1919), st.integers(0, 1079)),
    focal_px=st.floats(300, 2000),
    baseline_m=st.floats(0.05, 0.3),
    depth_m=st.floats(0.3, 25.0),
    spread_m=st.floats(0, 1),
    sigma_px=st.floats(0.2, 60),
    sigma_disparity_px=st.floats(0.05, 1.0),
    mount=st.none() | st.tuples(st.tuples(angle, angle, angle), st.tuples(angle, angle, angle)),
)
@settings(max_examples=500)
def test_no_position_that_nasion_makes_is_impossible(
    pixel: Tuple[int, int],
    focal_px: float,
    baseline_m: float,
    depth_m: float,
    spread_m: float,
    sigma_px: float,
    sigma_disparity_px: float,
    mount: Any,
) -> None:
    lens = Intrinsics(1920, 1080, focal_px, focal_px, 959.5, 539.5)
    keypoint = Keypoint(float(pixel[0]), float(pixel[1]), 0.9, sigma_px, sigma_px)
    place = position(Calibration(lens, baseline_m), keypoint, depth_m, spread_m, sigma_disparity_px)
    if mount is not None:
        place = Mount(MountSettings(rpy_rad=mount[0], translation_m=mount[1])).to_body(place)
    reading = DepthReading(depth_m, None, 25, 25, spread_m)
    person = Person(1, keypoint, bearing(lens, keypoint.u, keypoint.v), reading, place, None)
    message = person_message(
        Located((keypoint,), None, 0.9),
        [person],
        session="s1",
        seq=0,
        camera="cam0",
        frame_id="base_link" if mount else "cam0_left_camera_optical_frame",
        captured_ns=UTC_NS,
        recorded_ns=None,
        published_at_ns=UTC_NS,
        max_age_ms=200.0,
        latency_ms={},
    ).stamped(MONOTONIC_NS, "here")
    verdict = Gate(boot_id="here").judge(TOPIC, False, message.to_json().encode(), here(0))
    assert (verdict.code, verdict.detail) == ("accepted", "")


def test_silence_is_counted_from_the_last_accepted_message_and_includes_suspensions() -> None:
    gate = Gate(boot_id="here")
    assert gate.silent_s(here(0)) == math.inf
    assert gate.silent(here(0))
    gate.judge(TOPIC, False, payload(UTC_NS, MONOTONIC_NS, "here"), here(0))
    gate.judge(TOPIC, False, b"garbage", here(100 * MS))
    assert gate.silent_s(here(200 * MS)) == 0.2
    assert not gate.silent(here(250 * MS))
    assert gate.silent(here(251 * MS))
    assert gate.silent(here(3600 * SECOND_NS, suspended_ns=3600 * SECOND_NS))


@pytest.mark.parametrize("limit", ["max_age_ms", "silent_ms"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.inf, math.nan, 1e9])
def test_a_limit_that_is_none_is_refused(limit: str, value: float) -> None:
    limits: Any = {limit: value}
    with pytest.raises(ValueError, match=limit):
        Gate(**limits)


class Unreadable(bytes):
    """A double of a payload that a library hands over broken."""

    def decode(self, *_: Any, **__: Any) -> str:
        raise MemoryError


def test_what_fails_is_a_verdict_and_counted() -> None:
    gate = Gate()
    assert gate.judge(TOPIC, False, Unreadable(b"{}"), here(0)) == Verdict(
        "error", detail="MemoryError in the receiver"
    )
    assert gate.judge(TOPIC, False, b"", here(0)).code == "not_json"
    assert gate.refused == {"error": 1, "not_json": 1}


def test_who_is_refused_for_its_clock_is_told_so() -> None:
    gate = Gate()
    for behind_s, code in ((1, "stale"), (-1, "future")):
        captured_ns = UTC_NS - behind_s * SECOND_NS
        verdict = gate.judge(TOPIC, False, payload(captured_ns, AFAR_NS), here(0))
        assert verdict.code == code
        assert "clocks disagree" in verdict.detail
    held_up = Gate(boot_id="here").judge(TOPIC, False, payload(0, MONOTONIC_NS - SECOND_NS, "here"), here(0))
    assert held_up.detail == "1000 ms old, the limit is 200 ms"


def test_nobody_is_nearest_where_nobody_has_a_position() -> None:
    assert nearest({"persons": []}) is None
    assert nearest({"persons": [{"valid": False}]}) is None


def test_this_hosts_clocks_are_read() -> None:
    first, second = read_now(), read_now()
    assert all(later >= sooner for sooner, later in zip(first, second))
    assert second.boottime_ns >= second.monotonic_ns - MS
    boot_id = read_boot_id()
    assert boot_id is None or len(boot_id) == 36
    assert read_boot_id("/nowhere/boot_id") is None
