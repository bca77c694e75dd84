"""From keypoints and the depth of the same grab to persons, as one camera sees them one frame after the other."""

import math
from typing import List, Mapping, Optional, Tuple, Union

import numpy as np
import pytest
from nasion.core.calibration import Calibration
from nasion.core.position import project
from nasion.core.ranging import Ranger
from nasion.core.results import FrameReason, Keypoint, Located, Person, PersonReason
from nasion.settings import DepthSettings, JumpSettings, MountSettings
from numpy.typing import NDArray

FRAME_NS = 33_333_333


class Depths:
    """Depth of one grab: a number or a patch around each of the given pixels, unknown elsewhere."""

    def __init__(self, depths: Mapping[Tuple[float, float], Union[float, NDArray[np.float64]]]) -> None:
        self.depths = depths
        self.asked: List[Tuple[float, float, int]] = []

    def refused(self) -> None: ...

    def patch(self, u: float, v: float, size: int) -> NDArray[np.float32]:
        self.asked.append((u, v, size))
        return np.full((size, size), self.depths.get((u, v), np.nan), np.float32)


def located(*pixels: Tuple[float, float]) -> Located:
    keypoints = tuple(Keypoint(u, v, 0.9, 2.0, 2.0) for u, v in pixels)
    return Located(keypoints, None if keypoints else FrameReason.NO_FACE, 0.9 if keypoints else 0.1)


@pytest.fixture
def ranger(calibration: Calibration) -> Ranger:
    return Ranger(calibration, DepthSettings(), JumpSettings())


def see(ranger: Ranger, pixel: Tuple[float, float], depth_m: float, t_ns: int) -> Person:
    (person,) = ranger.range(located(pixel), Depths({pixel: depth_m}), t_ns)
    return person


def test_a_person_is_where_he_stands(ranger: Ranger, calibration: Calibration) -> None:
    truth = (0.4, -0.15, 2.25)
    person = see(ranger, project(calibration.left, truth), truth[2], 0)
    assert person.position is not None
    assert person.reason is None
    assert person.position.xyz == pytest.approx(truth)
    assert person.position.range_m == pytest.approx(math.dist((0, 0, 0), truth))
    assert (person.depth.value, person.depth.count, person.depth.of) == (2.25, 25, 25)


def test_a_patch_that_spreads_makes_the_position_uncertain(ranger: Ranger) -> None:
    pixel = (900.0, 500.0)
    flat = see(ranger, pixel, 2.0, 0)
    slope = np.linspace(1.8, 2.2, 25).reshape(5, 5)
    (sloped,) = ranger.range(located(pixel), Depths({pixel: slope}), FRAME_NS)
    assert flat.position is not None
    assert sloped.position is not None
    assert sloped.depth.spread == pytest.approx(0.1, rel=0.01)
    added = sloped.position.covariance[8] - flat.position.covariance[8]
    assert added == pytest.approx((1.4826 * 0.1) ** 2, rel=0.02)


def test_in_the_robots_frame(calibration: Calibration) -> None:
    mount = MountSettings(translation_m=(0.1, 0.0, 1.2))
    ranger = Ranger(calibration, DepthSettings(), JumpSettings(), mount)
    person = see(ranger, project(calibration.left, (0.5, 0.25, 2.0)), 2.0, 0)
    assert person.position is not None
    assert person.position.xyz == pytest.approx((2.1, -0.5, 0.95))
    # The bearing is the camera's own.
    assert person.bearing_rad[0] == pytest.approx(math.atan2(0.5, 2.0))


def test_the_patch_is_asked_for_at_the_keypoint_in_its_size(calibration: Calibration) -> None:
    ranger = Ranger(calibration, DepthSettings(patch_px=9), JumpSettings())
    depths = Depths({(700.5, 300.25): 2.0})
    ranger.range(located((700.5, 300.25)), depths, 0)
    assert depths.asked == [(700.5, 300.25, 9)]


@pytest.mark.parametrize(
    ("depth_m", "reason"),
    [(np.nan, "no_depth"), (-np.inf, "too_near"), (0.5, "too_near"), (np.inf, "too_far"), (11.0, "too_far")],
)
def test_without_depth_there_is_a_bearing_and_a_reason(
    ranger: Ranger, calibration: Calibration, depth_m: float, reason: str
) -> None:
    person = see(ranger, (calibration.left.cx + 1060, calibration.left.cy), depth_m, 0)
    assert person.position is None
    assert person.reason is PersonReason(reason)
    assert person.bearing_rad == pytest.approx((math.pi / 4, 0))


