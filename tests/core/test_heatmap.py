"""Made heat maps: blobs at known places are found there, to a fraction of a cell, one peak each."""

from functools import partial
from typing import Any, Callable, List

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.core import heatmap
from nasion.core.heatmap import Peak
from numpy.typing import NDArray

Map = NDArray[np.float32]
Blob = Callable[..., Map]

SHAPE = (40, 48)

#: As a network of stride 2 was taught: a Gaussian of 4 pixels.
find_peaks = partial(heatmap.find_peaks, drawn_sigma=2.0)


def errors(blob: Blob, sigma: float, height: float, noise: float) -> List[float]:
    """Distances in cells from the truth, of the strongest peak of 200 made maps."""
    rng = np.random.default_rng(7)
    distances = []
    for _ in range(200):
        x, y = rng.uniform(10, 30, 2)
        (peak,) = find_peaks(
            blob(SHAPE, x, y, sigma=sigma, height=height, noise=noise, rng=rng), max_peaks=1, minimum=0.3
        )
        distances.append(float(np.hypot(peak.x - x, peak.y - y)))
    return distances


@pytest.mark.parametrize("height", [0.5, 0.8, 1.0, 1.1, 1.5])
def test_a_clean_gaussian_is_found_exactly_also_when_it_is_clipped(blob: Blob, height: float) -> None:
    assert max(errors(blob, 2.0, height, noise=0.0)) < 0.001


@pytest.mark.parametrize("sigma", [1.5, 2.0, 3.0])
@pytest.mark.parametrize("height", [0.9, 1.0, 1.2])
def test_in_noise_half_the_places_are_within_a_twentieth_of_a_cell(blob: Blob, sigma: float, height: float) -> None:
    distances = errors(blob, sigma, height, noise=0.02)
    assert np.median(distances) < 0.05
    assert max(distances) < 0.25


@pytest.mark.parametrize(("drawn_sigma", "within"), [(1.0, 0.1), (2.0, 0.05), (4.0, 0.1)])
def test_the_fit_looks_as_far_as_the_network_draws(blob: Blob, drawn_sigma: float, within: float) -> None:
    """Strides 4, 2 and 1: a second, weaker face 3.5 standard deviations away pulls the first one little."""
    rng = np.random.default_rng(5)
    distances = []
    for _ in range(100):
        x, y = rng.uniform(15, 25, 2)
        faces = np.maximum(
            blob(SHAPE, x, y, sigma=drawn_sigma, height=0.9),
            blob(SHAPE, x + 3.5 * drawn_sigma, y, sigma=drawn_sigma, height=0.8),
        )
        (peak,) = heatmap.find_peaks(faces, max_peaks=1, minimum=0.3, drawn_sigma=drawn_sigma)
        distances.append(float(np.hypot(peak.x - x, peak.y - y)))
    assert np.median(distances) < within


def test_the_width_of_a_blob_is_told(blob: Blob) -> None:
    heat = np.maximum(blob(SHAPE, 20.3, 15.8, height=0.9), 0)
    heat = np.sqrt(heat * blob(SHAPE, 20.3, 15.8, sigma=3.0, height=0.9))
    (round_peak,) = find_peaks(heat, max_peaks=1, minimum=0.3)
    # A product of Gaussians: 2 / sigma² = 1 / 2² + 1 / 3².
    expected = (2 / (1 / 4 + 1 / 9)) ** 0.5
    assert (round_peak.sigma_x, round_peak.sigma_y) == pytest.approx((expected, expected), rel=1e-3)
    columns, rows = np.arange(48), np.arange(40)[:, None]
    oblong = np.exp(-((columns - 20.0) ** 2) / (2 * 2.0**2) - (rows - 15.0) ** 2 / (2 * 4.0**2)).astype(np.float32)
    (peak,) = find_peaks(oblong, max_peaks=1, minimum=0.3)
    assert (peak.sigma_x, peak.sigma_y) == pytest.approx((2.0, 4.0), rel=1e-3)


def test_value_is_the_highest_cell(blob: Blob) -> None:
    heat = blob(SHAPE, 20.5, 15.5, height=0.8)
    (peak,) = find_peaks(heat, max_peaks=1, minimum=0.3)
    assert peak.value == float(heat.max())


@pytest.mark.parametrize(
    ("rows", "columns", "middle"),
    [
        (slice(10, 13), slice(20, 23), (21.0, 11.0)),
        (slice(10, 12), slice(20, 22), (20.5, 10.5)),
        (slice(5, 25), slice(10, 40), (24.5, 14.5)),
        (slice(0, 2), slice(46, 48), (46.5, 0.5)),
        (slice(7, 8), slice(7, 8), (7.0, 7.0)),
    ],
)
def test_a_bare_plateau_gives_its_middle(rows: slice, columns: slice, middle: Any) -> None:
    heat = np.zeros(SHAPE, np.float32)
    heat[rows, columns] = 0.9
    peaks = find_peaks(heat, max_peaks=4, minimum=0.3)
    assert [(peak.x, peak.y) for peak in peaks] == [middle]


