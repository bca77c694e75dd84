"""What the network sees of a picture: its crop, in its size, every pixel counted, nothing moved."""

from typing import Tuple

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from nasion.core.scaling import scaled_crop
from nasion.core.views import ViewGeometry, view_geometry, whole_picture
from numpy.typing import NDArray

views = st.sampled_from(["centre", "full", "fine"])
frames = st.tuples(st.integers(16, 700), st.integers(16, 400))
#: Cameras' sizes, and such as can only be enlarged or have odd parts.
SIZES = [(2208, 1242), (1920, 1080), (1280, 720), (672, 376), (640, 480), (320, 180), (641, 361)]


def noise(width: int, height: int, channels: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(width + height).integers(0, 256, (height, width, channels), np.uint8)


def geometry_of(view: str, frame: Tuple[int, int]) -> ViewGeometry:
    try:
        return view_geometry(view, *frame)  # type: ignore[arg-type]
    except ValueError:
        assume(False)
        raise


@given(view=views, frame=frames)
def test_it_has_the_size_that_the_view_says(view: str, frame: Tuple[int, int]) -> None:
    geometry = geometry_of(view, frame)

    scaled = scaled_crop(noise(*frame), geometry)

    assert scaled.shape == (geometry.scaled_height, geometry.scaled_width, 3)
    assert scaled.dtype == np.uint8


@pytest.mark.parametrize("view", ["centre", "full", "fine"])
@pytest.mark.parametrize("size", SIZES)
def test_a_place_stays_where_the_geometry_says(view: str, size: Tuple[int, int]) -> None:
    """A ramp has its place as its value, across and down."""
    geometry = geometry_of(view, size)
    width, height = size
    across, down = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    ramps = np.stack((across, down, down), axis=-1).round().astype(np.uint8)

    scaled = scaled_crop(ramps, geometry, "BGR").astype(np.float64)

    rows, columns = np.mgrid[1 : geometry.scaled_height - 1, 1 : geometry.scaled_width - 1]
    u, v = geometry.to_frame(columns.astype(np.float64), rows.astype(np.float64))
    inner = scaled[1:-1, 1:-1]
    assert np.abs(inner[..., 0] - u * 255 / (width - 1)).max() < 1.5
    assert np.abs(inner[..., 1] - v * 255 / (height - 1)).max() < 1.5


@pytest.mark.parametrize("view", ["centre", "full", "fine"])
@pytest.mark.parametrize("size", SIZES)
def test_no_pixel_of_the_crop_is_left_out(view: str, size: Tuple[int, int]) -> None:
    """One bright row, or column, wherever it lies."""
    geometry = geometry_of(view, size)
    height, width = geometry.crop_height, geometry.crop_width
    for shift in (0, 1, 2, 3, 5, 7, 11, 13):
        row, column = height // 3 + shift, width // 3 + shift
        picture = np.zeros((size[1], size[0], 3), np.uint8)
        picture[geometry.crop][row, :, 0] = 255
        picture[geometry.crop][:, column, 1] = 255

        scaled = scaled_crop(picture, geometry, "BGR")

        assert scaled[:, 0, 0].max() > 0
        assert scaled[0, :, 1].max() > 0


@pytest.mark.parametrize(("size", "view"), [((1920, 1080), "centre"), ((1920, 1080), "full")])
def test_whole_factors_are_averages_over_areas(size: Tuple[int, int], view: str) -> None:
    """But for the rounding of each halving."""
    geometry, picture = geometry_of(view, size), noise(*size)
    at_once = cv2.resize(
        picture[geometry.crop], (geometry.scaled_width, geometry.scaled_height), interpolation=cv2.INTER_AREA
    )

    assert np.abs(scaled_crop(picture, geometry, "BGR").astype(int) - at_once).max() <= 1


@given(view=views, frame=frames)
def test_what_lies_outside_of_the_crop_does_not_matter(view: str, frame: Tuple[int, int]) -> None:
    geometry = geometry_of(view, frame)
    picture = noise(*frame)
    other = np.full_like(picture, 7)
    other[geometry.crop] = picture[geometry.crop]

    assert np.array_equal(scaled_crop(picture, geometry), scaled_crop(other, geometry))


@pytest.mark.parametrize("size", SIZES)
def test_channels_come_in_the_order_asked_for_and_a_fourth_is_left_out(size: Tuple[int, int]) -> None:
    geometry, picture = geometry_of("full", size), noise(*size, channels=4)

    bgr = scaled_crop(picture, geometry, "BGR")

    assert np.array_equal(scaled_crop(picture, geometry, "RGB"), bgr[:, :, ::-1])
    assert np.array_equal(scaled_crop(np.ascontiguousarray(picture[:, :, :3]), geometry, "BGR"), bgr)


def test_a_picture_of_the_right_size_is_seen_as_it_is() -> None:
    picture = noise(320, 240)

    assert np.array_equal(scaled_crop(picture, whole_picture(320, 240), "BGR"), picture)
