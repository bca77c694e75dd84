"""Depth of a frame of two eyes, found where it is asked for and nowhere else."""

from typing import Callable, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from nasion.core.calibration import Calibration
from nasion.core.results import PersonReason
from nasion.core.stereo import ambiguous, depth_patch, rows_needed
from nasion.settings import DepthSettings
from nasion.sources.rectify import Rectifier

Picture = NDArray[np.uint8]
#: Why depth is refused; None where it is not. Any thread may ask, and may wait for the answer.
Refusal = Callable[[], Optional[PersonReason]]


def _not_refused() -> None:
    """Where nobody has looked at the eyes."""


class StereoDepth:
    """Patches of depth by matching the two eyes around the pixel: a DepthAccessor."""

    def __init__(
        self,
        left: Picture,
        right: Picture,
        calibration: Calibration,
        limits: DepthSettings,
        rectifier: Optional[Rectifier] = None,
        refusal: Refusal = _not_refused,
    ) -> None:
        """``left``: the rectified left picture; ``right``: the right one of the same instant and size.

        Both (H, W, 3) BGR or (H, W, 4) BGRx uint8. With a ``rectifier`` the right picture is as the lens saw it, and
        only the rows that are asked for are rectified. ``refusal`` answers for `refused`.
        """
        self._left, self._right = left, right
        self._calibration = calibration
        self._limits = limits
        self._rectifier = rectifier
        self._refusal = refusal

    def guarded(self, refusal: Refusal) -> "StereoDepth":
        """The same depth, refused where ``refusal`` says so."""
        return StereoDepth(self._left, self._right, self._calibration, self._limits, self._rectifier, refusal)

    def refused(self) -> Optional[PersonReason]:
        """Why no distance may come of it; see `Refusing`."""
        return self._refusal()

    def left(self) -> Picture:
        """The whole left picture, rectified."""
        return self._left

    def right(self) -> Picture:
        """The whole right picture, rectified: each row is what `patch` would make of it."""
        return self._right if self._rectifier is None else self._rectifier.right(self._right, slice(None))

    def ambiguous(self, u: float, v: float) -> bool:
        """See Doubting."""
        left, right, row = self._band(v, 1)
        return ambiguous(left, right, u, row, self._calibration, self._limits.near_m)

    def patch(self, u: float, v: float, size: int) -> NDArray[np.float32]:
        """``size`` x ``size`` depths around pixel (u, v); see DepthAccessor."""
        left, right, row = self._band(v, size)
        return depth_patch(left, right, u, row, size, self._calibration, self._limits.near_m, self._limits.far_m)

    def _band(self, v: float, size: int) -> Tuple[Picture, Picture, float]:
        """The rows of both pictures that are read for a patch around row ``v``, and where that lies in them."""
        if self._rectifier is None:
            return self._left, self._right, v
        rows = rows_needed(v, size, self._left.shape[0])
        right = self._rectifier.right(self._right, rows) if rows.start < rows.stop else self._right[rows]
        return self._left[rows], right, v - rows.start
