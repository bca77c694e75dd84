"""One picture seen in several sizes: a person is where all of them say so."""

from typing import NamedTuple, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from nasion.core.heatmap import HeatMap
from nasion.core.views import ViewGeometry


class Look(NamedTuple):
    """The heat map (input height / stride, input width / stride) of a picture, and how the picture lay in the input."""

    heat: HeatMap
    geometry: ViewGeometry


def agreement(looks: Sequence[Look], stride: int) -> HeatMap:
    """Geometric mean of the heat maps of one picture, at the cells of the last.

    A false alarm is seldom one in two sizes; a face is one in each where it is neither too small nor too large. The
    mean of the heights where both are high is hardly lower than either. ValueError: no look.
    """
    if not looks:
        raise ValueError("expected at least one look")
    *others, last = looks
    if not others:
        return last.heat
    product = np.clip(last.heat, 0, 1)
    for look in others:
        product = product * np.clip(_at_cells_of(look, last, stride), 0, 1)
    mean: HeatMap = (product ** (1 / len(looks))).astype(np.float32)
    return mean


def _at_cells_of(look: Look, wanted: Look, stride: int) -> NDArray[np.float32]:
    """The heat map of ``look`` at the places of the cells of ``wanted``."""
    first, second = (_cell(index, look, wanted, stride) for index in (0.0, 1.0))
    affine = np.array([[second[0] - first[0], 0, first[0]], [0, second[1] - first[1], first[1]]])
    height, width = wanted.heat.shape
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(look.heat, affine, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)


def _cell(index: float, look: Look, wanted: Look, stride: int) -> Sequence[float]:
    """Where column and row ``index`` of ``wanted`` lie in the heat map of ``look``; half-pixel rule."""
    u, v = wanted.geometry.to_frame((index + 0.5) * stride - 0.5, (index + 0.5) * stride - 0.5)
    x, y = look.geometry.to_input(u, v)
    return (x + 0.5) / stride - 0.5, (y + 0.5) / stride - 0.5
