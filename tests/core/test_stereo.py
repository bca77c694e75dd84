"""Depth on demand: right to a fraction of a percent where there is something to match, unknown where there is not."""

from typing import List, NamedTuple, Optional

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nasion.core.calibration import Calibration, Intrinsics
from nasion.core.stereo import (
    FACE_M,
    STRONG_SCORE,
    _chosen,
    depth_patch,
    disparity_patch,
    rows_needed,
)
from nasion.core.stereo_search import Match
from numpy.typing import NDArray
from skimage import data

Picture = NDArray[np.uint8]
Floats = NDArray[np.float64]

# As wide as a ZED's pictures; of their rows only as many as are looked at.
FHD = Calibration(Intrinsics(1920, 200, 1060.0, 1060.0, 959.5, 99.5), 0.12)
HD = Calibration(Intrinsics(1280, 200, 700.0, 700.0, 639.5, 99.5), 0.12)
VGA = Calibration(Intrinsics(672, 200, 350.0, 350.0, 335.5, 99.5), 0.12)
NEAR, FAR = 0.7, 10.0


class Texture:
    """A sum of waves: it has an exact value between the pixels too, so a made pair has an exact disparity."""

    def __init__(self, seed: int, deviation: float = 25.0, longest: float = 60.0) -> None:
        random = np.random.default_rng(seed)
        turn, length = random.uniform(0, np.pi, 90), random.uniform(4, longest, 90)
        self._across, self._down = 2 * np.pi / length * np.cos(turn), 2 * np.pi / length * np.sin(turn)
        self._heights = deviation * np.sqrt(2 / 90) * np.exp(1j * random.uniform(0, 2 * np.pi, 90))

    def at(self, columns: Floats, rows: Floats) -> Floats:
        """(rows, columns) grey values around 128."""
        down = np.exp(1j * np.outer(rows, self._down)) * self._heights
        across = np.exp(1j * np.outer(self._across, columns))
        return np.asarray(128 + np.real(down @ across), np.float64)


class Pair(NamedTuple):
    left: Picture
    right: Picture
    u: float
    v: float


def seen(values: Floats, seed: int, noise: float, gain: float = 1.0, offset: float = 0.0) -> Picture:
    random = np.random.default_rng(seed)
    return np.clip(np.rint(gain * values + offset + random.normal(0, noise, values.shape)), 0, 255).astype(np.uint8)


def face_pair(
    calibration: Calibration,
    z: float,
    wall_z: float = 9.0,
    seed: int = 0,
    deviation: float = 25.0,
    noise: float = 2.0,
    gain: float = 0.95,
    offset: float = 4.0,
    place: Optional[NDArray[np.float64]] = None,
    width_m: float = FACE_M,
) -> Pair:
    """A flat face of 0.15 x 0.2 m, ``z`` metres away, before a wall; ``place``: its pixel, else near the middle."""
    lens = calibration.left
    u, v = (0.55 * lens.width + 0.3, 0.5 * lens.height - 0.2) if place is None else place
    disparity, wall_disparity = calibration.focal_baseline / z, calibration.focal_baseline / wall_z
    # Nothing on a face is larger than the face.
    face = Texture(seed, deviation, longest=min(60.0, max(8.0, 0.1 * lens.fx / z)))
    wall = Texture(seed + 1000)
    columns, rows = np.arange(lens.width, dtype=float), np.arange(lens.height, dtype=float)
    inside_rows = np.abs(rows - v) <= 0.1 * lens.fy / z

    def eye(shift: float, wall_shift: float) -> Floats:
        inside_columns = np.abs(columns + shift - u) <= width_m / 2 * lens.fx / z
        values = wall.at(columns + wall_shift, rows)
        values[np.ix_(inside_rows, inside_columns)] = face.at(columns[inside_columns] + shift, rows[inside_rows])
        return values

    left = seen(eye(0, 0), seed + 1, noise)
    right = seen(eye(disparity, wall_disparity), seed + 2, noise, gain, offset)
    return Pair(left, right, float(u), float(v))


