"""Depth on demand from a rectified pair: only the band of rows around the asked pixel is looked at.

The search runs once, for the middle of the patch, on several levels of resolution: large disparities are searched with
large windows on coarse levels, small ones with small windows at full resolution, so that the window never outgrows a
face at the distance it tests (a window larger than its object locks to the background). The match measure is normalised
cross-correlation, which ignores gain and offset between the eyes. The pixels of the patch are then matched at full
resolution, each with its own window, in a narrow range around the disparity found, with a parabola through the peak.

A match is refused as ambiguous when another place in the whole range of disparities looks nearly as good: a repetitive
texture fits in several places, and only one is true. It is told by the ratio of the second-best score, outside of the
best one's own peak, to the best (Lowe, Int. J. of Computer Vision 60(2), 2004, section 7.1; for stereo the peak ratio
of Hu and Mordohai, IEEE TPAMI 34(11), 2012). Where the search may have missed such a place, what was matched is looked
for in the left picture, in more detail (left-right check: Fua, Machine Vision and Applications 6(1), 1993). Larger
windows do not settle it: real chessboards, held aslant, were seen to fit their own repetition best on all levels.

Depth from disparity: ``z = f B / d`` (f focal length in pixels, B baseline, d = u_left - u_right).
"""

import math
from dataclasses import replace
from functools import lru_cache
from typing import List, Optional, Sequence, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from nasion.core.calibration import Calibration
from nasion.core.correlation import correlate, peaks
from nasion.core.stereo_scan import MIN_TEXTURE, Level, Picture, grey
from nasion.core.stereo_search import LOWEST_DISPARITY, WIDE_FROM, WINDOW, Match, Search, alike

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

#: Search window for faces too small for the usual one.
_SMALL_WINDOW = 11
_COARSEST_SCALE = 8
#: Share of the face that a window may fill.
_FILL = 0.8
#: A level searches up to this multiple of its smallest disparity; more than 2, so that levels overlap.
_LEVEL_SPAN = 2.6
#: Side of the windows of the final match, full-resolution pixels.
_FINAL_WINDOW_MIN, _FINAL_WINDOW_MAX = 9, 41


class _Ambiguous:
    """Several disparities fit nearly alike."""


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
    ``near_m``, +inf farther than ``far_m``. `ambiguous` tells whether all is NaN because several distances fit.
    """
    focal_baseline = calibration.focal_baseline
    disparity = disparity_patch(left, right, u, v, size, *_reach(calibration, near_m))
    with np.errstate(divide="ignore"):
        depth = focal_baseline / disparity
    depth[disparity < focal_baseline / far_m] = np.inf
    depth[disparity > focal_baseline / near_m] = -np.inf
    return depth.astype(np.float32)


def ambiguous(left: Picture, right: Picture, u: float, v: float, calibration: Calibration, near_m: float) -> bool:
    """Whether ``depth_patch`` of the same arguments is unknown because several distances fit nearly alike.

    It searches again: to be asked only of a patch that is unknown.
    """
    return isinstance(_find(left, right, u, v, *_reach(calibration, near_m)), _Ambiguous)


def _reach(calibration: Calibration, near_m: float) -> Tuple[float, float]:
    """The largest disparity that is searched, and the width of a face in pixels for each pixel of disparity."""
    return calibration.focal_baseline / min(NEAREST_SEARCHED_M, near_m), FACE_M / calibration.baseline_m


def rows_needed(v: float, size: int, height: int) -> slice:
    """The rows of both pictures (``height`` high) that ``depth_patch`` reads for a patch around row ``v``."""
    row = math.floor(v + 0.5)
    half = max(WINDOW * _COARSEST_SCALE // 2, size // 2 + _FINAL_WINDOW_MAX // 2) + 1
    return slice(min(max(row - half, 0), height), max(min(row + half + 1, height), 0))


def disparity_patch(
    left: Picture, right: Picture, u: float, v: float, size: int, highest: float, face_ratio: float
) -> NDArray[np.float64]:
    """Disparities of the ``size`` x ``size`` pixels around (u, v), pixels; NaN where there is no trustworthy match.

    ``highest``: largest disparity searched; ``face_ratio``: width of a face in pixels for each pixel of disparity.
    """
    match = _find(left, right, u, v, highest, face_ratio)
    if not isinstance(match, Match):
        return np.full((size, size), np.nan)
    return _refined(left, right, *_pixel(u, v), size, match, face_ratio)


def _pixel(u: float, v: float) -> Tuple[int, int]:
    """Column and row of the pixel that holds (u, v)."""
    return math.floor(u + 0.5), math.floor(v + 0.5)


def _find(
    left: Picture, right: Picture, u: float, v: float, highest: float, face_ratio: float
) -> "Union[Match, _Ambiguous, None]":
    """The match of the left picture's pixel, searched on all levels; None where nothing matches."""
    height, width = left.shape[:2]
    column, row = _pixel(u, v)
    if not (0 <= column < width and 0 <= row < height):
        return None
    search = Search(left, right, column, row, highest)
    found: List[Match] = []
    levels = _levels(highest, face_ratio)
    for scale in sorted({level.scale for level in levels}, reverse=True):
        found[:0] = [match for level in levels if level.scale == scale for match in search.matches(level)]
        # A strong match is not outdone by one on a finer level (see `_chosen`), which therefore need not be searched.
        if any(match.score >= STRONG_SCORE for match in found):
            break
    best = _best(found)
    if best is None:
        return None
    if best.scale < WIDE_FROM:
        found = [replace(match, rival=search.rival(match)) if match is best else match for match in found]
    match = _chosen(found)
    if match is None or (search.is_doubtful(match) and search.is_repeated(match, _excusable(found, match))):
        return _Ambiguous()
    return match


