"""Normalised cross-correlation of many overlapping windows at once, and the place of its peak."""

from functools import lru_cache
from typing import List, Tuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@lru_cache(maxsize=64)
def _window_sums(outputs: int, window: int) -> Floats:
    """The (outputs, outputs + window - 1) matrix that sums each run of ``window`` values."""
    matrix = np.zeros((outputs, outputs + window - 1), np.float32)
    for output in range(outputs):
        matrix[output, output : output + window] = 1
    return matrix


def correlate(left: Floats, right: Floats, window: int, least_deviation: float) -> Floats:
    """Correlation of every ``window`` x ``window`` square of ``left`` with those of ``right``, shifted sideways.

    ``left``: (h, w) grey; the square of output (i, j) begins at its row i, column j. ``right``: (h, w + shifts - 1)
    grey; at shift k the square of output (i, j) begins at its row i, column j + k.
    Returns (shifts, h - window + 1, w - window + 1), -1..1; 0 where either square's standard deviation is below
    ``least_deviation``.
    """
    height, width = left.shape
    shifts = right.shape[1] - width + 1
    down, across = height - window + 1, width - window + 1
    left, right = (grey - grey.mean(dtype=np.float32) for grey in (left, right))
    rows = _window_sums(down, window)
    columns = _window_sums(across, window).T
    columns_right = _window_sums(across + shifts - 1, window).T
    area = window * window

    sum_left = _summed(rows, left, columns)
    variance_left = _summed(rows, left * left, columns) - sum_left * sum_left / area
    sum_right = _by_shift(_summed(rows, right, columns_right), across)
    squares_right = _by_shift(_summed(rows, right * right, columns_right), across)
    variance_right = squares_right - sum_right * sum_right / area
    products = _summed(rows, _by_shift(right, width) * left, columns)
    covariance = products - sum_left * sum_right / area

    least = area * least_deviation**2
    textured = (variance_left >= least) & (variance_right >= least)
    norm = np.sqrt(np.where(textured, variance_left * variance_right, 1))
    scores: Floats = np.where(textured, covariance / norm, 0).astype(np.float32)
    return scores


def _summed(rows: Floats, values: Floats, columns: Floats) -> Floats:
    """The sums of ``values`` over all windows."""
    return np.asarray(rows @ values @ columns, np.float32)


def _by_shift(strip: Floats, width: int) -> Floats:
    """A (rows, width + shifts - 1) strip as (shifts, rows, width), shift k beginning at column k; a view."""
    rows, columns = strip.shape
    down, across = strip.strides
    # What sliding_window_view gives, without its checks: this runs several times for every keypoint.
    return as_strided(strip, (columns - width + 1, rows, width), (across, down, across), writeable=False)


def peaks(scores: Floats) -> Tuple[NDArray[np.float64], Floats]:
    """Where along the first axis (n, ...) the highest score is, to a fraction of a step, and that score.

    The place is the top of the parabola through the peak and its neighbours; NaN where the peak is at either end, for
    then the true one may lie beyond.
    """
    count = scores.shape[0]
    flat = scores.reshape(count, -1)
    top = flat.argmax(axis=0)
    inside = np.clip(top, 1, count - 2)
    column = np.arange(flat.shape[1])
    before, peak, after = (flat[inside + step, column].astype(np.float64) for step in (-1, 0, 1))
    bend = before - 2 * peak + after
    with np.errstate(divide="ignore", invalid="ignore"):
        place = inside + np.where(bend < 0, 0.5 * (before - after) / bend, 0)
    place[top != inside] = np.nan
    return place.reshape(scores.shape[1:]), flat[top, column].reshape(scores.shape[1:])


def peak_offset(scores: List[float], at: int) -> float:
    """How far the top of the parabola through ``scores[at]`` and its neighbours lies from ``at``; 0 at either end."""
    if not 0 < at < len(scores) - 1:
        return 0.0
    before, peak, after = scores[at - 1 : at + 2]
    bend = before - 2 * peak + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