def depth_of(pair: Pair, calibration: Calibration, size: int = 5) -> NDArray[np.float32]:
    return depth_patch(pair.left, pair.right, pair.u, pair.v, size, calibration, NEAR, FAR)


@pytest.mark.parametrize("z", [0.75, 1.0, 1.6, 2.5, 3.3, 4.0])
@pytest.mark.parametrize("calibration", [FHD, HD, VGA], ids=["1080p", "720p", "vga"])
def test_depth_of_a_face_is_right_to_a_percent_from_arm_length_to_across_the_room(
    calibration: Calibration, z: float
) -> None:
    depth = depth_of(face_pair(calibration, z, seed=round(10 * z)), calibration)
    assert depth.shape == (5, 5)
    assert depth.dtype == np.float32
    assert np.count_nonzero(np.isfinite(depth)) >= 23
    assert float(np.nanmedian(depth)) == pytest.approx(z, rel=0.01)
    assert float(np.nanmax(np.abs(depth - z))) <= 0.06 * z


@pytest.mark.parametrize(("calibration", "z"), [(FHD, 6.0), (FHD, 8.0), (HD, 6.0), (VGA, 5.0), (VGA, 6.0)])
def test_a_face_smaller_than_a_usual_window_is_not_lost_to_the_wall_behind_it(
    calibration: Calibration, z: float
) -> None:
    for seed in range(3):
        depth = depth_of(face_pair(calibration, z, wall_z=9.5, seed=seed), calibration)
        assert float(np.nanmedian(depth)) == pytest.approx(z, rel=0.05)


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 0.0), (0.6, 0.0), (1.4, -30.0), (0.9, 40.0)])
def test_eyes_that_see_another_brightness_and_contrast_agree_all_the_same(gain: float, offset: float) -> None:
    pair = face_pair(HD, 2.0, gain=gain, offset=offset)
    assert float(np.nanmedian(depth_of(pair, HD))) == pytest.approx(2.0, rel=0.01)


@settings(max_examples=30, deadline=None)
@given(z=st.floats(0.72, 4.5), seed=st.integers(0, 10_000))
def test_any_distance_and_any_texture(z: float, seed: int) -> None:
    depth = depth_of(face_pair(VGA, z, seed=seed), VGA)
    assert np.isnan(depth).all() or float(np.nanmedian(depth)) == pytest.approx(z, rel=0.04)


@pytest.mark.parametrize("z", [0.32, 0.45, 0.6, 0.68])
def test_nearer_than_the_near_limit_is_told_from_unknown(z: float) -> None:
    assert np.all(depth_of(face_pair(FHD, z), FHD) == -np.inf)


def test_the_near_limit_may_lie_below_the_usual_end_of_the_search() -> None:
    pair = face_pair(VGA, 0.25)
    depth = depth_patch(pair.left, pair.right, pair.u, pair.v, 5, VGA, 0.2, FAR)
    assert float(np.nanmedian(depth)) == pytest.approx(0.25, rel=0.01)


@pytest.mark.parametrize("z", [12.0, 30.0, 1e6])
def test_farther_than_the_far_limit_is_told_from_unknown(z: float) -> None:
    assert np.all(depth_of(face_pair(FHD, z, wall_z=z, width_m=5.0), FHD) == np.inf)


@pytest.mark.parametrize("noise", [0.0, 2.5])
def test_a_face_without_texture_has_no_depth(noise: float) -> None:
    pair = face_pair(HD, 1.0, deviation=0.0, noise=noise, width_m=0.5)
    assert np.isnan(depth_of(pair, HD)).all()


