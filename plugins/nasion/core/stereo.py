"""Depth on demand from a rectified pair: only the band of rows around the asked pixel is looked at.

The search runs once, for the middle of the patch, on several levels of resolution: large disparities are searched with
large windows on coarse levels, small ones with small windows at full resolution, so that the window never outgrows a
face at the distance it tests (a window larger than its object locks to the background). The match measure is normalised
cross-correlation, which ignores gain and offset between the eyes. The pixels of the patch are then matched at full
resolution, each with its own window, in a narrow range around the disparity found, with a parabola through the peak.

Depth from disparity: ``z = f B / d`` (f focal length in pixels, B baseline, d = u_left - u_right).
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import List, Optional, Sequence, Tuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nasion.core.calibration import Calibration
from nasion.core.correlation import correlate, peak_offset, peaks

Picture = NDArray[np.uint8]

#: The search goes down to this depth, so that "too near" can be told from "unknown".
NEAREST_SEARCHED_M = 0.3
#: Width of the object that is matched: a face.
FACE_M = 0.15
#: A pixel whose normalised correlation is below this has no match, ...
MIN_SCORE = 0.5
#: ... nor has the search, which sees less noise and tries more places: two pictures that have nothing in common reach
#: 0.5 somewhere in three of ten places, this in one of twenty.
MIN_SEARCH_SCORE = 0.7
#: A normalised correlation from here on is a match beyond doubt, as far as its window reaches.
STRONG_SCORE = 0.85
#: A second peak of more than this share of the best one makes the match ambiguous, ...
MAX_PEAK_RATIO = 0.85
#: ... unless it leaves this many times as much unexplained (1 - score).
MIN_MISFIT_RATIO = 10.0
#: Standard deviation in grey levels below which a window holds no texture to match.
MIN_TEXTURE = 1.0

#: Search windows, pixels of the level they are used on; the small one is for faces too small for the other.
_WINDOW = 16
_SMALL_WINDOW = 11
_COARSEST_SCALE = 8
#: Share of the face that a window may fill.
_FILL = 0.8
#: A level searches up to this multiple of its smallest disparity; more than 2, so that levels overlap.
_LEVEL_SPAN = 2.6
#: Share of a window that must lie inside the picture.
_INSIDE = 0.7
#: Side of the windows of the final match, full-resolution pixels.
_FINAL_WINDOW_MIN, _FINAL_WINDOW_MAX = 9, 41
#: The search ends a little beyond infinity, so that the peak of something very far has two sides.
_LOWEST_DISPARITY = -3.0


@dataclass(frozen=True)
class Match:
    """A peak of the search: disparity in full-resolution pixels, score 0..1, the scale of the level it was found on."""

    disparity: float
    score: float
    scale: int


def depth_patch(
    left: Picture,
    right: Picture,
    u: float,
    v: float,
    size: int,
    calibration: Calibration,
    near_m: float,
    far_m: float,
) -> NDArray[np.float32]:
    """Depth around pixel (u, v) of the left picture.

    ``left``, ``right``: the rectified pair, (H, W) grey, (H, W, 3) BGR or (H, W, 4) BGRx, uint8; only a band is read.
    Returns (size, size) float32, metres: NaN where there is no trustworthy match or no picture, -inf nearer than
    ``near_m``, +inf farther than ``far_m``.
    """
    focal_baseline = calibration.focal_baseline
    disparity = disparity_patch(
        left,
        right,
        u,
        v,
        size,
        highest=focal_baseline / min(NEAREST_SEARCHED_M, near_m),
        face_ratio=FACE_M / calibration.baseline_m,
    )
    with np.errstate(divide="ignore"):
        depth = focal_baseline / disparity
    depth[disparity < focal_baseline / far_m] = np.inf
    depth[disparity > focal_baseline / near_m] = -np.inf
    return depth.astype(np.float32)


def rows_needed(v: float, size: int, height: int) -> slice:
    """The rows of both pictures (``height`` high) that ``depth_patch`` reads for a patch around row ``v``."""
    row = math.floor(v + 0.5)
    half = max(_WINDOW * _COARSEST_SCALE // 2, size // 2 + _FINAL_WINDOW_MAX // 2) + 1
    return slice(min(max(row - half, 0), height), max(min(row + half + 1, height), 0))


def disparity_patch(
    left: Picture, right: Picture, u: float, v: float, size: int, highest: float, face_ratio: float
) -> NDArray[np.float64]:
    """Disparities of the ``size`` x ``size`` pixels around (u, v), pixels; NaN where there is no trustworthy match.

    ``highest``: largest disparity searched; ``face_ratio``: width of a face in pixels for each pixel of disparity.
    """
    nothing = np.full((size, size), np.nan)
    height, width = left.shape[:2]
    column, row = math.floor(u + 0.5), math.floor(v + 0.5)
    if not (0 <= column < width and 0 <= row < height):
        return nothing
    match = _find_match(left, right, column, row, _levels(highest, face_ratio))
    if match is None:
        return nothing
    return _refined(left, right, column, row, size, match, face_ratio)


def _find_match(left: Picture, right: Picture, column: int, row: int, levels: "Sequence[_Level]") -> Optional[Match]:
    """The disparity of the left picture's pixel, searched on all ``levels``; None when none can be trusted."""
    found: List[Match] = []
    for scale in sorted({level.scale for level in levels}, reverse=True):
        found[:0] = [
            match for level in levels if level.scale == scale for match in _search(left, right, column, row, level)
        ]
        # A strong match is not outdone by one on a finer level (see `_chosen`), which therefore need not be searched.
        if any(match.score >= STRONG_SCORE for match in found):
            break
    return _chosen(found)


