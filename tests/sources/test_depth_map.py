"""Patches of a depth map: as the camera gave it, classed by the limits, unknown outside."""

import numpy as np
import pytest
from nasion.settings import DepthSettings
from nasion.sources.depth_map import DepthMap
from numpy.typing import NDArray

NAN, INF = float("nan"), float("inf")


def ramp() -> NDArray[np.float32]:
    """Row r, column c holds 1 + r + c / 100."""
    return (1 + np.arange(6)[:, None] + np.arange(9)[None, :] / 100).astype(np.float32)


def test_a_patch_holds_the_pixels_around_the_point() -> None:
    depth = DepthMap(ramp(), DepthSettings())
    assert np.array_equal(depth.patch(4.4, 2.6, 3), ramp()[2:5, 3:6])
    assert np.array_equal(depth.patch(3.5, 2.5, 1), ramp()[3:4, 4:5])


@pytest.mark.parametrize(("u", "v"), [(0, 0), (8, 5), (0, 3), (4, 0), (8, 2)])
def test_pixels_outside_are_unknown(u: int, v: int) -> None:
    patch = DepthMap(ramp(), DepthSettings()).patch(u, v, 5)
    rows, columns = np.mgrid[v - 2 : v + 3, u - 2 : u + 3]
    inside = (rows >= 0) & (rows < 6) & (columns >= 0) & (columns < 9)
    assert np.array_equal(np.isfinite(patch), inside)
    assert patch[inside].tolist() == ramp()[rows[inside], columns[inside]].tolist()


@pytest.mark.parametrize(("u", "v"), [(-50, 2), (50, 2), (4, -50), (4, 50), (1e7, -1e7)])
def test_a_point_far_outside_is_unknown_altogether(u: float, v: float) -> None:
    patch = DepthMap(ramp(), DepthSettings()).patch(u, v, 5)
    assert patch.shape == (5, 5)
    assert np.isnan(patch).all()


@pytest.mark.parametrize(
    ("given", "classed"),
    [(2.5, 2.5), (0.3, -INF), (12.0, INF), (0.0, NAN), (-1.0, NAN), (NAN, NAN), (INF, INF), (-INF, -INF)],
)
def test_values_are_metres_or_one_of_three_non_numbers(given: float, classed: float) -> None:
    patch = DepthMap(np.full((3, 3), given, np.float32), DepthSettings()).patch(1, 1, 3)
    assert np.array_equal(patch, np.full((3, 3), classed, np.float32), equal_nan=True)


def test_the_map_itself_is_left_as_it_was() -> None:
    values = np.zeros((5, 5), np.float32)
    DepthMap(values, DepthSettings()).patch(2, 2, 5)
    assert not values.any()