def test_two_pictures_that_have_nothing_in_common_have_no_depth() -> None:
    textures = [Texture(seed, longest=8).at(np.arange(1280.0), np.arange(200.0)) for seed in range(6)]
    pictures = [seen(texture, seed, 2) for seed, texture in enumerate(textures)]
    for left, right in zip(pictures, pictures[1:]):
        for u in (450, 700, 1100):
            assert np.isnan(depth_patch(left, right, u, 100, 5, HD, NEAR, FAR)).all()


def test_weak_texture_gives_a_fair_depth_or_none_but_never_a_wrong_one() -> None:
    answers = []
    for seed in range(12):
        depth = depth_of(face_pair(FHD, 3.0, seed=seed, deviation=5.0, noise=2.5), FHD)
        if not np.isnan(depth).all():
            answers.append(float(np.nanmedian(depth)))
    assert len(answers) >= 6
    assert answers == pytest.approx([3.0] * len(answers), rel=0.05)


def test_stripes_that_fit_in_many_places_are_refused() -> None:
    columns, rows = np.arange(1280.0), np.arange(200.0)
    stripes = 128 + 60 * np.sign(np.sin(2 * np.pi * (columns + 0.5) / 12))[None, :] + 0 * rows[:, None]
    left, right = seen(stripes, 1, 2), seen(np.roll(stripes, -30, axis=1), 2, 2)
    assert np.isnan(depth_patch(left, right, 640, 100, 5, HD, NEAR, FAR)).all()


def test_a_rectification_error_of_one_row_costs_accuracy_but_not_the_answer() -> None:
    for z in (1.0, 2.0, 3.5):
        pair = face_pair(FHD, z)
        lower = np.roll(pair.right, 1, axis=0)
        depth = depth_patch(pair.left, lower, pair.u, pair.v, 5, FHD, NEAR, FAR)
        assert float(np.nanmedian(depth)) == pytest.approx(z, rel=0.04)


@pytest.mark.parametrize(
    ("u", "v"), [(-3.0, 100.0), (700.0, 100.0), (300.0, -0.6), (300.0, 199.6), (1e6, 1e6), (-1e6, 50.0)]
)
def test_a_point_outside_the_picture_has_no_depth(u: float, v: float) -> None:
    pair = face_pair(VGA, 2.0)
    assert np.isnan(depth_patch(pair.left, pair.right, u, v, 5, VGA, NEAR, FAR)).all()


@pytest.mark.parametrize(("u", "v"), [(0, 0), (671, 0), (0, 199), (671, 199), (2, 100), (336, 1), (336, 198)])
def test_at_the_border_pixels_without_a_whole_window_are_unknown_and_nothing_breaks(u: int, v: int) -> None:
    pair = face_pair(VGA, 2.0)
    assert np.isnan(depth_patch(pair.left, pair.right, u, v, 5, VGA, NEAR, FAR)).all()


def test_what_the_right_eye_does_not_see_has_no_depth() -> None:
    # At 1 m the right eye sees the face 127 pixels farther to the left: outside its picture.
    pair = face_pair(FHD, 1.0, place=np.array([100.0, 100.0]))
    assert np.isnan(depth_of(pair, FHD)).all()


def test_a_large_patch_over_the_edge_of_a_face_holds_the_faces_depth_or_nothing() -> None:
    face = face_pair(FHD, 1.5)
    edge = Pair(face.left, face.right, face.u + FACE_M / 2 * 1060 / 1.5 - 25, face.v)
    depth = depth_of(edge, FHD, size=63)
    finite = depth[np.isfinite(depth)]
    assert np.isnan(depth[:, -1]).all()
    assert finite.size > 1000
    assert finite.tolist() == pytest.approx([1.5] * finite.size, rel=0.02)


