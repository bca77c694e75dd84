"""The network's pixels and the frame's are two names of the same places, whatever the view and the frame."""

from typing import Tuple

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nasion.core.views import INPUT_SIZES, ViewGeometry, view_geometry, whole_picture
from nasion.settings import View

views = st.sampled_from(sorted(INPUT_SIZES))
#: From a thumbnail to 8k, odd sizes too, no more extreme than 16:1.
frames = st.tuples(st.integers(32, 8192), st.integers(32, 8192)).filter(lambda s: max(s) <= 16 * min(s))
places = st.floats(-100, 10_000)


@pytest.mark.parametrize(
    ("view", "frame", "crop", "scaled"),
    [
        # The original's two: 1080p shrunk by 4 and 720p by 3, then the middle 224 x 224.
        ("centre", (1920, 1080), (512, 92, 896, 896), (224, 224)),
        ("centre", (1280, 720), (304, 24, 672, 672), (224, 224)),
        # Other sizes are shrunk to the same width, 480, and cropped to even numbers.
        ("centre", (2208, 1242), (588, 106, 1030, 1030), (224, 224)),
        ("centre", (672, 376), (178, 30, 314, 314), (224, 224)),
        # A wide frame has no square of that size; the scale stays, the rest is padded.
        ("centre", (1920, 800), (512, 0, 896, 800), (224, 200)),
        ("full", (1920, 1080), (0, 0, 1920, 1080), (480, 270)),
        ("full", (1280, 720), (0, 0, 1280, 720), (480, 270)),
        ("full", (672, 376), (0, 0, 672, 376), (480, 268)),
        ("full", (640, 480), (0, 0, 640, 480), (384, 288)),
        # The last odd column and row are not seen.
        ("full", (641, 361), (0, 0, 640, 360), (480, 270)),
        ("fine", (1920, 1080), (0, 0, 1920, 1080), (960, 540)),
        ("fine", (1280, 720), (0, 0, 1280, 720), (960, 540)),
        ("fine", (672, 376), (0, 0, 672, 376), (672, 376)),
        ("fine", (960, 544), (0, 0, 960, 544), (960, 544)),
    ],
)
def test_a_view_of_a_known_frame(
    view: View, frame: Tuple[int, int], crop: Tuple[int, int, int, int], scaled: Tuple[int, int]
) -> None:
    geometry = view_geometry(view, *frame)
    assert (geometry.crop_left, geometry.crop_top, geometry.crop_width, geometry.crop_height) == crop
    assert (geometry.scaled_width, geometry.scaled_height) == scaled
    assert (geometry.input_height, geometry.input_width) == INPUT_SIZES[view]
    assert (geometry.frame_width, geometry.frame_height) == frame


@given(view=views, frame=frames, u=places, v=places)
def test_there_and_back_is_the_same_place(view: View, frame: Tuple[int, int], u: float, v: float) -> None:
    geometry = view_geometry(view, *frame)
    assert geometry.to_frame(*geometry.to_input(u, v)) == pytest.approx((u, v), abs=1e-6)
    assert geometry.to_input(*geometry.to_frame(u, v)) == pytest.approx((u, v), abs=1e-6)


@given(view=views, frame=frames)
def test_the_borders_of_the_crop_are_the_borders_of_the_scaled_picture(view: View, frame: Tuple[int, int]) -> None:
    geometry = view_geometry(view, *frame)
    # A pixel reaches half a pixel around its centre.
    left, top = geometry.to_frame(-0.5, -0.5)
    right, bottom = geometry.to_frame(geometry.scaled_width - 0.5, geometry.scaled_height - 0.5)
    assert (left, top) == pytest.approx((geometry.crop_left - 0.5, geometry.crop_top - 0.5))
    assert right - left == pytest.approx(geometry.crop_width)
    assert bottom - top == pytest.approx(geometry.crop_height)


# As wide as the input, it would be less than a pixel too high.
@example(view="full", frame=(962, 578))
@given(view=views, frame=frames)
def test_crops_are_even_lie_in_the_frame_and_keep_their_shape(view: View, frame: Tuple[int, int]) -> None:
    geometry = view_geometry(view, *frame)
    crop = (geometry.crop_left, geometry.crop_top, geometry.crop_width, geometry.crop_height)
    assert all(number % 2 == 0 and number >= 0 for number in crop)
    assert geometry.crop_left + geometry.crop_width <= frame[0]
    assert geometry.crop_top + geometry.crop_height <= frame[1]
    exact = min(geometry.input_width / geometry.crop_width, geometry.input_height / geometry.crop_height)
    if view == "fine":
        exact = min(exact, 1.0)
    # Truncated to whole pixels, so each side lacks less than one (and the product above is rounded).
    assert -1e-9 <= exact * geometry.crop_width - geometry.scaled_width < 1
    assert -1e-9 <= exact * geometry.crop_height - geometry.scaled_height < 1