@pytest.mark.parametrize(
    ("height", "cells", "error"),
    # The fit needs the flanks; of a plateau as large as its window only the middle is known, to the cell's raster.
    [(1.05, 4, 0.001), (1.5, 20, 0.001), (2.5, 50, 0.25)],
)
def test_the_plateau_of_a_saturated_face_gives_its_middle(blob: Blob, height: float, cells: int, error: float) -> None:
    heat = blob(SHAPE, 20.4, 15.7, sigma=3.0, height=height)
    assert np.count_nonzero(heat == 1) >= cells
    (peak,) = find_peaks(heat, max_peaks=3, minimum=0.3)
    assert (peak.x, peak.y) == pytest.approx((20.4, 15.7), abs=error)


def test_a_map_of_one_value_has_its_peak_in_the_middle() -> None:
    (peak,) = find_peaks(np.full((9, 21), 0.6, np.float32), max_peaks=5, minimum=0.5)
    assert (peak.x, peak.y, peak.value) == pytest.approx((10.0, 4.0, 0.6))


@pytest.mark.parametrize(
    ("x", "y"), [(0.0, 0.0), (-0.4, 20.0), (0.3, 0.2), (46.8, 39.4), (47.0, 20.5), (20.0, -0.2), (47.45, 0.0)]
)
@pytest.mark.parametrize("height", [0.8, 1.2])
def test_half_a_blob_at_the_edge_is_enough(blob: Blob, x: float, y: float, height: float) -> None:
    (peak,) = find_peaks(blob(SHAPE, x, y, height=height), max_peaks=3, minimum=0.3)
    assert (peak.x, peak.y) == pytest.approx((x, y), abs=0.05)


@given(
    x=st.floats(-3, 50),
    y=st.floats(-3, 42),
    sigma=st.floats(0.3, 8),
    height=st.floats(0.35, 3),
    seed=st.integers(0, 99),
)
def test_a_peak_lies_on_the_map_near_its_highest_cell(
    blob: Blob, x: float, y: float, sigma: float, height: float, seed: int
) -> None:
    heat = blob(SHAPE, x, y, sigma=sigma, height=height, noise=0.01, rng=np.random.default_rng(seed))
    for peak in find_peaks(heat, max_peaks=1, minimum=0.0):
        assert -0.5 <= peak.x <= 47.5
        assert -0.5 <= peak.y <= 39.5
        assert peak.sigma_x > 0
        assert peak.sigma_y > 0
        rows, columns = np.nonzero(heat == heat.max())
        assert columns.min() - 3 <= peak.x <= columns.max() + 3
        assert rows.min() - 3 <= peak.y <= rows.max() + 3


@pytest.mark.parametrize("second", [1.0, 0.7, 0.55])
@pytest.mark.parametrize(("dx", "dy"), [(6.2, 0), (0, 6.2), (4.5, 4.5), (-5, 5), (14, -3), (26, 20)])
def test_two_faces_give_two_peaks_the_stronger_first(blob: Blob, second: float, dx: float, dy: float) -> None:
    rng = np.random.default_rng(3)
    faces = np.maximum(blob(SHAPE, 16.0, 14.3), blob(SHAPE, 16.0 + dx, 14.3 + dy, height=second))
    heat = np.clip(faces + 0.01 * rng.standard_normal(SHAPE), 0, 1).astype(np.float32)
    first, other = find_peaks(heat, max_peaks=5, minimum=0.4)
    assert first.value >= other.value
    first_place, other_place = (first.x, first.y), (other.x, other.y)
    if second == 1 and abs(first.x - 16.0) + abs(first.y - 14.3) > 3:  # Of equal faces, either may come first.
        first_place, other_place = other_place, first_place
    # A stronger neighbour three standard deviations away pulls a little.
    assert first_place == pytest.approx((16.0, 14.3), abs=0.2)
    assert other_place == pytest.approx((16.0 + dx, 14.3 + dy), abs=0.4)


@pytest.mark.parametrize(("sigma", "height", "noise"), [(2, 0.8, 0.05), (2, 1.3, 0.05), (4, 0.9, 0.03), (1, 0.9, 0.02)])
def test_one_noisy_face_gives_one_peak(blob: Blob, sigma: float, height: float, noise: float) -> None:
    rng = np.random.default_rng(11)
    for _ in range(50):
        x, y = rng.uniform(10, 30, 2)
        heat = blob(SHAPE, x, y, sigma=sigma, height=height, noise=noise, rng=rng)
        assert len(find_peaks(heat, max_peaks=5, minimum=0.4)) == 1


