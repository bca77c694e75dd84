"""Picture files to arrays."""

from pathlib import Path

import numpy as np
from nasion.sources.picture_limits import DamagedPictureError
from nasion.sources.stills import read_still

from training.data.augment import Pixels
from training.data.table import TableError


def read_bgr(path: Path) -> Pixels:
    """Decode a picture file to (H, W, 3) BGR uint8, as OpenCV and the run time have it; TableError."""
    try:
        return read_still(path)
    except DamagedPictureError as error:
        why = f"not a readable picture ({error}); remove it from the table or replace it"
        raise TableError(f"{path}: {why}") from None


def read_rgb(path: Path) -> Pixels:
    """The same as (H, W, 3) RGB uint8, as the network has it."""
    return np.ascontiguousarray(read_bgr(path)[..., ::-1])
