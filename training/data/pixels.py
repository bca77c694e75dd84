"""Picture files to arrays."""

from pathlib import Path

import cv2
import numpy as np

from training.data.augment import Pixels
from training.data.table import TableError


def read_bgr(path: Path) -> Pixels:
    """Decode a picture file to (H, W, 3) BGR uint8, as OpenCV and the run time have it."""
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise TableError(f"{path}: not a readable picture; remove it from the table or replace it")
    return np.asarray(bgr, np.uint8)


def read_rgb(path: Path) -> Pixels:
    """The same as (H, W, 3) RGB uint8, as the network has it."""
    return np.ascontiguousarray(read_bgr(path)[..., ::-1])
