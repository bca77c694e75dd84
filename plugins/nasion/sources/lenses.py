"""What is known of two cameras before their pictures are rectified."""

from dataclasses import dataclass
from typing import Optional, Tuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Lens:
    """One camera: ``matrix`` (3, 3) in pixels; ``distortion`` (n,) as in OpenCV: k1, k2, p1, p2, k3[, k4, k5, k6]."""

    matrix: Floats
    distortion: Floats


@dataclass(frozen=True)
class StereoLenses:
    """Two cameras: a point x of the left camera's frame is ``rotation @ x + translation_m`` in the right one's.

    ``width, height``: pixels of each picture. ``rectification``: the turns R1, R2 (3, 3) of left and right camera and
    the projection P1 (3, 4) of both, where they are given.
    """

    width: int
    height: int
    left: Lens
    right: Lens
    rotation: Floats
    translation_m: Floats
    rectification: Optional[Tuple[Floats, Floats, Floats]] = None
