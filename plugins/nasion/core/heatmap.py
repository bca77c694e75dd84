"""Heat map to peaks: where the network's blobs have their middle, to a fraction of a cell.

The network is trained to draw a Gaussian at each keypoint. A Gaussian's logarithm is a parabola, so a parabola fitted
to the logarithms around the strongest cell, weighted by the squared height (the noise of a logarithm grows as 1/height;
H. Guo, "A simple algorithm for fitting a Gaussian function", IEEE Signal Processing Magazine 28(5), 2011), gives its
middle and width. The fit needs only the flanks: cells where the map is cut off at its maximum are left out.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import List, NamedTuple, Optional

import cv2
import numpy as np
from numpy.typing import NDArray

HeatMap = NDArray[np.float32]

#: The fit sees this many standard deviations of the drawn Gaussian each way, rounded up to whole cells. On made
#: maps, smaller loses a third of the precision in noise, larger is pulled by a second face 3 standard deviations away.
#: On real maps of stride 4, a standard deviation more raises the error of one place in ten by half.
_REACH_SIGMAS = 1.5
#: Standard deviation of the fit's window in those of the drawn Gaussian: the corners count less.
_WINDOW_SIGMAS = 1.25
#: Cells below this share of the peak are background, not blob.
_BLOB_SHARE = 0.2
#: A maximum this many of the blob's standard deviations from a stronger one is the same blob...
_SAME_BLOB_SIGMAS = 1.5
#: ...and so is one that no valley deeper than this share of its height separates from the stronger one.
_VALLEY_SHARE = 0.85
#: A map's cells lie within 0..1, give or take the rounding of half floats.
_ROUNDING = 1e-3
#: Cells looked at for the valley on the way between two maxima.
_STEPS = 64
#: Exported models clip their map to 0..1: a cell this high may be cut off.
_FULL = 1.0
#: Standard deviation of a place known to lie in one cell (uniform distribution of width 1).
_ONE_CELL = 12**-0.5

#: The parabola's terms are 1, x, y, x², y²; the fit's sums are of the products of these pairs, first each term with 1.
_TERMS = 5
_PRODUCTS = tuple((one, other) for one in range(_TERMS) for other in range(one, _TERMS))
#: A pivot of the fit below this share of what it was before the elimination is rounding.
_SINGULAR = 1e-12

#: A local maximum is the highest of its 5 x 5 cells, and higher than those before it in reading order: of a plateau's
#: cells only the first counts.
_SURROUNDINGS = np.ones((5, 5), np.uint8)
_BEFORE = (np.arange(25) < 12).astype(np.uint8).reshape(5, 5)


@dataclass(frozen=True)
class Peak:
    """A blob of the heat map. ``x, y``: its middle in cells from the centre of the top-left cell; ``value``: the map's
    highest cell there; ``sigma_x, sigma_y``: its standard deviations in cells.
    """

    x: float
    y: float
    value: float
    sigma_x: float
    sigma_y: float


class _Summit(NamedTuple):
    """The cell or plateau a blob is highest at: middle and standard deviations in cells, number of cells."""

    x: float
    y: float
    sigma_x: float
    sigma_y: float
    cells: int


class _Window(NamedTuple):
    """Where the fit looks: ``radius`` cells each way, so ``side`` = 2 radius + 1; of each cell the ``products`` of the
    parabola's terms, in the order of _PRODUCTS, (15, side, side); and how much it counts, ``weight`` (side, side).
    """

    radius: int
    products: NDArray[np.float64]
    weight: NDArray[np.float64]


@lru_cache(maxsize=8)
def _window(drawn_sigma: float) -> _Window:
    radius = max(math.ceil(_REACH_SIGMAS * drawn_sigma), 1)
    offsets = np.arange(-radius, radius + 1, dtype=np.float64)
    dx, dy = np.meshgrid(offsets, offsets)
    terms = (np.ones_like(dx), dx, dy, dx**2, dy**2)
    products = np.stack([terms[one] * terms[other] for one, other in _PRODUCTS])
    return _Window(radius, products, np.exp(-(dx**2 + dy**2) / (2 * (_WINDOW_SIGMAS * drawn_sigma) ** 2)))


def is_probability_map(heat: HeatMap) -> bool:
    """Whether all cells are numbers within 0..1, as the released networks clip them: others come of a broken engine."""
    return bool(heat.size and heat.min() >= -_ROUNDING and heat.max() <= 1 + _ROUNDING)


def find_peaks(heat: HeatMap, *, max_peaks: int, minimum: float, drawn_sigma: float) -> List[Peak]:
    """The up to ``max_peaks`` highest blobs of ``heat`` (h, w), strongest first, whose height is >= ``minimum``.

    ``drawn_sigma``: standard deviation, cells, of the Gaussian that the network was taught to draw. One blob gives one
    peak, also when it is noisy or cut off to a plateau; two faces' blobs give two from about three standard deviations
    on. ValueError: the map is not (h, w), is empty, or holds a number that is not finite (a broken inference, not a
    picture of nobody; the caller counts it).
    """
    if heat.ndim != 2 or heat.size == 0:
        raise ValueError(f"a heat map has the shape (h, w) with at least one cell, not {heat.shape}")
    heat = np.ascontiguousarray(heat, np.float32)
    row, column = divmod(int(heat.argmax()), heat.shape[1])
    # NaN is both the highest and the lowest to NumPy.
    if not (math.isfinite(heat[row, column]) and math.isfinite(heat.min())):
        raise ValueError("the heat map holds NaN or infinity: the inference is broken")
    if max_peaks < 1 or heat[row, column] < minimum:
        return []
    window = _window(drawn_sigma)
    strongest = _peak(heat, row, column, window)
    return [strongest] if max_peaks == 1 else _all_peaks(heat, strongest, max_peaks, minimum, window)


def _all_peaks(heat: HeatMap, strongest: Peak, max_peaks: int, minimum: float, window: _Window) -> List[Peak]:
    """``strongest`` and the next ones: local maxima, less those that belong to the blob of a stronger one."""
    highest_around, highest_before = cv2.dilate(heat, _SURROUNDINGS), cv2.dilate(heat, _BEFORE)
    rows, columns = np.nonzero((heat >= highest_around) & (heat > highest_before) & (heat >= minimum))
    order = np.argsort(-heat[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    peaks = [strongest]
    while True:
        apart = ~_same_blob(heat, peaks[-1], rows, columns)
        rows, columns = rows[apart], columns[apart]
        if len(rows) == 0 or len(peaks) == max_peaks:
            return peaks
        peaks.append(_peak(heat, int(rows[0]), int(columns[0]), window))


def _same_blob(heat: HeatMap, peak: Peak, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which of the local maxima at ``rows, columns``, none higher than ``peak``, belong to its blob."""
    away_x, away_y = (columns - peak.x) / peak.sigma_x, (rows - peak.y) / peak.sigma_y
    near = away_x**2 + away_y**2 < _SAME_BLOB_SIGMAS**2
    # The lowest cell on the straight way from the peak to each maximum; a long way has a wide valley, if any.
    steps = np.linspace(0, 1, _STEPS)[:, None]
    way_x = np.rint(peak.x + steps * (columns - peak.x)).astype(np.intp)
    way_y = np.rint(peak.y + steps * (rows - peak.y)).astype(np.intp)
    height, width = heat.shape
    lowest = heat[way_y.clip(0, height - 1), way_x.clip(0, width - 1)].min(axis=0, initial=np.inf)
    same: NDArray[np.bool_] = near | (lowest >= _VALLEY_SHARE * heat[rows, columns])
    return same


