"""Depth of a frame that came with a metric depth map, as a ZED delivers it."""

import math

import numpy as np
from numpy.typing import NDArray

from nasion.settings import DepthSettings


class DepthMap:
    """Patches of a depth map: a DepthAccessor."""

    def __init__(self, depth: NDArray[np.float32], limits: DepthSettings) -> None:
        """``depth``: (H, W) float32, z in metres, of the left picture's pixels.

        NaN, 0 and negative numbers are unknown; -inf is nearer and +inf farther than the camera can measure.
        """
        #: As it was given.
        self.whole = depth
        self._limits = limits

    def refused(self) -> None:
        """A camera that measures depth answers for it itself."""

    def patch(self, u: float, v: float, size: int) -> NDArray[np.float32]:
        """``size`` x ``size`` depths around pixel (u, v); see DepthAccessor."""
        patch = np.full((size, size), np.nan, np.float32)
        height, width = self.whole.shape
        left, top = math.floor(u + 0.5) - size // 2, math.floor(v + 0.5) - size // 2
        rows = slice(min(max(top, 0), height), max(min(top + size, height), 0))
        columns = slice(min(max(left, 0), width), max(min(left + size, width), 0))
        seen = self.whole[rows, columns]
        patch[
            rows.start - top : rows.start - top + seen.shape[0],
            columns.start - left : columns.start - left + seen.shape[1],
        ] = seen
        patch[(patch <= 0) & np.isfinite(patch)] = np.nan
        patch[patch < self._limits.near_m] = -np.inf
        patch[patch > self._limits.far_m] = np.inf
        return patch
