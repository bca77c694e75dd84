"""A drawn head, the same everywhere: what an engine draws for it tells whether it computes what the network did.

Drawn by code, so that nobody's photograph is needed and every size can be had. Networks that find people find it.
"""

import math
from dataclasses import dataclass
from typing import Optional, Tuple

import cv2
import numpy as np
from numpy.typing import NDArray

#: Middle and half axes in units, colour in BGR.
_Ellipse = Tuple[Tuple[float, float], Tuple[float, float], Tuple[int, int, int]]

#: The drawing is this wide and high; it is drawn larger by the second number and shrunk, which smooths its edges.
_UNITS, _LARGER = 96, 8
#: What the head's frame takes of the picture's shorter side.
_SHARE = 0.75
#: Filled ellipses from back to front: shoulders, neck, hair, face, cheeks, ...
_BODY: Tuple[_Ellipse, ...] = (
    ((48, 100), (34, 26), (90, 60, 40)),
    ((48, 78), (9, 14), (120, 150, 195)),
    ((48, 44), (23, 30), (40, 45, 60)),
    ((48, 50), (19, 26), (140, 170, 215)),
    ((40, 54), (8, 14), (132, 160, 206)),
    ((56, 54), (8, 14), (132, 160, 206)),
)
#: ... of each eye, from its middle: socket, white, iris, brow; ...
_EYE: Tuple[Tuple[float, Tuple[float, float], Tuple[int, int, int]], ...] = (
    (-0.5, (5, 3.2), (115, 140, 185)),
    (0, (4, 2.2), (235, 235, 235)),
    (0, (2, 2.2), (50, 40, 35)),
    (-4.5, (5.5, 1.3), (45, 55, 75)),
)
_EYES = ((40, 47), (56, 47))
#: ... nose and mouth.
_REST: Tuple[_Ellipse, ...] = (
    ((48, 56), (2, 8), (150, 182, 226)),
    ((48, 61.5), (4, 2), (100, 125, 175)),
    ((48, 68.5), (7, 2.2), (95, 95, 175)),
    ((48, 67.6), (7, 0.7), (70, 70, 120)),
)
#: Another engine or precision moves a peak's height by a few hundredths, and its place by less than a cell.
PEAK_MAY_DIFFER, CELLS_MAY_DIFFER = 0.15, 2.0
#: An expected peak lower than this has no place that could be compared.
_LOW = 0.3


@dataclass(frozen=True)
class Answer:
    """The highest cell of a heat map: its height, and its middle in pixels of the network's input."""

    peak: float
    x: float
    y: float


def known_picture(height: int, width: int) -> NDArray[np.uint8]:
    """The drawn head before a plain wall, (height, width, 3) uint8 BGR; it stands on the lower edge, in the middle."""
    wall = np.linspace(150, 190, height).astype(np.uint8)
    picture = np.repeat(wall[:, None], width, axis=1)[..., None].repeat(3, axis=2)
    side = max(int(min(height, width) * _SHARE), 1)
    left = (width - side) // 2
    picture[height - side :, left : left + side] = cv2.resize(_head(), (side, side), interpolation=cv2.INTER_AREA)
    return picture


def known_tensor(height: int, width: int) -> NDArray[np.float32]:
    """`known_picture` as the network's input: (1, 3, height, width) float32, RGB, 0..255."""
    planes = known_picture(height, width)[..., ::-1].transpose(2, 0, 1)
    return np.ascontiguousarray(planes[None], np.float32)


def answer_of(heat: NDArray[np.float32], stride: int) -> Answer:
    """Of the heat map (h, w) of the known picture."""
    row, column = divmod(int(heat.argmax()), heat.shape[1])
    return Answer(float(heat[row, column]), (column + 0.5) * stride, (row + 0.5) * stride)


def differs(found: Answer, expected: Answer, stride: int) -> Optional[str]:
    """How ``found`` differs from ``expected`` by more than engines and precisions do; None where it does not."""
    if not abs(found.peak - expected.peak) <= PEAK_MAY_DIFFER:
        return f"the peak is {found.peak:.2f} high, expected {expected.peak:.2f}"
    away = math.hypot(found.x - expected.x, found.y - expected.y)
    if expected.peak >= _LOW and not away <= CELLS_MAY_DIFFER * stride:
        return f"the peak is at {found.x:g}, {found.y:g}, expected {expected.x:g}, {expected.y:g}"
    return None


def _head() -> NDArray[np.uint8]:
    size = _UNITS * _LARGER
    rows = np.linspace(150, 190, size)[:, None, None]
    drawn = np.broadcast_to(rows, (size, size, 3)).astype(np.uint8)
    for middle, axes, colour in _BODY:
        _ellipse(drawn, middle, axes, colour)
    for x, y in _EYES:
        for lower, axes, colour in _EYE:
            _ellipse(drawn, (x, y + lower), axes, colour)
    for middle, axes, colour in _REST:
        _ellipse(drawn, middle, axes, colour)
    return cv2.GaussianBlur(drawn, (0, 0), 0.6 * _LARGER).astype(np.uint8)


def _ellipse(
    drawn: NDArray[np.uint8], middle: Tuple[float, float], axes: Tuple[float, float], colour: Tuple[int, int, int]
) -> None:
    centre = (int(middle[0] * _LARGER), int(middle[1] * _LARGER))
    half = (int(axes[0] * _LARGER), int(axes[1] * _LARGER))
    cv2.ellipse(drawn, centre, half, 0, 0, 360, colour, cv2.FILLED, cv2.LINE_AA)
