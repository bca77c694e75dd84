"""Many correlations at once equal each one alone, and the peak is found between the steps."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nasion.core.correlation import correlate, peak_offset, peaks, slide
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def noise(seed: int, height: int, width: int) -> Floats:
    return np.random.default_rng(seed).normal(120, 30, (height, width)).astype(np.float32)


@settings(max_examples=30, deadline=None)
@given(
    window=st.integers(3, 12),
    down=st.integers(1, 6),
    across=st.integers(1, 6),
    shifts=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_each_window_gets_the_correlation_it_would_get_alone(
    window: int, down: int, across: int, shifts: int, seed: int
) -> None:
    left = noise(seed, window + down - 1, window + across - 1)
    right = noise(seed + 100, window + down - 1, window + across + shifts - 2)
    scores = correlate(left, right, window, least_deviation=1)
    assert scores.shape == (shifts, down, across)
    for k, i, j in np.ndindex(scores.shape):
        one = left[i : i + window, j : j + window].ravel()
        other = right[i : i + window, j + k : j + k + window].ravel()
        assert scores[k, i, j] == pytest.approx(np.corrcoef(one, other)[0, 1], abs=2e-3)


def test_a_window_without_texture_correlates_with_nothing() -> None:
    left = noise(1, 9, 9)
    flat = np.full((9, 11), 200, np.float32)
    assert np.array_equal(correlate(left, flat, 9, least_deviation=1), np.zeros((3, 1, 1)))
    assert np.array_equal(correlate(flat[:, :9], noise(2, 9, 11), 9, least_deviation=1), np.zeros((3, 1, 1)))


@settings(max_examples=40, deadline=None)
@given(height=st.integers(8, 16), window=st.integers(8, 40), more=st.integers(0, 300), seed=st.integers(0, 99))
def test_a_window_slid_along_a_strip_of_any_width_gets_the_correlation_it_would_get_alone(
    height: int, window: int, more: int, seed: int
) -> None:
    """Narrow strips and wide ones are correlated in two ways, with the same result."""
    strip = np.asarray(np.clip(noise(seed, height, window + more), 0, 255), np.uint8)
    seen = 0.7 * strip[:, more // 2 : more // 2 + window] + 20 + noise(seed + 1, height, window) / 9
    template = np.asarray(np.clip(seen, 0, 255), np.uint8)
    scores = slide(template, strip)
    assert scores.shape == (more + 1,)
    alone = [np.corrcoef(template.ravel(), strip[:, at : at + window].ravel())[0, 1] for at in range(more + 1)]
    assert scores.tolist() == pytest.approx(alone, abs=1e-3)


@pytest.mark.parametrize("width", [100, 400])
def test_a_window_of_one_grey_along_a_strip_correlates_with_nothing(width: int) -> None:
    strip = noise(3, 12, width).astype(np.uint8)
    strip[:, 40:70] = 90
    assert slide(strip[:, :12], strip)[42:58] == pytest.approx(0, abs=2e-3)


@given(top=st.floats(1, 3), bend=st.floats(0.01, 1))
def test_the_top_of_a_parabola_is_found_between_the_steps(top: float, bend: float) -> None:
    scores = (0.9 - bend * (np.arange(5) - top) ** 2).astype(np.float32)
    place, score = peaks(scores.reshape(5, 1, 1))
    assert place[0, 0] == pytest.approx(top, abs=1e-3)
    assert score[0, 0] == scores.max()
    at = int(scores.argmax())
    assert at + peak_offset(scores.tolist(), at) == pytest.approx(top, abs=1e-3)


@pytest.mark.parametrize("end", [0, 4])
def test_a_peak_at_the_end_of_the_range_is_no_peak(end: int) -> None:
    scores = np.full((5, 1, 1), 0.2, np.float32)
    scores[end] = 0.9
    place, score = peaks(scores)
    assert np.isnan(place[0, 0])
    assert score[0, 0] == np.float32(0.9)
    assert peak_offset(scores.ravel().tolist(), end) == 0


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_bright_squares_of_hardly_any_texture_lose_no_digit(shift: int) -> None:
    """The sums over a square are a million times what its texture adds to them."""
    random = np.random.default_rng(3)
    right = random.integers(250, 256, (43, 45)).astype(np.float32)

    scores = correlate(right[:, shift : shift + 43], right, 41, least_deviation=1)

    assert scores[shift] == pytest.approx(1, abs=2e-7)


@given(seed=st.integers(0, 99), shifts=st.integers(3, 9), down=st.integers(1, 5), across=st.integers(1, 5))
def test_each_place_has_the_peak_it_would_have_alone(seed: int, shifts: int, down: int, across: int) -> None:
    scores = np.random.default_rng(seed).uniform(-1, 1, (shifts, down, across)).astype(np.float32)

    place, score = peaks(scores)

    for i, j in np.ndindex(down, across):
        alone = scores[:, i, j].tolist()
        at = alone.index(max(alone))
        assert score[i, j] == max(alone)
        if 0 < at < shifts - 1:
            assert place[i, j] == at + peak_offset(alone, at)
        else:
            assert np.isnan(place[i, j])
