"""Depth of a frame of two eyes, found where it is asked for and nowhere else."""

from typing import Optional

import numpy as np
from numpy.typing import NDArray

from nasion.core.calibration import Calibration
from nasion.core.stereo import depth_patch, rows_needed
from nasion.settings import DepthSettings
from nasion.sources.rectify import Rectifier

Picture = NDArray[np.uint8]


class StereoDepth:
    """Patches of depth by matching the two eyes around the pixel: a DepthAccessor."""

    def __init__(
        self,
        left: Picture,
        right: Picture,
        calibration: Calibration,
        limits: DepthSettings,
        rectifier: Optional[Rectifier] = None,
    ) -> None:
        """``left``: the rectified left picture; ``right``: the right one of the same instant and size.

        Both (H, W, 3) BGR or (H, W, 4) BGRx uint8. With a ``rectifier`` the right picture is as the lens saw it, and
        only the rows that are asked for are rectified.
        """
        self._left, self._right = left, right
        self._calibration = calibration
        self._limits = limits
        self._rectifier = rectifier

    def right(self) -> Picture:
        """The whole right picture, rectified: each row is what `patch` would make of it."""
        return self._right if self._rectifier is None else self._rectifier.right(self._right, slice(None))

    def patch(self, u: float, v: float, size: int) -> NDArray[np.float32]:
        """``size`` x ``size`` depths around pixel (u, v); see DepthAccessor."""
        near, far = self._limits.near_m, self._limits.far_m
        if self._rectifier is None:
            return depth_patch(self._left, self._right, u, v, size, self._calibration, near, far)
        rows = rows_needed(v, size, self._left.shape[0])
        if rows.start >= rows.stop:
            return np.full((size, size), np.nan, np.float32)
        right = self._rectifier.right(self._right, rows)
        return depth_patch(self._left[rows], right, u, v - rows.start, size, self._calibration, near, far)
