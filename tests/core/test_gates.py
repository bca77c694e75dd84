"""Stories of a distance over time: what is refused, and for how long; and of a probability on the edge."""

from typing import List, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.core.gates import Hysteresis, JumpGate, Verdict
from nasion.core.results import FrameReason, Keypoint, Located
from nasion.settings import HysteresisSettings, JumpSettings

ACCEPTED, JUMP, RESTARTED = Verdict.ACCEPTED, Verdict.JUMP, Verdict.RESTARTED
#: Some instant; nanoseconds since 1970 need more digits than a float has.
START = 1_790_000_000_123_456_789


def ns(seconds: float) -> int:
    return START + round(seconds * 1e9)


def verdicts(settings: JumpSettings, story: List[Tuple[float, float]], sigma_m: float = 0.01) -> List[Verdict]:
    """Judge (second, metres) one after the other."""
    gate = JumpGate(settings)
    return [gate.judge(range_m, sigma_m, ns(second)) for second, range_m in story]


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        # The first is believed; a walk is followed.
        ([(0, 2.0), (0.033, 2.05), (0.066, 2.1)], [ACCEPTED, ACCEPTED, ACCEPTED]),
        # 3 m/s for a tenth of a second, and three standard deviations of both (0.042 m).
        ([(0, 2.0), (0.1, 2.33)], [ACCEPTED, ACCEPTED]),
        ([(0, 2.0), (0.1, 2.36)], [ACCEPTED, JUMP]),
        ([(0, 2.0), (0.1, 1.64)], [ACCEPTED, JUMP]),
        # A glimpse of the wall behind, and back: the reference did not move.
        ([(0, 2.0), (0.033, 6.0), (0.066, 2.1)], [ACCEPTED, JUMP, ACCEPTED]),
        # After half a second 1.5 m are possible.
        ([(0, 2.0), (0.5, 3.5)], [ACCEPTED, ACCEPTED]),
        # Somebody else at 6 m is refused for less than a second, then believed, as new.
        (
            [(0, 2.0), (0.3, 6.0), (0.6, 6.0), (0.99, 6.0), (1.0, 6.0), (1.03, 6.05)],
            [ACCEPTED, JUMP, JUMP, JUMP, RESTARTED, ACCEPTED],
        ),
        # After long silence, what fits the time passed is the same person.
        ([(0, 2.0), (2.0, 7.9)], [ACCEPTED, ACCEPTED]),
        ([(0, 2.0), (2.0, 8.2)], [ACCEPTED, RESTARTED]),
        # At one instant only noise may differ.
        ([(0, 2.0), (0, 2.03)], [ACCEPTED, ACCEPTED]),
        ([(0, 2.0), (0, 2.1)], [ACCEPTED, JUMP]),
    ],
)
def test_by_speed(story: List[Tuple[float, float]], expected: List[Verdict]) -> None:
    assert verdicts(JumpSettings(), story) == expected


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ([(0, 2.0), (0.033, 3.9), (0.066, 2.0)], [ACCEPTED, ACCEPTED, ACCEPTED]),
        ([(0, 2.0), (0.033, 4.1)], [ACCEPTED, JUMP]),
        # Time does not widen a fixed step, but it ends the refusal.
        ([(0, 2.0), (0.9, 4.1), (1.1, 4.1), (1.2, 5.0)], [ACCEPTED, JUMP, RESTARTED, ACCEPTED]),
    ],
)
def test_by_the_original_fixed_step(story: List[Tuple[float, float]], expected: List[Verdict]) -> None:
    assert verdicts(JumpSettings(mode="fixed"), story) == expected


def test_off_accepts_anything() -> None:
    story = [(0.0, 2.0), (0.01, 9.0), (0.02, 0.7), (0.03, 5.0)]
    assert verdicts(JumpSettings(mode="off"), story) == [ACCEPTED] * 4


def test_uncertain_ranges_are_allowed_more() -> None:
    story = [(0.0, 6.0), (0.033, 6.6)]
    assert verdicts(JumpSettings(), story, sigma_m=0.05) == [ACCEPTED, JUMP]
    assert verdicts(JumpSettings(), story, sigma_m=0.2) == [ACCEPTED, ACCEPTED]


