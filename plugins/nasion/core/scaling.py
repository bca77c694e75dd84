"""A view's crop of a picture in the size that the network sees it: for streams, stills and elements alike."""

from typing import Tuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nasion.core.views import ChannelOrder, ViewGeometry

Pixels = NDArray[np.uint8]

_CONVERSIONS = {
    (3, "RGB"): cv2.COLOR_BGR2RGB,
    (4, "RGB"): cv2.COLOR_BGRA2RGB,
    (4, "BGR"): cv2.COLOR_BGRA2BGR,
}


def scaled_crop(picture: Pixels, geometry: ViewGeometry, order: ChannelOrder = "RGB") -> Pixels:
    """``picture`` (H, W, 3 or 4) BGR or BGRx as (scaled_height, scaled_width, 3), channels in ``order``.

    Every pixel of the crop counts, as in the training pictures, which were averaged over areas: a shrunken face must
    not break up.
    """
    scaled = resized(picture[geometry.crop], geometry.scaled_width, geometry.scaled_height)
    conversion = _CONVERSIONS.get((scaled.shape[2], order))
    return scaled if conversion is None else np.asarray(cv2.cvtColor(scaled, conversion), np.uint8)


def resized(seen: Pixels, width: int, height: int) -> Pixels:
    """``seen`` (H, W, any channels) in another size: halved by averages of 2 x 2 as often as that can be, which takes
    half as long as one average over larger areas, and the rest in one step.
    """
    while _halves(seen.shape[1], width) and _halves(seen.shape[0], height):
        seen = _resize(seen, (seen.shape[1] // 2, seen.shape[0] // 2), cv2.INTER_AREA)
    if seen.shape[:2] == (height, width):
        return seen
    # Between neighbours less than two pixels apart, bilinear interpolation leaves no pixel out.
    shrinks_far = seen.shape[1] >= 2 * width or seen.shape[0] >= 2 * height
    return _resize(seen, (width, height), cv2.INTER_AREA if shrinks_far else cv2.INTER_LINEAR)


def _halves(length: int, wanted: int) -> bool:
    return length % 2 == 0 and length >= 2 * wanted


def _resize(picture: Pixels, size: Tuple[int, int], method: int) -> Pixels:
    return np.asarray(cv2.resize(picture, size, interpolation=method), np.uint8)