def _peak(heat: HeatMap, row: int, column: int, window: _Window) -> Peak:
    """The blob whose highest cell is (``row``, ``column``)."""
    summit = _summit(heat, row, column)
    value = float(heat[row, column])
    return _fit(heat, value, summit, window) or Peak(summit.x, summit.y, value, summit.sigma_x, summit.sigma_y)


def _summit(heat: HeatMap, row: int, column: int) -> _Summit:
    """The plateau of cells as high as (``row``, ``column``) and connected to it; usually that one cell."""
    value = heat[row, column]
    around = heat[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
    if np.count_nonzero(around == value) == 1:
        return _Summit(column, row, _ONE_CELL, _ONE_CELL, 1)
    filled = np.zeros((heat.shape[0] + 2, heat.shape[1] + 2), np.uint8)
    flags = 8 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | (255 << 8)
    _, _, _, (left, top, width, height) = cv2.floodFill(heat, filled, (column, row), 0, 0, 0, flags)
    rows, columns = np.nonzero(filled[top + 1 : top + 1 + height, left + 1 : left + 1 + width] == 255)
    return _Summit(
        x=left + float(columns.mean()),
        y=top + float(rows.mean()),
        sigma_x=float(np.hypot(columns.std(), _ONE_CELL)),
        sigma_y=float(np.hypot(rows.std(), _ONE_CELL)),
        cells=len(rows),
    )


def _fit(heat: HeatMap, value: float, summit: _Summit, window: _Window) -> Optional[Peak]:
    """The Gaussian through the flanks of a blob of height ``value`` around its ``summit``.

    None where there is no such Gaussian: too few cells, a saddle, or a middle that does not belong to the summit.
    """
    x, y, radius = round(summit.x), round(summit.y), window.radius
    height, width = heat.shape
    left, top = max(x - radius, 0), max(y - radius, 0)
    right, bottom = min(x + radius + 1, width), min(y + radius + 1, height)
    cells = heat[top:bottom, left:right].astype(np.float64)
    in_blob = cells > max(_BLOB_SHARE * value, 0.0)
    if summit.cells > 1 or value >= _FULL:
        in_blob &= cells < value
    if np.count_nonzero(in_blob) <= _TERMS:
        return None
    inside = (slice(top - y + radius, bottom - y + radius), slice(left - x + radius, right - x + radius))
    # The square of the height is the weight of its logarithm; outside of the blob nothing counts.
    counts = np.where(in_blob, cells * cells * window.weight[inside], 0.0).ravel()
    logarithms = np.log(cells, where=in_blob, out=np.zeros(cells.shape)).ravel()
    products = window.products[(slice(None), *inside)].reshape(len(_PRODUCTS), -1)
    coefficients = _solved((products @ counts).tolist(), (products[:_TERMS] @ (counts * logarithms)).tolist())
    if coefficients is None:
        return None
    _, c_x, c_y, c_xx, c_yy = coefficients
    if c_xx >= 0 or c_yy >= 0:
        return None
    middle_x, middle_y = x - c_x / (2 * c_xx), y - c_y / (2 * c_yy)
    reach_x, reach_y = radius / 2 + summit.sigma_x, radius / 2 + summit.sigma_y
    if abs(middle_x - summit.x) > reach_x or abs(middle_y - summit.y) > reach_y:
        return None
    return Peak(
        x=min(max(middle_x, -0.5), width - 0.5),
        y=min(max(middle_y, -0.5), height - 0.5),
        value=value,
        sigma_x=(-2 * c_xx) ** -0.5,
        sigma_y=(-2 * c_yy) ** -0.5,
    )


def _solved(sums: List[float], right: List[float]) -> Optional[List[float]]:
    """The solution of symmetric normal equations; None where they have none, or many.

    ``sums``: the matrix's upper triangle, in the order of _PRODUCTS; ``right``: the right-hand side. By elimination,
    which needs no pivoting where the matrix is positive definite (Golub and Van Loan, "Matrix Computations", 4.2). In
    plain Python: for five unknowns the way into a library costs more.
    """
    upper = [[0.0] * _TERMS for _ in range(_TERMS)]
    for (one, other), value in zip(_PRODUCTS, sums):
        upper[one][other] = value
    right = list(right)
    least = [_SINGULAR * upper[at][at] for at in range(_TERMS)]
    for at in range(_TERMS):
        pivot = upper[at][at]
        if pivot <= least[at]:
            return None
        for below in range(at + 1, _TERMS):
            factor = upper[at][below] / pivot
            for column in range(below, _TERMS):
                upper[below][column] -= factor * upper[at][column]
            right[below] -= factor * right[at]
    for at in reversed(range(_TERMS)):
        known = sum(upper[at][column] * right[column] for column in range(at + 1, _TERMS))
        right[at] = (right[at] - known) / upper[at][at]
    return right
