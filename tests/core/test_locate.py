"""From a heat map to keypoints of the full picture, or the reason why nobody is listed."""

from functools import partial
from typing import Callable, Tuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.core.locate import locate as locate_drawn
from nasion.core.locate import reason_for
from nasion.core.results import FrameReason
from nasion.core.views import INPUT_SIZES, ViewGeometry, view_geometry
from nasion.settings import View
from numpy.typing import NDArray

Map = NDArray[np.float32]
Blob = Callable[..., Map]

#: Standard deviation of the Gaussian that the maps here are drawn with, network pixels.
DRAWN_SIGMA_PX = 4.0
locate = partial(locate_drawn, drawn_sigma_px=DRAWN_SIGMA_PX)


def heat_of(blob: Blob, geometry: ViewGeometry, stride: int, u: float, v: float, height: float = 0.95) -> Map:
    """What a perfect network draws for a face at frame pixel (u, v)."""
    input_u, input_v = geometry.to_input(u, v)
    shape = (geometry.input_height // stride, geometry.input_width // stride)
    x, y = ((place + 0.5) / stride - 0.5 for place in (input_u, input_v))
    return blob(shape, x, y, sigma=DRAWN_SIGMA_PX / stride, height=height)


@given(
    view=st.sampled_from(sorted(INPUT_SIZES)),
    frame=st.sampled_from([(1920, 1080), (1280, 720), (2208, 1242), (672, 376), (641, 481)]),
    stride=st.sampled_from([1, 2, 4]),
    where=st.tuples(st.floats(0.1, 0.9), st.floats(0.1, 0.9)),
)
def test_a_face_anywhere_in_view_is_found_where_it_is(
    blob: Blob, view: View, frame: Tuple[int, int], stride: int, where: Tuple[float, float]
) -> None:
    geometry = view_geometry(view, *frame)
    u = geometry.crop_left + where[0] * (geometry.crop_width - 1)
    v = geometry.crop_top + where[1] * (geometry.crop_height - 1)
    located = locate(heat_of(blob, geometry, stride, u, v), geometry, stride, threshold=0.6, max_persons=1)
    (keypoint,) = located.keypoints
    # A hundredth of a network pixel.
    tolerance = 0.01 * max(geometry.scale_x, geometry.scale_y)
    assert (keypoint.u, keypoint.v) == pytest.approx((u, v), abs=tolerance)
    assert located.reason is None
    assert located.peak == keypoint.probability


@pytest.mark.parametrize(
    ("height", "threshold", "listed", "reason"),
    [
        (0.29, 0.7, 0, FrameReason.NO_FACE),
        (0.31, 0.7, 0, FrameReason.LOW_PROBABILITY),
        (0.69, 0.7, 0, FrameReason.LOW_PROBABILITY),
        (0.71, 0.7, 1, None),
        # Whoever asks for less than 0.3 gets it.
        (0.25, 0.2, 1, None),
        (0.15, 0.2, 0, FrameReason.NO_FACE),
    ],
)
def test_nobody_listed_has_a_reason(
    blob: Blob, height: float, threshold: float, listed: int, reason: FrameReason
) -> None:
    geometry = view_geometry("full", 1920, 1080)
    # Pixel (961.5, 541.5) is the middle of a cell, so the map reaches the full height.
    heat = heat_of(blob, geometry, 2, 963.5, 539.5, height)
    located = locate(heat, geometry, 2, threshold=threshold, max_persons=1)
    assert (len(located.keypoints), located.reason) == (listed, reason)
    assert located.peak == pytest.approx(height, abs=1e-3)


@pytest.mark.parametrize(
    ("peak", "reason"), [(0.0, "no_face"), (0.2999, "no_face"), (0.3, "low_probability"), (0.99, "low_probability")]
)
def test_the_reason_is_told_by_the_peak(peak: float, reason: str) -> None:
    assert reason_for(peak).value == reason


def test_several_persons_strongest_first(blob: Blob) -> None:
    geometry = view_geometry("full", 1280, 720)
    faces = [(300.0, 200.0, 0.8), (900.0, 300.0, 0.95), (600.0, 600.0, 0.7)]
    heat = np.max([heat_of(blob, geometry, 2, *face) for face in faces], axis=0)
    located = locate(heat, geometry, 2, threshold=0.6, max_persons=2)
    assert [round(keypoint.u) for keypoint in located.keypoints] == [900, 300]
    assert len(locate(heat, geometry, 2, threshold=0.6, max_persons=8).keypoints) == 3


def test_a_face_in_the_padding_is_nobody(blob: Blob) -> None:
    """Below the 270 rows of the picture the input is black: what the network draws there is no person."""
    geometry = view_geometry("full", 1920, 1080)
    beneath = heat_of(blob, geometry, 2, 960.0, 1140.0)
    located = locate(beneath, geometry, 2, threshold=0.6, max_persons=3)
    assert located.keypoints == ()
    assert located.peak is not None
    assert located.peak < 0.1
    # And it does not hide a real one.
    both = np.maximum(beneath, heat_of(blob, geometry, 2, 400.0, 300.0, 0.8))
    (keypoint,) = locate(both, geometry, 2, threshold=0.6, max_persons=1).keypoints
    assert (keypoint.u, keypoint.v) == pytest.approx((400, 300), abs=0.1)


@pytest.mark.parametrize(
    ("view", "corner", "within"),
    [("full", (1921.5, 1082.0), (1919, 1079)), ("full", (-1.5, -2.0), (0, 0)), ("centre", (510.0, 90.0), (512, 92))],
)
def test_a_face_on_the_border_stays_on_the_picture(
    blob: Blob, view: View, corner: Tuple[float, float], within: Tuple[int, int]
) -> None:
    geometry = view_geometry(view, 1920, 1080)
    located = locate(heat_of(blob, geometry, 2, *corner), geometry, 2, threshold=0.6, max_persons=1)
    assert [(keypoint.u, keypoint.v) for keypoint in located.keypoints] == [within]


def test_the_spread_of_the_place_is_what_the_blob_has_beyond_the_drawn_one(blob: Blob) -> None:
    geometry = view_geometry("full", 1920, 1080)

    def sigma(blob_sigma_cells: float, drawn_sigma_px: float = DRAWN_SIGMA_PX) -> float:
        heat = blob((144, 240), 100.0, 60.0, sigma=blob_sigma_cells)
        located = locate(heat, geometry, 2, threshold=0.6, max_persons=1, drawn_sigma_px=drawn_sigma_px)
        (keypoint,) = located.keypoints
        assert keypoint.sigma_u == pytest.approx(keypoint.sigma_v)
        return keypoint.sigma_u / geometry.scale_x

    # Drawn: 4 network pixels, two cells. A place is never surer than one network pixel.
    assert sigma(1.5) == sigma(1.9) == pytest.approx(1.0)
    assert sigma(2.0) == pytest.approx(1.0, abs=0.01)
    assert sigma(2.5) == pytest.approx(10**0.5, abs=0.01)
    # A model that was taught another width says so.
    assert sigma(2.5, drawn_sigma_px=5.0) == pytest.approx(1.0, abs=0.01)


def test_a_model_without_clip_is_at_most_certain(blob: Blob) -> None:
    geometry = view_geometry("centre", 1280, 720)
    heat = heat_of(blob, geometry, 2, 640.0, 360.0) * np.float32(1.2)
    (keypoint,) = locate(heat, geometry, 2, threshold=0.6, max_persons=1).keypoints
    assert keypoint.probability == 1.0


@pytest.mark.parametrize("shape", [(112, 112), (240, 144), (288, 480), (1, 144, 240)])
def test_a_heat_map_of_another_shape_is_refused(shape: Tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"stride 2 give \(144, 240\)"):
        locate(np.zeros(shape, np.float32), view_geometry("full", 1280, 720), 2, threshold=0.6, max_persons=1)