def _chosen(found: List[Match]) -> Optional[Match]:
    """The match to trust: the best one, but a strong one on a coarser level wins, for its window has seen more.

    That settles most repetitive patterns; what is left is refused where another peak is nearly as good.
    """
    strong = [match for match in found if match.score >= STRONG_SCORE]
    best = max(strong or found, key=lambda match: (match.scale if strong else 0, match.score), default=None)
    if best is None or best.score < MIN_SEARCH_SCORE:
        return None
    rivals = [match.score for match in found if _apart(match, best) and (match.scale >= best.scale or not strong)]
    second = max(rivals, default=0.0)
    clearly_worse = second <= MAX_PEAK_RATIO * best.score or 1 - second > MIN_MISFIT_RATIO * (1 - best.score)
    return best if clearly_worse else None


def _apart(one: Match, other: Match) -> bool:
    """Whether two peaks are different places, not the same one seen twice."""
    return abs(one.disparity - other.disparity) > 2 * max(one.scale, other.scale)


@dataclass(frozen=True)
class _Level:
    """Disparities ``low..high``, full-resolution pixels, are searched at 1/scale with this window."""

    scale: int
    window: int
    low: float
    high: float


@lru_cache(maxsize=16)
def _levels(highest: float, face_ratio: float) -> Tuple[_Level, ...]:
    """Which disparities are searched on which level, finest first: the window fits the face at the lower end."""
    smallest = _FILL * _WINDOW / face_ratio
    levels = [_Level(1, _SMALL_WINDOW, _LOWEST_DISPARITY, min(highest, smallest * _LEVEL_SPAN / 2))]
    scale = 1
    while scale * smallest < highest:
        last = scale == _COARSEST_SCALE
        low, high = scale * smallest, scale * smallest * _LEVEL_SPAN
        levels.append(_Level(scale, _WINDOW, low, highest if last else min(high, highest)))
        if last:
            break
        scale *= 2
    return tuple(levels)


