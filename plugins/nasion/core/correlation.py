"""Normalised cross-correlation of many overlapping windows at once, and the place of its peak."""

import math
from functools import lru_cache
from typing import Any, List, Tuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

#: Up to this width OpenCV's search is quicker than our own, which takes the same time for any.
_NARROW = 128


@lru_cache(maxsize=64)
def _bands(outputs: int, window: int) -> Floats:
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
    width_right = right.shape[1]
    shifts = width_right - width + 1
    across = width - window + 1

    # Everything that is summed lies side by side, so that it is summed at once: little arrays cost by the call.
    at_right, at_products = 2 * width, 2 * (width + width_right)
    stacked = np.empty((height, at_products + shifts * width), np.float32)
    stacked[:, :width] = left
    stacked[:, at_right : at_right + width_right] = right
    np.multiply(left, left, out=stacked[:, width:at_right])
    np.multiply(right, right, out=stacked[:, at_right + width_right : at_products])
    np.multiply(_by_shift(right, width), left, out=_side_by_side(stacked, at_products, shifts, width))
    means = _window_sums(stacked, window)
    means /= window * window

    left_mean, left_squares = means[:, :across], means[:, width : width + across]
    right_mean = means[:, at_right : at_right + width_right - window + 1]
    right_squares = means[:, at_right + width_right : at_products - window + 1]
    products = _side_by_side(means, at_products, shifts, width)[:, :, :across]
    covariance = products - left_mean * _by_shift(right_mean, across)
    left_variance = _textured(left_squares - left_mean * left_mean, least_deviation)
    right_variance = _textured(right_squares - right_mean * right_mean, least_deviation)
    scores = covariance / np.sqrt(left_variance * _by_shift(right_variance, across))
    return np.asarray(scores, np.float32)


def slide(template: NDArray[np.uint8], strip: NDArray[np.uint8]) -> Floats:
    """Correlation of ``template`` (h, w) with each window of its size in ``strip`` (h, W), from the left.

    Returns (W - w + 1,), -1..1; 0 where the window is of one grey.
    """
    height, window = template.shape
    width = strip.shape[1]
    if width <= _NARROW:
        return np.asarray(cv2.matchTemplate(strip, template, cv2.TM_CCOEFF_NORMED)[0], np.float32)
    shifts, pixels = width - window + 1, height * window
    stacked = np.empty((height, 2 * width), np.float32)
    grey = stacked[:, :width]
    grey[...] = strip
    np.multiply(grey, grey, out=stacked[:, width:])
    running = np.zeros(2 * width + 1)
    np.add.accumulate(np.add.reduce(stacked, 0), out=running[1:])
    sums = running[window:] - running[:-window]
    squares = pixels * sums[width : width + shifts] - np.square(sums[:shifts])
    (mean,), (deviation,) = cv2.meanStdDev(template)
    # Each column of the strip with each of the template: what a window gives lies on a diagonal.
    products = grey.T @ (template - np.float32(mean[0]))
    down, across = products.strides
    diagonals = np.ndarray((shifts, window), np.float32, products, 0, (down, down + across))
    # Where all is of one grey, so is the covariance 0; a grey level's worth of deviation keeps it so.
    scores = np.add.reduce(diagonals, 1) / np.sqrt(np.maximum(squares, pixels)) / max(float(deviation[0]), 1e-6)
    return np.asarray(scores, np.float32)


def _textured(variance: NDArray[np.float64], least_deviation: float) -> NDArray[np.float64]:
    """``variance``, infinite where it is too little to say anything: a correlation divided by that is 0."""
    variance[variance < least_deviation**2] = np.inf
    return variance


def _window_sums(values: Floats, window: int) -> NDArray[np.float64]:
    """The sums over all ``window`` x ``window`` squares of ``values`` (h, w): (h - window + 1, w - window + 1).

    Exact for products of two grey levels: a column of up to 258 of them is below 2^24, the whole of float32.
    """
    height, width = values.shape
    running = np.zeros((height - window + 1, width + 1))
    np.cumsum(_bands(height - window + 1, window) @ values, axis=1, out=running[:, 1:])
    return np.asarray(running[:, window:] - running[:, :-window], np.float64)


def _by_shift(strip: NDArray[Any], width: int) -> NDArray[Any]:
    """A (rows, width + shifts - 1) strip as (shifts, rows, width), shift k beginning at column k; to be read only."""
    strip = np.ascontiguousarray(strip)
    rows, columns = strip.shape
    down, across = strip.strides
    # What sliding_window_view gives, without its checks: this runs several times for every keypoint.
    return np.ndarray((columns - width + 1, rows, width), strip.dtype, strip, 0, (across, down, across))


def _side_by_side(row: NDArray[Any], begin: int, count: int, width: int) -> NDArray[Any]:
    """What lies in ``row`` (rows, columns), C-contiguous, from column ``begin`` on: ``count`` arrays (rows, width).

    A view (count, rows, width). The last one may be narrower than ``width``; then it must not be read to its end.
    """
    down, across = row.strides
    used = min(width, row.shape[1] - begin - (count - 1) * width)
    return np.ndarray((count, row.shape[0], used), row.dtype, row, begin * across, (width * across, down, across))


def peaks(scores: Floats) -> Tuple[NDArray[np.float64], Floats]:
    """Where along the first axis (n, ...) the highest score is, to a fraction of a step, and that score.

    The place is the top of the parabola through the peak and its neighbours; NaN where the peak is at either end, for
    then the true one may lie beyond.
    """
    places, heights = [], []
    # In plain Python: for the few pixels of a patch, the way into a library costs more.
    for along in scores.reshape(scores.shape[0], -1).T.tolist():
        height = max(along)
        at = along.index(height)
        places.append(at + peak_offset(along, at) if 0 < at < len(along) - 1 else math.nan)
        heights.append(height)
    shape = scores.shape[1:]
    return np.array(places).reshape(shape), np.array(heights, np.float32).reshape(shape)


def peak_offset(scores: List[float], at: int) -> float:
    """How far the top of the parabola through ``scores[at]`` and its neighbours lies from ``at``; 0 at either end."""
    if not 0 < at < len(scores) - 1:
        return 0.0
    before, peak, after = scores[at - 1 : at + 2]
    bend = before - 2 * peak + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