def test_a_slanted_surface_shows_its_slope_in_the_patch() -> None:
    middle, slope = 60.0, 0.04
    texture = Texture(5)
    columns, rows = np.arange(1280.0), np.arange(200.0)
    # Column x of the left eye is at x - middle - slope (x - 640) in the right one.
    left = seen(texture.at(columns, rows), 1, 1)
    right = seen(texture.at((columns + middle - slope * 640) / (1 - slope), rows), 2, 1)
    disparity = disparity_patch(left, right, 640, 100, 31, highest=280, face_ratio=1.25)
    expected = middle + slope * np.arange(-15, 16)
    assert np.nanmedian(disparity, axis=0).tolist() == pytest.approx(expected.tolist(), abs=0.2)


def test_grey_bgr_and_bgrx_pictures_have_the_same_depth() -> None:
    pair = face_pair(VGA, 2.0)
    depths = [
        depth_patch(convert(pair.left), convert(pair.right), pair.u, pair.v, 5, VGA, NEAR, FAR)
        for convert in (
            lambda grey: grey,
            lambda grey: np.ascontiguousarray(np.repeat(grey[..., None], 3, axis=2)),
            lambda grey: np.ascontiguousarray(np.repeat(grey[..., None], 4, axis=2)),
        )
    ]
    assert np.array_equal(depths[0], depths[1])
    assert np.array_equal(depths[0], depths[2])


@pytest.mark.parametrize("size", [1, 5, 63])
@pytest.mark.parametrize("v", [40.0, 100.0, 170.4])
def test_the_rows_it_names_are_all_it_needs(size: int, v: float) -> None:
    pair = face_pair(VGA, 1.2, place=np.array([370.0, v]))
    rows = rows_needed(pair.v, size, 200)
    whole = depth_of(pair, VGA, size)
    band = depth_patch(pair.left[rows], pair.right[rows], pair.u, pair.v - rows.start, size, VGA, NEAR, FAR)
    assert np.isfinite(whole).any()
    assert np.array_equal(whole, band, equal_nan=True)


def test_a_real_scene_with_measured_disparities() -> None:
    """Middlebury's motorcycle, a quarter of its size, as scikit-image ships it."""
    left, right, truth = data.stereo_motorcycle()  # type: ignore[no-untyped-call]
    left, right = (np.ascontiguousarray(eye[..., ::-1]) for eye in (left, right))
    random = np.random.default_rng(3)
    errors, asked = [], 0
    while asked < 300:
        u, v = int(random.integers(80, 700)), int(random.integers(30, 470))
        around = truth[v - 7 : v + 8, u - 7 : u + 8]
        if not np.isfinite(around).all() or np.ptp(around) > 2:
            continue
        asked += 1
        # Its parts are smaller than a face: a fifth of it.
        found = disparity_patch(left, right, u, v, 5, highest=90, face_ratio=0.3)
        if np.isfinite(found).sum() >= 5:
            errors.append(abs(float(np.nanmedian(found) - truth[v, u])))
    assert len(errors) >= 0.6 * asked
    assert float(np.median(errors)) <= 0.3
    assert float(np.mean(np.array(errors) > 2)) <= 0.06


@given(
    found=st.lists(
        st.builds(Match, st.floats(-3, 420), st.floats(0.3, 1), st.sampled_from([1, 2, 4, 8])), min_size=1, max_size=9
    )
)
def test_below_a_strong_match_on_a_coarse_level_nothing_changes_the_choice(found: List[Match]) -> None:
    """That is why finer levels are not even searched then."""
    coarsest = max((match.scale for match in found if match.score >= STRONG_SCORE), default=0)

    assert _chosen(found) == _chosen([match for match in found if match.scale >= coarsest])


@pytest.mark.parametrize("size", [1, 5, 31, 151])
def test_a_patch_of_any_size_holds_the_same_depth_at_its_middle(size: int) -> None:
    """Large patches reach far beyond what the search looks at."""
    pair = face_pair(FHD, 1.0)
    middle = slice(size // 2, size // 2 + 1)

    assert np.array_equal(depth_of(pair, FHD, size)[middle, middle], depth_of(pair, FHD, 1))
