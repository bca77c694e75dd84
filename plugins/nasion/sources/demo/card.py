"""A flat picture drawn anywhere and at any size, exact to a fraction of a pixel and without aliasing."""

import math
from typing import List, Tuple

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

#: Neighbouring sizes of the picture kept ready differ by this factor.
_STEP = math.sqrt(2.0)
_SIZES = 11


class Card:
    """The picture in sizes from its own down to 1/32; drawing takes the nearest size not smaller than wanted."""

    def __init__(self, picture: Picture) -> None:
        """``picture``: (H, W, 3) uint8."""
        self._sizes: List[Tuple[float, float, Picture]] = []
        height, width = picture.shape[:2]
        for step in range(_SIZES):
            across, down = (max(2, round(side / _STEP**step)) for side in (width, height))
            shrunk = cv2.resize(picture, (across, down), interpolation=cv2.INTER_AREA)
            self._sizes.append((across / width, down / height, np.asarray(shrunk, np.uint8)))
        self._width, self._height = width, height

    def draw(self, canvas: Picture, scale: float, left: float, top: float) -> Tuple[slice, slice]:
        """Draw it ``scale`` times as large with its outer corner at (left, top); returns the rows and columns touched.

        Coordinates are pixels of ``canvas`` ((H, W, 3) uint8), (0, 0) the centre of its top-left pixel, so that the
        canvas itself begins at -0.5. Pixels at the card's edges are blended by the share the card covers.
        """
        height, width = canvas.shape[:2]
        right, bottom = left + scale * self._width, top + scale * self._height
        # Pixel i covers i - 0.5 .. i + 0.5.
        columns = slice(max(0, math.floor(left + 0.5)), min(width, math.ceil(right + 0.5)))
        rows = slice(max(0, math.floor(top + 0.5)), min(height, math.ceil(bottom + 0.5)))
        if columns.start >= columns.stop or rows.start >= rows.stop:
            return slice(0, 0), slice(0, 0)
        across, down, picture = self._nearest(scale)
        # Half-pixel rule in both pictures: outer corner to outer corner.
        step_u, step_v = across / scale, down / scale
        to_picture = np.array(
            [
                [step_u, 0, (columns.start - left) * step_u - 0.5],
                [0, step_v, (rows.start - top) * step_v - 0.5],
            ]
        )
        region = canvas[rows, columns]
        warped = cv2.warpAffine(
            picture,
            to_picture,
            (region.shape[1], region.shape[0]),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        drawn = np.asarray(warped, np.uint8)
        across_cover = _cover(columns, left, right)
        down_cover = _cover(rows, top, bottom)
        for at in {0, len(across_cover) - 1}:
            _blend(drawn[:, at], region[:, at], across_cover[at])
        for at in {0, len(down_cover) - 1}:
            _blend(drawn[at], region[at], down_cover[at])
        region[:] = drawn
        return rows, columns

    def _nearest(self, scale: float) -> Tuple[float, float, Picture]:
        fitting = [size for size in self._sizes if size[0] >= scale * 0.9]
        return fitting[-1] if fitting else self._sizes[0]


def _cover(pixels: slice, low: float, high: float) -> List[float]:
    """Which share of each pixel lies between ``low`` and ``high``."""
    return [min(pixel + 0.5, high) - max(pixel - 0.5, low) for pixel in range(pixels.start, pixels.stop)]


def _blend(drawn: Picture, behind: Picture, share: float) -> None:
    """Let what lies behind show through ``drawn``, in place, where the card covers only ``share`` of the pixels."""
    if share < 1:
        drawn[:] = np.rint(share * drawn.astype(np.float32) + (1 - share) * behind.astype(np.float32))