def _best(found: Sequence[Match]) -> Optional[Match]:
    """The best match, but a strong one on a coarser level wins, for its window has seen more; None if all are poor."""
    strong = [match for match in found if match.score >= STRONG_SCORE]
    best = max(strong or found, key=lambda match: (match.scale if strong else 0, match.score), default=None)
    return None if best is None or best.score < MIN_SEARCH_SCORE else best


def _chosen(found: Sequence[Match]) -> Optional[Match]:
    """The match to trust: the best one, unless another place is nearly as good on its level or on a coarser one."""
    best = _best(found)
    if best is None:
        return None
    strong = best.score >= STRONG_SCORE
    others = [match.score for match in found if _apart(match, best) and (match.scale >= best.scale or not strong)]
    return None if alike(max([best.rival, *others]), best.score, _excusable(found, best)) else best


def _excusable(found: Sequence[Match], best: Match) -> bool:
    """Whether another place may look fairly well, too, if ``best`` looks far better.

    Not on a coarse level, where the true place may lie between two pixels and look worse than it is; nor when a coarser
    level has a match elsewhere.
    """
    return best.scale == 1 and not any(
        match.scale > 1 and match.score >= MIN_SCORE and _apart(match, best) for match in found
    )


def _apart(one: Match, other: Match) -> bool:
    """Whether two peaks are different places, not the same one seen twice."""
    return abs(one.disparity - other.disparity) > 2 * max(one.scale, other.scale)


@lru_cache(maxsize=16)
def _levels(highest: float, face_ratio: float) -> Tuple[Level, ...]:
    """Which disparities are searched on which level, finest first: the window fits the face at the lower end."""
    smallest = _FILL * WINDOW / face_ratio
    levels = [Level(1, _SMALL_WINDOW, LOWEST_DISPARITY, min(highest, smallest * _LEVEL_SPAN / 2))]
    scale = 1
    while scale * smallest < highest:
        last = scale == _COARSEST_SCALE
        low, high = scale * smallest, scale * smallest * _LEVEL_SPAN
        levels.append(Level(scale, WINDOW, low, highest if last else min(high, highest)))
        if last:
            break
        scale *= 2
    return tuple(levels)


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