def test_no_more_peaks_than_asked_for_and_none_below_the_minimum(blob: Blob) -> None:
    places = [(6, 6, 0.95), (6, 30, 0.85), (40, 6, 0.75), (40, 30, 0.65), (23, 18, 0.35)]
    heat = np.max([blob(SHAPE, x, y, height=height) for x, y, height in places], axis=0)

    def found(max_peaks: int, minimum: float) -> List[Any]:
        peaks = find_peaks(heat, max_peaks=max_peaks, minimum=minimum)
        return [(round(peak.x), round(peak.y)) for peak in peaks]

    in_order = [(x, y) for x, y, _ in places]
    assert found(9, 0.3) == in_order
    assert found(9, 0.5) == in_order[:4]
    assert found(2, 0.5) == in_order[:2]
    assert found(1, 0.9) == in_order[:1]
    assert found(9, 0.99) == []
    assert found(0, 0.3) == []


def test_the_strongest_of_many_is_the_strongest_alone(blob: Blob) -> None:
    heat = np.maximum(blob(SHAPE, 10.2, 10.9, height=0.7), blob(SHAPE, 33.3, 20.1, height=1.3))
    alone: List[Peak] = find_peaks(heat, max_peaks=1, minimum=0.3)
    assert find_peaks(heat, max_peaks=4, minimum=0.3)[:1] == alone


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("max_peaks", [1, 3])
def test_a_map_that_is_not_finite_is_an_error_not_an_empty_room(blob: Blob, wrong: float, max_peaks: int) -> None:
    heat = blob(SHAPE, 20.0, 15.0)
    heat[3, 5] = wrong
    with pytest.raises(ValueError, match="NaN or infinity"):
        find_peaks(heat, max_peaks=max_peaks, minimum=0.3)


@pytest.mark.parametrize("shape", [(1, 40, 48), (40,), (0, 48)])
def test_a_map_of_another_shape_is_an_error(shape: Any) -> None:
    with pytest.raises(ValueError, match="shape"):
        find_peaks(np.zeros(shape, np.float32), max_peaks=1, minimum=0.3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 2), (3, 5)])
def test_a_tiny_map_has_a_peak_too(shape: Any) -> None:
    heat = np.zeros(shape, np.float32)
    heat[-1, -1] = 0.8
    (peak,) = find_peaks(heat, max_peaks=2, minimum=0.3)
    assert (peak.x, peak.y) == (shape[1] - 1, shape[0] - 1)


def test_the_map_is_left_as_it_was(blob: Blob) -> None:
    heat = blob(SHAPE, 20.0, 15.0, height=1.5)
    before = heat.copy()
    find_peaks(heat, max_peaks=3, minimum=0.3)
    np.testing.assert_array_equal(heat, before)


def test_a_view_of_a_larger_array_serves_as_well(blob: Blob) -> None:
    """The tensor that the inference hands on may be strided and read-only."""
    padded = np.zeros((60, 70), np.float32)
    padded[:40, :48] = blob(SHAPE, 20.25, 15.5, height=1.2)
    padded.flags.writeable = False
    (peak,) = find_peaks(padded[:40, :48], max_peaks=2, minimum=0.3)
    assert (peak.x, peak.y) == pytest.approx((20.25, 15.5), abs=0.01)


@given(x=st.floats(4, 43), y=st.floats(4, 35), sigma=st.floats(1.2, 3.5), seed=st.integers(0, 99))
def test_the_fit_is_the_least_squares_parabola_through_the_logarithms(
    blob: Blob, x: float, y: float, sigma: float, seed: int
) -> None:
    heat = blob(SHAPE, x, y, sigma=sigma, height=0.9, noise=0.01, rng=np.random.default_rng(seed))
    row, column = divmod(int(heat.argmax()), SHAPE[1])
    rows, columns = np.mgrid[max(row - 3, 0) : min(row + 4, 40), max(column - 3, 0) : min(column + 4, 48)]
    cells = heat[rows, columns].astype(np.float64)
    dx, dy, on = columns - column, rows - row, cells > 0.2 * heat.max()
    weight = (cells * np.exp(-(dx**2 + dy**2) / (4 * 2.5**2)))[on]
    terms = np.stack([np.ones_like(dx), dx, dy, dx**2, dy**2], axis=-1)[on]
    (_, c_x, c_y, c_xx, c_yy), *_ = np.linalg.lstsq(terms * weight[:, None], np.log(cells[on]) * weight, rcond=None)

    (peak,) = find_peaks(heat, max_peaks=1, minimum=0.3)

    assert (peak.x, peak.y) == pytest.approx((column - c_x / (2 * c_xx), row - c_y / (2 * c_yy)), abs=1e-6)
    assert (peak.sigma_x, peak.sigma_y) == pytest.approx(((-2 * c_xx) ** -0.5, (-2 * c_yy) ** -0.5), rel=1e-6)


def test_a_blob_of_two_rows_has_its_peak_at_its_highest_cell() -> None:
    """Through two rows go many parabolas: the fit would give one by chance."""
    heat = np.zeros(SHAPE, np.float32)
    heat[0:2, 9:14] = [[0.4, 0.6, 0.8, 0.6, 0.4], [0.3, 0.5, 0.7, 0.5, 0.3]]

    (peak,) = find_peaks(heat, max_peaks=1, minimum=0.3)

    assert (peak.x, peak.y) == (11, 0)
