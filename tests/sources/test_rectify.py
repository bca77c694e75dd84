"""After rectification a point is on the same row of both pictures, and its disparity is its depth."""

from typing import Tuple

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nasion.sources.lenses import Lens, StereoLenses
from nasion.sources.rectify import Rectifier
from numpy.typing import NDArray

Floats = NDArray[np.float64]
WIDTH, HEIGHT = 320, 240


@st.composite
def stereo_lenses(draw: st.DrawFn) -> StereoLenses:
    """Cameras as they leave a factory: a little distorted, a little turned against each other."""

    def between(low: float, high: float) -> float:
        return draw(st.floats(low, high))

    def lens() -> Lens:
        focal = between(190, 330)
        matrix = [[focal, 0, between(150, 170)], [0, focal * between(0.99, 1.01), between(112, 128)], [0, 0, 1]]
        distortion = [between(-0.2, 0.1), between(-0.05, 0.05), *(between(-0.002, 0.002) for _ in range(2)), 0.0]
        return Lens(np.array(matrix), np.array(distortion))

    turn, _ = cv2.Rodrigues(np.array([between(-0.02, 0.02) for _ in range(3)]))
    translation = np.array([-between(0.05, 0.15), between(-0.002, 0.002), between(-0.002, 0.002)])
    return StereoLenses(WIDTH, HEIGHT, lens(), lens(), np.asarray(turn, np.float64), translation)


def light_at(pixel: Floats) -> NDArray[np.uint8]:
    """A picture of one soft point of light."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    squared = (columns - pixel[0]) ** 2 + (rows - pixel[1]) ** 2
    return np.asarray(np.rint(250 * np.exp(-squared / (2 * 3.0**2))), np.uint8)


def place_of(picture: NDArray[np.uint8]) -> Tuple[float, float]:
    weights = picture.astype(np.float64)
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
    return float((weights * columns).sum() / weights.sum()), float((weights * rows).sum() / weights.sum())


def seen_raw(lens: Lens, point: Floats) -> Floats:
    pixel, _ = cv2.projectPoints(point.reshape(1, 3), np.zeros(3), np.zeros(3), lens.matrix, lens.distortion)
    return np.asarray(pixel, np.float64).reshape(2)


@settings(max_examples=30, deadline=None)
@given(lenses=stereo_lenses(), x=st.floats(-0.1, 0.2), y=st.floats(-0.15, 0.15), z=st.floats(0.8, 4))
def test_a_point_of_light_lands_where_pinhole_and_baseline_say(
    lenses: StereoLenses, x: float, y: float, z: float
) -> None:
    rectifier = Rectifier(lenses)
    camera = rectifier.calibration.left
    point = np.array([x * z, y * z, z])
    left = rectifier.left(light_at(seen_raw(lenses.left, point)))
    right = rectifier.right(
        light_at(seen_raw(lenses.right, lenses.rotation @ point + lenses.translation_m)), slice(0, HEIGHT)
    )
    assume(left.any() and right.any())
    (u, v), (u_right, v_right) = place_of(left), place_of(right)
    columns, rows = (u, u_right), (v, v_right)
    assume(min(*columns, *rows) > 15 and max(columns) < WIDTH - 15 and max(rows) < HEIGHT - 15)
    assert v == pytest.approx(v_right, abs=0.15)
    depth = rectifier.calibration.focal_baseline / (u - u_right)
    back = np.array([(u - camera.cx) / camera.fx * depth, (v - camera.cy) / camera.fy * depth, depth])
    # The rectified camera is turned against the left one, but stands where it stands.
    assert np.linalg.norm(back) == pytest.approx(np.linalg.norm(point), rel=0.03)
    assert rectifier.calibration.baseline_m == pytest.approx(np.linalg.norm(lenses.translation_m))


def test_a_rectification_that_is_given_is_used() -> None:
    lens = Lens(np.array([[200.0, 0, 160], [0, 200, 120], [0, 0, 1]]), np.zeros(5))
    project = np.array([[100.0, 0, 150, 0], [0, 100, 110, 0], [0, 0, 1, 0]])
    lenses = StereoLenses(
        WIDTH, HEIGHT, lens, lens, np.eye(3), np.array([-0.12, 0, 0]), (np.eye(3), np.eye(3), project)
    )
    rectifier = Rectifier(lenses)
    camera = rectifier.calibration.left
    assert (camera.fx, camera.fy, camera.cx, camera.cy) == (100, 100, 150, 110)
    # Seen half as large, about the new centre.
    assert place_of(rectifier.left(light_at(np.array([200.0, 140.0])))) == pytest.approx((170, 120), abs=0.1)


def test_rows_of_the_right_picture_are_those_of_the_whole() -> None:
    lens = Lens(np.array([[250.0, 0, 161], [0, 250, 119], [0, 0, 1]]), np.array([-0.1, 0.02, 0, 0, 0]))
    rectifier = Rectifier(StereoLenses(WIDTH, HEIGHT, lens, lens, np.eye(3), np.array([-0.12, 0, 0])))
    picture = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    whole = rectifier.right(picture, slice(0, HEIGHT))
    assert whole.shape == picture.shape
    assert np.array_equal(rectifier.right(picture, slice(30, 90)), whole[30:90])
    # Both eyes are alike here, so they are rectified alike.
    assert np.array_equal(rectifier.left(picture), whole)