def _search(left: Picture, right: Picture, column: int, row: int, level: _Level) -> List[Match]:
    """The highest peak of the level's range, and the highest one clearly beside it."""
    scale, half = level.scale, level.window // 2
    # Where the pictures end and the window lies: the level's pixels, counted from the asked one.
    height, width = left.shape[:2]
    leftmost, rightmost = -(column // scale), (width - column) // scale
    top, bottom = max(-half, -(row // scale)), min(level.window - half, (height - row) // scale)
    begin, end = max(-half, leftmost), min(level.window - half, rightmost)
    if min(bottom - top, end - begin) < _INSIDE * level.window:
        return []
    rows = slice(row + top * scale, row + bottom * scale)
    template = _reduced(left, rows, slice(column + begin * scale, column + end * scale), scale)
    if cv2.meanStdDev(template)[1].item() < MIN_TEXTURE:
        return []
    # The window's columns in the right picture at both ends of the level's range.
    first = max(leftmost, begin - math.ceil(level.high / scale))
    last = min(rightmost, end - math.floor(level.low / scale))
    if last - first < end - begin:
        return []
    strip = _reduced(right, rows, slice(column + first * scale, column + last * scale), scale)
    scores = cv2.matchTemplate(strip, template, cv2.TM_CCOEFF_NORMED)[0].tolist()
    return [
        Match((begin - first - at - peak_offset(scores, at)) * scale, scores[at], scale) for at in _two_best(scores)
    ]


def _reduced(picture: Picture, rows: slice, columns: slice, scale: int) -> Picture:
    """The grey of a part of ``picture`` on the level 1/``scale``: means over all columns and over two rows each.

    Rows of both pictures show the same, so rows may be left out where columns may not; most of what a search costs is
    pixels that come from memory.
    """
    if scale == 1:
        return grey(picture[rows, columns])
    part = grey(picture[rows.start : rows.stop : scale // 2, columns])
    size = (columns.stop - columns.start) // scale, (rows.stop - rows.start) // scale
    return _as_picture(cv2.resize(part, size, interpolation=cv2.INTER_AREA))


def _two_best(scores: List[float]) -> List[int]:
    """Indices of the highest peak and of the highest one clearly beside it, as many as there are.

    A peak is lower on both sides; the end of the range is none, for the score may rise beyond it.
    """
    inner = range(1, len(scores) - 1)
    tops = [at for at in inner if scores[at - 1] < scores[at] >= scores[at + 1]]
    tops.sort(key=scores.__getitem__, reverse=True)
    return tops[:1] + [at for at in tops[1:] if abs(at - tops[0]) > 2][:1]


def _refined(
    left: Picture, right: Picture, column: int, row: int, size: int, match: Match, face_ratio: float
) -> NDArray[np.float64]:
    """The final match of each pixel of the patch; NaN where its window leaves a picture or nothing matches."""
    height, width = left.shape[:2]
    window = _final_window(match.disparity * face_ratio)
    margin = window // 2
    reach = match.scale // 8 + 2
    lowest, highest = round(match.disparity) - reach, round(match.disparity) + reach
    disparity = np.full((size, size), np.nan)
    # The pixels whose windows lie inside both pictures, over the whole range.
    top, bottom = _overlap(row, size, margin, height - margin)
    begin, end = _overlap(column, size, margin + max(0, highest), width - margin + min(0, lowest))
    if top >= bottom or begin >= end:
        return disparity
    rows = slice(top - margin, bottom + margin)
    columns, columns_right = slice(begin - margin, end + margin), slice(begin - margin - highest, end + margin - lowest)
    scores = correlate(
        grey(left[rows, columns]).astype(np.float32),
        grey(right[rows, columns_right]).astype(np.float32),
        window,
        MIN_TEXTURE,
    )
    shift, score = peaks(scores)
    shift[score < MIN_SCORE] = np.nan
    first_row, first_column = row - size // 2, column - size // 2
    disparity[top - first_row : bottom - first_row, begin - first_column : end - first_column] = highest - shift
    return disparity


def _final_window(face_px: float) -> int:
    """Side of the final window, odd."""
    return int(min(max(_FILL * face_px, _FINAL_WINDOW_MIN), _FINAL_WINDOW_MAX)) // 2 * 2 + 1


def _overlap(middle: int, size: int, low: int, high: int) -> Tuple[int, int]:
    """Where the ``size`` pixels around ``middle`` lie in ``low..high - 1``: begin and end."""
    begin = middle - size // 2
    return max(begin, low), min(begin + size, high)


def grey(picture: Picture) -> Picture:
    """The grey of a BGR, BGRx or grey picture (or crop)."""
    if picture.ndim == 2:
        return picture
    code = cv2.COLOR_BGR2GRAY if picture.shape[2] == 3 else cv2.COLOR_BGRA2GRAY
    return _as_picture(cv2.cvtColor(picture, code))


def _as_picture(array: object) -> Picture:
    return np.asarray(array, np.uint8)
