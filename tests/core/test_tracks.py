"""Stories of persons in view: who keeps a number, who gets a new one, who is refused."""

import math
from typing import List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.core.tracks import Identity, Sighting, Tracker, angle_between
from nasion.settings import JumpSettings

FRAME_S = 1 / 30


def person(azimuth_deg: float, range_m: Optional[float] = None, elevation_deg: float = 0.0) -> Sighting:
    return Sighting(
        bearing_rad=(math.radians(azimuth_deg), math.radians(elevation_deg)),
        bearing_sigma_rad=0.004,
        range_m=range_m,
        range_sigma_m=None if range_m is None else 0.02,
    )


class Scene:
    """A tracker that is told frames at seconds."""

    def __init__(self) -> None:
        self.tracker = Tracker(JumpSettings(), nearest_m=0.7)

    def at(self, second: float, *persons: Sighting) -> List[Identity]:
        return self.tracker.update(persons, round(second * 1e9))

    def ids(self, second: float, *persons: Sighting) -> List[int]:
        return [identity.track_id for identity in self.at(second, *persons)]


def test_a_walking_person_keeps_the_number() -> None:
    scene = Scene()
    for frame in range(90):
        (identity,) = scene.at(frame * FRAME_S, person(-20 + frame / 2, 2 + frame / 60))
        assert identity == Identity(track_id=0, jumped=False)


def test_two_persons_keep_theirs_when_the_order_changes_and_when_they_cross() -> None:
    scene = Scene()
    numbers = set()
    for frame in range(61):
        left, right = person(-15 + frame / 2, 2.0), person(15 - frame / 2, 4.0)
        if frame % 2:
            a, b = scene.ids(frame * FRAME_S, left, right)
        else:
            b, a = scene.ids(frame * FRAME_S, right, left)
        numbers.add((a, b))
    assert len(numbers) == 1
    assert len(set(numbers.pop())) == 2


def test_a_new_person_elsewhere_is_new_at_once_and_not_refused() -> None:
    """One peak at a time: the strongest was A at 2 m on the left, and now is B at 5 m on the right."""
    scene = Scene()
    assert scene.at(0, person(-20, 2.0)) == [Identity(0, jumped=False)]
    assert scene.at(FRAME_S, person(25, 5.0)) == [Identity(1, jumped=False)]
    # And A again, while the track lives.
    assert scene.at(2 * FRAME_S, person(-20, 2.0)) == [Identity(0, jumped=False)]


def test_a_new_person_in_the_same_direction_is_a_jump_for_a_second_and_then_new() -> None:
    scene = Scene()
    scene.at(0, person(0, 2.0))
    answers = [(second, scene.at(second, person(0.5, 8.0))) for second in (0.1, 0.4, 0.7, 0.95, 1.0, 1.03)]
    for second, (identity,) in answers:
        assert identity == (Identity(0, jumped=True) if second < 1 else Identity(1, jumped=False))
    # From then on the new one is who must not jump.
    fresh = Scene()
    fresh.at(0, person(0, 2.0))
    fresh.at(0.6, person(0, 8.0))
    assert fresh.at(1.0, person(0, 8.0)) == [Identity(1, jumped=False)]
    assert fresh.at(1.03, person(0, 2.0)) == [Identity(1, jumped=True)]


def test_a_glimpse_of_the_wall_is_a_jump_of_the_same_person() -> None:
    scene = Scene()
    scene.at(0, person(0, 2.0))
    assert scene.at(FRAME_S, person(0, 6.0)) == [Identity(0, jumped=True)]
    assert scene.at(2 * FRAME_S, person(0, 2.05)) == [Identity(0, jumped=False)]


def test_a_person_without_depth_keeps_the_number_and_cannot_jump() -> None:
    scene = Scene()
    scene.at(0, person(0, 2.0))
    assert scene.at(FRAME_S, person(1)) == [Identity(0, jumped=False)]
    assert scene.at(2 * FRAME_S, person(2, 2.1)) == [Identity(0, jumped=False)]
    # One who never had any, too.
    other = Scene()
    assert [other.ids(frame * FRAME_S, person(frame)) for frame in range(5)] == [[0]] * 5


@pytest.mark.parametrize(("gone_s", "number"), [(0.5, 0), (1.0, 0), (1.1, 1), (60.0, 1)])
def test_who_was_out_of_view_for_over_a_second_is_new(gone_s: float, number: int) -> None:
    scene = Scene()
    scene.at(0, person(0, 2.0))
    scene.at(gone_s / 2)
    assert scene.ids(gone_s, person(1, 2.0)) == [number]


def test_each_has_a_gate_of_his_own() -> None:
    scene = Scene()
    scene.at(0, person(-15, 2.0), person(15, 5.0))
    assert scene.at(FRAME_S, person(-15, 2.0), person(15, 9.0)) == [Identity(0, False), Identity(1, True)]
    assert scene.at(2 * FRAME_S, person(15, 5.0), person(-15, 7.0)) == [Identity(1, False), Identity(0, True)]


def test_one_track_is_never_given_to_two() -> None:
    scene = Scene()
    scene.at(0, person(0, 3.0))
    near, nearer = scene.ids(FRAME_S, person(2, 3.0), person(0.1, 3.0))
    assert (near, nearer) == (1, 0)


def test_a_clock_set_back_begins_anew() -> None:
    scene = Scene()
    assert scene.ids(5000, person(0, 2.0)) == [0]
    assert scene.at(10, person(0, 6.0)) == [Identity(1, jumped=False)]
    assert scene.at(10 + FRAME_S, person(0, 6.0)) == [Identity(1, jumped=False)]


sightings = st.builds(person, st.floats(-45, 45), st.none() | st.floats(0.7, 10), st.floats(-25, 25))


@given(frames=st.lists(st.lists(sightings, max_size=4), max_size=25), step_s=st.floats(0.0, 0.7))
def test_numbers_are_distinct_in_a_frame_and_never_come_back(frames: List[List[Sighting]], step_s: float) -> None:
    scene = Scene()
    last_seen: List[Tuple[int, float]] = []
    highest = -1
    for index, frame in enumerate(frames):
        numbers = scene.ids(index * step_s, *frame)
        assert len(numbers) == len(frame)
        assert len(set(numbers)) == len(numbers)
        for number in numbers:
            if number > highest:
                highest = number
            else:
                before = max(second for known, second in last_seen if known == number)
                assert index * step_s - before <= 1.0 + 1e-6
            last_seen.append((number, index * step_s))


@pytest.mark.parametrize(
    ("a", "b", "angle"),
    [
        ((0.0, 0.0), (0.3, 0.0), 0.3),
        ((0.0, -0.1), (0.0, 0.2), 0.3),
        ((0.4, 0.2), (0.4, 0.2), 0.0),
        ((0.0, 0.0), (math.pi, 0.0), math.pi),
        ((0.0, math.pi / 2), (2.0, math.pi / 2), 0.0),
        ((0.0, 0.0), (1e-7, 0.0), 1e-7),
    ],
)
def test_the_angle_between_bearings(a: Tuple[float, float], b: Tuple[float, float], angle: float) -> None:
    assert angle_between(a, b) == pytest.approx(angle, rel=1e-9, abs=1e-12)