class Doubts(Depths):
    """Depths that tell two kinds of unknown."""

    def __init__(self, depth_m: float, ambiguous: bool) -> None:
        super().__init__({(900.0, 500.0): depth_m})
        self._ambiguous = ambiguous

    def ambiguous(self, _u: float, _v: float) -> bool:
        return self._ambiguous


@pytest.mark.parametrize(
    ("depth_m", "doubt", "reason"),
    [
        (np.nan, True, "ambiguous"),
        (np.nan, False, "no_depth"),
        (-np.inf, True, "too_near"),
        (np.inf, True, "too_far"),
        (2.0, True, None),
    ],
)
def test_what_is_unknown_because_several_depths_fit_is_ambiguous(
    ranger: Ranger, depth_m: float, doubt: bool, reason: Optional[str]
) -> None:
    (person,) = ranger.range(located((900.0, 500.0)), Doubts(depth_m, doubt), 0)
    assert (person.reason and person.reason.value) == reason
    assert (person.position is None) == (reason is not None)


def test_a_picture_whose_depth_is_gone_is_unpaired(ranger: Ranger) -> None:
    see(ranger, (900.0, 500.0), 2.0, 0)
    (person,) = ranger.range(located((905.0, 500.0)), None, FRAME_NS)
    assert (person.position, person.reason, person.track_id) == (None, PersonReason.UNPAIRED, 0)
    assert (person.depth.value, person.depth.count, person.depth.of) == (None, 0, 0)
    # The next paired frame goes on.
    again = see(ranger, (910.0, 500.0), 2.02, 2 * FRAME_NS)
    assert (again.track_id, again.reason) == (0, None)


def test_a_jump_keeps_what_was_seen_but_gives_no_position(ranger: Ranger) -> None:
    see(ranger, (900.0, 500.0), 2.0, 0)
    person = see(ranger, (900.0, 500.0), 7.0, FRAME_NS)
    assert (person.position, person.reason) == (None, PersonReason.JUMP)
    assert person.depth.value == 7.0
    assert see(ranger, (900.0, 500.0), 2.05, 2 * FRAME_NS).reason is None


def test_far_away_noise_is_no_jump(ranger: Ranger, calibration: Calibration) -> None:
    """At 8 m a quarter of a pixel of disparity is 0.13 m: a step of 0.4 m in a frame is within the noise."""
    see(ranger, (900.0, 500.0), 8.0, 0)
    assert see(ranger, (900.0, 500.0), 8.4, FRAME_NS).reason is None
    near = Ranger(calibration, DepthSettings(), JumpSettings())
    see(near, (900.0, 500.0), 1.0, 0)
    assert see(near, (900.0, 500.0), 1.4, FRAME_NS).reason is PersonReason.JUMP


@pytest.mark.parametrize("mode", ["speed", "fixed"])
@pytest.mark.parametrize("second_pixel", [(930.0, 500.0), (1700.0, 450.0)])
def test_a_second_person_is_never_locked_out(
    calibration: Calibration, mode: str, second_pixel: Tuple[float, float]
) -> None:
    """The first goes, a second is there, far behind: from one second on he is given, under a number of his own."""
    ranger = Ranger(calibration, DepthSettings(), JumpSettings.model_validate({"mode": mode}))
    first = see(ranger, (900.0, 500.0), 1.5, 0)
    refused_s: Optional[float] = None
    for frame in range(1, 60):
        person = see(ranger, second_pixel, 8.0, frame * FRAME_NS)
        if person.reason is not None:
            assert person.reason is PersonReason.JUMP
            refused_s = frame * FRAME_NS * 1e-9
        else:
            assert person.track_id != first.track_id
    assert refused_s is None or refused_s < 1.0
    # In another direction there is no doubt from the first.
    assert (refused_s is None) == (second_pixel[0] > 1000)


def test_several_persons_each_with_his_depth(ranger: Ranger) -> None:
    pixels = [(300.0, 500.0), (900.0, 480.0), (1600.0, 520.0)]
    depths = Depths({pixels[0]: 2.0, pixels[2]: 5.0})
    persons = ranger.range(located(*pixels), depths, 0)
    assert [person.keypoint.u for person in persons] == [300.0, 900.0, 1600.0]
    assert [person.position.depth_m if person.position else person.reason for person in persons] == [
        2.0,
        PersonReason.NO_DEPTH,
        5.0,
    ]
    again = ranger.range(located(*reversed(pixels)), depths, FRAME_NS)
    assert [person.track_id for person in again] == [person.track_id for person in reversed(persons)]


def test_nobody_located_is_nobody(ranger: Ranger) -> None:
    assert ranger.range(located(), Depths({}), 0) == ()
    assert ranger.range(located(), None, FRAME_NS) == ()
