"""Pictures of any size become 320 x 240, and a spot is where its mapped label says."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from training.data.prepare import HEIGHT, WIDTH, inside, prepare
from training.data.table import Face

SIDE = st.integers(1, 1400)
SHARE = st.floats(0, 1)
SIGMA_PX = 3.0


def spot(width: int, height: int, u: float, v: float, sigma: float) -> NDArray[np.uint8]:
    """A Gaussian spot of 255 on black."""
    across = np.exp(-0.5 * ((np.arange(width) - u) / sigma) ** 2)
    down = np.exp(-0.5 * ((np.arange(height) - v) / sigma) ** 2)
    grey = np.round(255 * np.outer(down, across)).astype(np.uint8)
    return np.ascontiguousarray(np.repeat(grey[..., None], 3, 2))


def centroid(picture: NDArray[np.uint8]) -> tuple[float, float]:
    grey = picture[..., 0].astype(float)
    rows, columns = np.indices(grey.shape)
    return float((grey * columns).sum() / grey.sum()), float((grey * rows).sum() / grey.sum())


@given(SIDE, SIDE, SHARE, SHARE, st.tuples(SHARE, SHARE))
def test_any_picture_becomes_320_x_240_and_keeps_its_first_face(
    width: int, height: int, across: float, down: float, at: tuple[float, float]
) -> None:
    face = Face(across * (width - 1), down * (height - 1), 20, "human")
    picture, faces = prepare(np.full((height, width, 3), 255, np.uint8), [face], at=at)
    assert (picture.shape, str(picture.dtype)) == ((240, 320, 3), "uint8")
    assert len(faces) == 1
    assert inside(faces[0].u, faces[0].v, WIDTH, HEIGHT)
    assert picture[round(faces[0].v), round(faces[0].u)].tolist() == [255, 255, 255]


@given(st.integers(200, 1400), st.integers(150, 1400), SHARE, SHARE, st.tuples(SHARE, SHARE))
def test_a_spot_is_where_its_label_says(
    width: int, height: int, across: float, down: float, at: tuple[float, float]
) -> None:
    scale = min(1.0, max(WIDTH / width, HEIGHT / height))
    sigma = SIGMA_PX / scale
    # The whole spot must be in the picture, or its centroid is not its middle.
    reach = 4.5 * sigma
    assume(width > 2 * reach + 1 and height > 2 * reach + 1)
    u, v = reach + across * (width - 1 - 2 * reach), reach + down * (height - 1 - 2 * reach)
    picture, (face,) = prepare(spot(width, height, u, v, sigma), [Face(u, v, 10 / scale, "human")], at=at)
    assert centroid(picture) == pytest.approx((face.u, face.v), abs=0.2)
    assert face.interocular_px == pytest.approx(10, rel=0.003)


@given(SIDE, SIDE, st.tuples(SHARE, SHARE))
def test_the_aspect_is_kept_to_a_pixel_and_nothing_is_scaled_up(
    width: int, height: int, at: tuple[float, float]
) -> None:
    middle = Face((width - 1) / 2, (height - 1) / 2, 1.0, "human")
    right = Face(middle.u + 0.01, middle.v, 1.0, "human")
    below = Face(middle.u, middle.v + 0.01, 1.0, "human")
    _, faces = prepare(np.zeros((height, width, 3), np.uint8), [middle, right, below], at=at)
    assume(len(faces) == 3)
    across, down = (faces[1].u - faces[0].u) / 0.01, (faces[2].v - faces[0].v) / 0.01
    assert max(across, down) <= 1 + 1e-6
    assert abs(across / down - 1) <= 1 / HEIGHT
    assert faces[0].interocular_px == pytest.approx(math.sqrt(across * down))


@given(st.integers(640, 1400), st.integers(241, 1400), st.tuples(SHARE, SHARE))
def test_a_point_keeps_the_margin_from_every_cut(width: int, height: int, at: tuple[float, float]) -> None:
    _, (face,) = prepare(np.zeros((height, width, 3), np.uint8), [Face(width / 2, height / 2, 9, "human")], at=at)
    assert 16 <= face.u <= WIDTH - 1 - 16
    assert 16 <= face.v <= HEIGHT - 1 - 16


def test_a_small_picture_is_padded_right_and_below_and_its_labels_stay() -> None:
    face = Face(10.25, 20.5, 7, "human")
    picture, faces = prepare(np.full((100, 200, 3), 9, np.uint8), [face])
    assert faces == (face,)
    assert picture[:100, :200].min() == 9
    assert picture[100:].max() == picture[:, 200:].max() == 0


def test_a_wide_low_picture_is_cut_and_padded() -> None:
    picture, faces = prepare(np.full((100, 900, 3), 9, np.uint8), [Face(800, 50, 7, "human")], at=(0.0, 0.0))
    assert picture[:100].min() == 9
    assert picture[100:].max() == 0
    # The farthest left that keeps the point 16 px from the cut.
    assert [(f.u, f.v) for f in faces] == [(WIDTH - 1 - 16, 50)]


def test_faces_that_are_cut_off_are_gone() -> None:
    faces = [Face(50, 50, 7, "human"), Face(850, 50, 7, "teacher")]
    _, left = prepare(np.zeros((240, 900, 3), np.uint8), faces)
    assert [face.marked_by for face in left] == ["human"]


@pytest.mark.parametrize(("at", "left"), [((0.0, 0.5), 0), ((1.0, 0.5), 580)])
def test_a_negative_is_cut_anywhere(at: tuple[float, float], left: int) -> None:
    columns = np.arange(900, dtype=np.uint16).astype(np.uint8)
    original = np.broadcast_to(columns[None, :, None], (240, 900, 3)).copy()
    picture, faces = prepare(original, [], at=at)
    assert faces == ()
    assert np.array_equal(picture, original[:, left : left + 320])
