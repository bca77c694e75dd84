"""A window of one eye's picture compared with places of the other's, on one level of resolution."""

from dataclasses import dataclass
from typing import List, Optional, Tuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nasion.core.correlation import slide

Picture = NDArray[np.uint8]

#: Standard deviation in grey levels below which a window holds no texture to match.
MIN_TEXTURE = 1.0
#: Share of a window that must lie inside the picture.
_INSIDE = 0.7
#: So many pixels of its level beside a peak belong to it.
OWN = 2


@dataclass(frozen=True)
class Level:
    """Disparities ``low..high``, full-resolution pixels, are searched at 1/scale with this window."""

    scale: int
    window: int
    low: float
    high: float


def scan(
    one: Picture, other: Picture, column: int, row: int, level: Level, low: int, high: int, finer: int = 1
) -> Optional[Tuple[List[float], int]]:
    """How well the window around the pixel of ``one`` fits ``other``, shifted by ``low..high`` of the level's pixels.

    The scores, and the shift of the first one: shifts beyond the picture are left out. None where the window holds no
    texture, or neither picture enough of it.
    """
    scale = level.scale
    # Where the pictures end and the window lies: the level's pixels, counted from the asked one.
    height, width = one.shape[:2]
    half = level.window // 2
    top, bottom = max(-half, -(row // scale)), min(level.window - half, (height - row) // scale)
    rows = slice(row + top * scale, row + bottom * scale)
    step, window = scale // finer, level.window * finer
    half = window // 2
    leftmost, rightmost = -(column // step), (width - column) // step
    begin, end = max(-half, leftmost), min(window - half, rightmost)
    if bottom - top < _INSIDE * level.window or end - begin < _INSIDE * window:
        return None
    first, last = max(leftmost, begin + low), min(rightmost, end + high)
    if last - first < end - begin:
        return None
    template = _reduced(one, rows, slice(column + begin * step, column + end * step), scale, step)
    if cv2.meanStdDev(template)[1].item() < MIN_TEXTURE:
        return None
    strip = _reduced(other, rows, slice(column + first * step, column + last * step), scale, step)
    return slide(template, strip).tolist(), first - begin


def rival(scores: List[float], at: int, own: int = OWN) -> float:
    """The highest score that does not belong to the peak ``at``: outside of its slopes, the ends included."""
    begin, end = at, at + 1
    while begin > 0 and (scores[begin - 1] < scores[begin] or at - begin < own):
        begin -= 1
    while end < len(scores) and (scores[end] < scores[end - 1] or end - at <= own):
        end += 1
    return max(max(scores[:begin], default=0.0), max(scores[end:], default=0.0))


def _reduced(picture: Picture, rows: slice, columns: slice, scale: int, step: int) -> Picture:
    """The grey of a part of ``picture``: one row for ``scale`` of its rows, one column for ``step`` of its columns.

    Means over all columns and over two rows each. Rows of both pictures show the same, so rows may be left out where
    columns may not; most of what a search costs is pixels that come from memory.
    """
    if scale == 1:
        return grey(picture[rows, columns])
    part = grey(picture[rows.start : rows.stop : scale // 2, columns])
    size = (columns.stop - columns.start) // step, (rows.stop - rows.start) // scale
    return _as_picture(cv2.resize(part, size, interpolation=cv2.INTER_AREA))


def grey(picture: Picture) -> Picture:
    """The grey of a BGR, BGRx or grey picture (or crop)."""
    if picture.ndim == 2:
        return picture
    code = cv2.COLOR_BGR2GRAY if picture.shape[2] == 3 else cv2.COLOR_BGRA2GRAY
    return _as_picture(cv2.cvtColor(picture, code))


def _as_picture(array: object) -> Picture:
    return np.asarray(array, np.uint8)
