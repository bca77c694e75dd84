"""Crops: the keypoint follows the picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.data.augment import CropRange, apply_affine, backdrop, random_affine, warp
from training.data.table import Face


def picture_with_spot(u: float, v: float, sigma: float) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """240 x 320 picture, dark but for a Gaussian spot centred on (u, v)."""
    columns, rows = np.meshgrid(np.arange(320), np.arange(240))
    spot = np.exp(-0.5 * ((columns - u) ** 2 + (rows - v) ** 2) / sigma**2)
    return np.repeat((spot * 255).astype(np.uint8)[..., None], 3, axis=2)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), u=st.floats(60, 260), v=st.floats(60, 180))
def test_the_keypoint_follows_every_crop(seed: int, u: float, v: float) -> None:
    rng = np.random.default_rng(seed)
    face = Face(u, v, 20.0, "human")
    affine = random_affine(rng, (240, 320), [face], 160, CropRange())
    scale = np.sqrt(abs(np.linalg.det(affine[:, :2])))
    crop = warp(rng, picture_with_spot(u, v, sigma=2 + 2 / scale), affine, 160)
    (expected,) = apply_affine(affine, np.array([[u, v]]))
    if not (20 < expected[0] < 140 and 20 < expected[1] < 140):
        return  # too near the crop's edge for its centre of mass to be its centre
    columns, rows = np.meshgrid(np.arange(160), np.arange(160))
    near = np.hypot(columns - expected[0], rows - expected[1]) < 4 * (2 * scale + 2)
    weight = np.where(near, crop[..., 0].astype(float), 0)
    found = np.array([(weight * columns).sum(), (weight * rows).sum()]) / weight.sum()
    assert np.hypot(*(found - expected)) < 0.15


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), eyes=st.floats(3.5, 140))
def test_a_face_stays_inside_the_crop_and_is_not_smaller_than_asked(seed: int, eyes: float) -> None:
    reach = CropRange()
    rng = np.random.default_rng(seed)
    affine = random_affine(rng, (240, 320), [Face(100, 80, eyes, "human")], 160, reach)
    ((u, v),) = apply_affine(affine, np.array([[100.0, 80.0]]))
    assert min(u, v) >= 0.08 * 160 - 1e-6
    assert max(u, v) <= 0.92 * 160 + 1e-6
    assert np.sqrt(abs(np.linalg.det(affine[:, :2]))) * eyes >= reach.eye_distance[0] - 1e-6


def test_far_people_have_their_eyes_as_close_as_asked() -> None:
    reach = CropRange(own_scale=0.0, far=1.0, far_eye_distance=(4.0, 6.0))
    for seed in range(50):
        affine = random_affine(np.random.default_rng(seed), (240, 320), [Face(100, 80, 30, "human")], 160, reach)
        assert 4.0 <= np.sqrt(abs(np.linalg.det(affine[:, :2]))) * 30 <= 6.0


@pytest.mark.parametrize(("vertical", "upright"), [(0.0, {True}), (0.5, {True, False})])
def test_people_hang_from_the_ceiling_only_where_asked(vertical: float, upright: set[bool]) -> None:
    reach = CropRange(flip_vertical=vertical, rotation_deg=0)
    face = Face(100, 80, 30, "human")
    crops = [random_affine(np.random.default_rng(seed), (240, 320), [face], 160, reach) for seed in range(40)]
    assert {bool(affine[1, 1] > 0) for affine in crops} == upright
    assert {bool(affine[0, 0] > 0) for affine in crops} == {True, False}


def test_outside_is_zero_or_the_backdrop() -> None:
    rng = np.random.default_rng(0)
    picture = np.full((50, 50, 3), 200, np.uint8)
    affine = np.array([[1.0, 0, 0], [0, 1, 0]])
    assert warp(rng, picture, affine, 100)[80, 80].tolist() == [0, 0, 0]
    behind = backdrop(rng, np.full((60, 300, 3), 90, np.uint8), 100)
    crop = warp(rng, picture, affine, 100, behind)
    assert crop[80, 80].tolist() == [90, 90, 90]
    assert crop[20, 20].tolist() == [200, 200, 200]


@pytest.mark.parametrize("shape", [(40, 300), (300, 40), (160, 160), (20, 20)])
def test_a_backdrop_fills_its_square_from_any_shape(shape: tuple[int, int]) -> None:
    picture = np.full((*shape, 3), 7, np.uint8)
    assert backdrop(np.random.default_rng(1), picture, 160).shape == (160, 160, 3)