@given(frame=frames)
def test_centre_is_in_the_middle(frame: Tuple[int, int]) -> None:
    geometry = view_geometry("centre", *frame)
    assert abs(geometry.crop_left + geometry.crop_width / 2 - frame[0] / 2) <= 2
    assert abs(geometry.crop_top + geometry.crop_height / 2 - frame[1] / 2) <= 2


@given(frame=frames)
def test_fine_is_never_enlarged(frame: Tuple[int, int]) -> None:
    geometry = view_geometry("fine", *frame)
    assert geometry.scale_x >= 1
    assert geometry.scale_y >= 1


@given(frame=frames)
def test_a_whole_picture_has_its_longest_side_and_room_for_the_network(frame: Tuple[int, int]) -> None:
    geometry = whole_picture(*frame)
    assert max(geometry.scaled_width, geometry.scaled_height) == 320
    assert geometry.input_width % 32 == geometry.input_height % 32 == 0
    assert 0 <= geometry.input_width - geometry.scaled_width < 32
    assert 0 <= geometry.input_height - geometry.scaled_height < 32
    assert (geometry.crop_width, geometry.crop_height) == frame
    # The aspect ratio is kept to the rounding of the shorter side, 20 pixels at the least.
    assert geometry.scale_x == pytest.approx(geometry.scale_y, rel=0.03)


def test_a_whole_picture_takes_another_size() -> None:
    geometry = whole_picture(1000, 500, longest=960, multiple=64)
    assert (geometry.scaled_width, geometry.scaled_height) == (960, 480)
    assert (geometry.input_width, geometry.input_height) == (960, 512)


@pytest.mark.parametrize("view", sorted(INPUT_SIZES))
@pytest.mark.parametrize("frame", [(1920, 1080), (1280, 720), (672, 376)])
def test_a_spot_in_a_resampled_picture_is_found_where_it_was(view: View, frame: Tuple[int, int]) -> None:
    """OpenCV scales a real picture as the mapping says, to a few hundredths of a pixel."""
    width, height = frame
    geometry = view_geometry(view, width, height)
    u, v = width / 2 + 31.3, height / 2 - 17.8
    columns, rows = np.arange(width), np.arange(height)[:, None]
    picture = (255 * np.exp(-((columns - u) ** 2 + (rows - v) ** 2) / (2 * 12.0**2))).astype(np.float32)
    crop = picture[geometry.crop_top :, geometry.crop_left :][: geometry.crop_height, : geometry.crop_width]
    size = (geometry.scaled_width, geometry.scaled_height)
    scaled = cv2.resize(crop, size, interpolation=cv2.INTER_AREA if geometry.scale_x >= 1 else cv2.INTER_LINEAR)
    mass = scaled.sum()
    spot_u = float((scaled.sum(axis=0) * np.arange(size[0])).sum() / mass)
    spot_v = float((scaled.sum(axis=1) * np.arange(size[1])).sum() / mass)
    assert geometry.to_frame(spot_u, spot_v) == pytest.approx((u, v), abs=0.05)


def test_arrays_map_as_numbers_do() -> None:
    geometry = view_geometry("full", 672, 376)
    u, v = np.array([0.0, 12.5, 479.0]), np.array([3.0, 100.25, 267.0])
    mapped_u, mapped_v = geometry.to_frame(u, v)
    one_by_one = [geometry.to_frame(float(a), float(b)) for a, b in zip(u, v)]
    assert list(zip(mapped_u.tolist(), mapped_v.tolist())) == one_by_one


def test_padding_is_known() -> None:
    assert view_geometry("full", 1920, 1080).padded
    assert not view_geometry("centre", 1920, 1080).padded


@pytest.mark.parametrize(
    ("view", "width", "height", "told"),
    [
        ("full", 0, 1080, "0 x 1080"),
        ("full", -4, 3, "at least 2"),
        ("fine", 1920, 1, "at least 2"),
        ("full", 20_000, 4, "too narrow"),
        ("wide", 1920, 1080, "centre, full, fine"),
    ],
)
def test_an_impossible_frame_is_refused_and_said_why(view: View, width: int, height: int, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        view_geometry(view, width, height)


def test_an_impossible_still_is_refused() -> None:
    with pytest.raises(ValueError, match="longest=0"):
        whole_picture(640, 480, longest=0)


@pytest.mark.parametrize(
    ("part", "value", "told"),
    [
        ("crop_left", 1026, "does not lie in a frame of width 1920"),
        ("crop_top", -2, "does not lie in a frame of height 1080"),
        ("scaled_height", 225, "must be 1..224"),
    ],
)
def test_a_geometry_cannot_contradict_itself(part: str, value: int, told: str) -> None:
    parts = {**vars(view_geometry("centre", 1920, 1080)), part: value}
    with pytest.raises(ValueError, match=told):
        ViewGeometry(**parts)


@given(view=views, frame=frames)
def test_the_crop_is_the_part_of_the_frame_that_is_seen(view: View, frame: Tuple[int, int]) -> None:
    geometry = view_geometry(view, *frame)
    seen = np.empty((frame[1], frame[0]), np.bool_)[geometry.crop]
    assert seen.shape == (geometry.crop_height, geometry.crop_width)
