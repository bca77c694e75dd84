"""From what two lenses saw to a rectified pair: no distortion, rows aligned, the same intrinsics for both eyes."""

from typing import Tuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nasion.core.calibration import Calibration, Intrinsics
from nasion.sources.lenses import Lens, StereoLenses
from nasion.sources.stereo_checks import rectification

Picture = NDArray[np.uint8]
#: Where each pixel comes from, in OpenCV's fixed-point form: whole pixels (H, W, 2) and fractions (H, W).
Maps = Tuple[NDArray[np.int16], NDArray[np.uint16]]


class Rectifier:
    """Rectifies the pictures of one camera; the maps are made once."""

    def __init__(self, lenses: StereoLenses) -> None:
        """See `rectification`."""
        size = (lenses.width, lenses.height)
        (turn_left, turn_right), camera = rectification(lenses)
        self.calibration = Calibration(
            Intrinsics(*size, *(float(camera[at]) for at in ((0, 0), (1, 1), (0, 2), (1, 2)))),
            baseline_m=float(np.linalg.norm(lenses.translation_m)),
        )
        self._left = _maps(lenses.left, turn_left, camera, size)
        self._right = _maps(lenses.right, turn_right, camera, size)

    def left(self, picture: Picture) -> Picture:
        """The left picture rectified: a new array of the same size."""
        return _remapped(picture, self._left, slice(None))

    def right(self, picture: Picture, rows: slice) -> Picture:
        """Those ``rows`` of the rectified right picture."""
        return _remapped(picture, self._right, rows)


def _maps(lens: Lens, turn: NDArray[np.float64], camera: NDArray[np.float64], size: Tuple[int, int]) -> Maps:
    whole, fraction = cv2.initUndistortRectifyMap(lens.matrix, lens.distortion, turn, camera, size, cv2.CV_16SC2)
    return np.asarray(whole, np.int16), np.asarray(fraction, np.uint16)


def _remapped(picture: Picture, maps: Maps, rows: slice) -> Picture:
    whole, fraction = maps
    return np.asarray(cv2.remap(picture, whole[rows], fraction[rows], cv2.INTER_LINEAR), np.uint8)