def test_the_uncertainty_of_both_ranges_counts() -> None:
    gate = JumpGate(JumpSettings())
    gate.judge(6.0, 0.2, ns(0))
    assert gate.judge(6.6, 0.01, ns(0.033)) is ACCEPTED
    assert gate.judge(6.0, 0.2, ns(0.066)) is ACCEPTED


def test_a_clock_that_went_back_neither_opens_the_gate_nor_closes_it() -> None:
    gate = JumpGate(JumpSettings())
    assert gate.judge(2.0, 0.01, ns(100)) is ACCEPTED
    # A little back: as strict as a little forward.
    assert gate.judge(5.0, 0.01, ns(99.9)) is JUMP
    assert gate.judge(2.2, 0.01, ns(99.9)) is ACCEPTED
    # Far back (the clock was set): the reference says nothing any more, and the new time counts.
    assert gate.judge(9.0, 0.01, ns(50)) is ACCEPTED
    assert gate.judge(9.5, 0.01, ns(50.1)) is JUMP


@given(
    ranges=st.lists(st.floats(0.7, 10), min_size=2, max_size=60),
    mode=st.sampled_from(["speed", "fixed", "off"]),
    step_ms=st.integers(1, 400),
)
def test_nobody_is_refused_for_longer_than_the_reference_lives(ranges: List[float], mode: str, step_ms: int) -> None:
    settings = JumpSettings.model_validate({"mode": mode})
    gate, last_accepted = JumpGate(settings), 0
    for index, range_m in enumerate(ranges):
        t_ns = index * step_ms * 1_000_000
        if gate.judge(range_m, 0.02, t_ns) is JUMP:
            assert t_ns - last_accepted < settings.expires_s * 1e9
        else:
            last_accepted = t_ns


def seen(*probabilities: float) -> Located:
    """A frame as ``locate`` gives it for these probabilities."""
    reason = None if probabilities else FrameReason.LOW_PROBABILITY
    keypoints = tuple(Keypoint(100.0, 100.0, probability, 1.0, 1.0) for probability in probabilities)
    return Located(keypoints, reason, probabilities[0] if probabilities else 0.5)


def test_without_hysteresis_everybody_over_the_threshold_is_admitted() -> None:
    hysteresis = Hysteresis(HysteresisSettings(), threshold=0.55)
    assert hysteresis.threshold == 0.55
    assert hysteresis.admit(seen(0.56)) == seen(0.56)


def test_a_person_appears_at_070_and_stays_down_to_060() -> None:
    hysteresis = Hysteresis(HysteresisSettings(enabled=True), threshold=0.5)
    # Locate is to search down to the lower one.
    assert hysteresis.threshold == 0.6
    story = [(0.65, 0), (0.69, 0), (0.70, 1), (0.62, 1), (0.61, 1), (None, 0), (0.65, 0), (0.8, 1)]
    for probability, admitted in story:
        located = hysteresis.admit(seen() if probability is None else seen(probability))
        assert len(located.keypoints) == admitted
        assert (located.reason is None) == bool(admitted)
        if not admitted:
            assert located.reason is FrameReason.LOW_PROBABILITY


def test_a_second_person_must_appear_by_himself() -> None:
    hysteresis = Hysteresis(HysteresisSettings(enabled=True), threshold=0.5)
    admitted = [
        len(hysteresis.admit(seen(*frame)).keypoints)
        for frame in [(0.9, 0.65), (0.9, 0.65), (0.9, 0.75), (0.9, 0.65), (0.9,), (0.9, 0.65)]
    ]
    assert admitted == [1, 1, 2, 2, 1, 1]


def test_very_low_thresholds_give_the_reason_of_the_peak() -> None:
    hysteresis = Hysteresis(HysteresisSettings(enabled=True, appear=0.5, stay=0.1), threshold=0.5)
    assert hysteresis.admit(seen(0.2)).reason is FrameReason.NO_FACE
