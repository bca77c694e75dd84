"""The person of the demo: head and chest from scikit-image's public-domain portrait (NASA, S99-04726).

The centres of the irises were marked by eye in the 512 x 512 picture enlarged 28 times: the one left in the picture at
(203.4, 100.8), the other at (246.6, 103.0), each good to about half a pixel. The keypoint is the middle between them.
"""

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Tuple

import numpy as np
from numpy.typing import NDArray

from nasion.errors import DependencyError
from nasion.installing import how_to_install
from nasion.sources.pictures import DamagedPictureError, read_picture

_EYES = ((203.4, 100.8), (246.6, 103.0))
_EYE_DISTANCE_M = 0.063
#: Head and chest: columns and rows of the picture. Far away, a body is what tells a head from a spot on the wall.
_COLUMNS, _ROWS = (20, 400), (4, 430)


@dataclass(frozen=True)
class Portrait:
    """A flat picture of a person, life-size.

    ``picture``: (H, W, 3) BGR uint8; ``keypoint``: (u, v) of the point between the eyes in it; ``metre_px``: how many
    of its pixels make a metre.
    """

    picture: NDArray[np.uint8]
    keypoint: Tuple[float, float]
    metre_px: float


def load_portrait() -> Portrait:
    """Read the portrait; DependencyError where scikit-image is not installed."""
    spec = importlib.util.find_spec("skimage")
    if spec is None or not spec.submodule_search_locations:
        raise DependencyError(
            f"the demo shows a photograph of scikit-image, which is missing; install it with: {how_to_install('demo')}"
        )
    # Read without importing skimage, which would load scipy for one picture.
    path = Path(next(iter(spec.submodule_search_locations))) / "data" / "astronaut.png"
    try:
        picture = read_picture(path)
    except DamagedPictureError as damage:
        raise DependencyError(
            f'scikit-image is there but {path} is not: {damage}; pip install --force-reinstall "scikit-image"'
        ) from None
    (left_u, left_v), (right_u, right_v) = _EYES
    cut = picture[_ROWS[0] : _ROWS[1], _COLUMNS[0] : _COLUMNS[1]]
    return Portrait(
        np.asarray(np.ascontiguousarray(cut), np.uint8),
        ((left_u + right_u) / 2 - _COLUMNS[0], (left_v + right_v) / 2 - _ROWS[0]),
        float(np.hypot(right_u - left_u, right_v - left_v)) / _EYE_DISTANCE_M,
    )
