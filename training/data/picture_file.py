"""Picture files, looked at strictly: what is damaged, or may be seen in two ways, is told instead of guessed."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from nasion.sources.pictures import DamagedPictureError, decode_picture

from training.data.augment import Pixels
from training.data.duplicates import Bits, difference_hash


@dataclass(frozen=True)
class Sight:
    """What a look at a picture file found: (width, height), SHA-256 of its bytes, what it looks like; or its fault.

    ``turned``: its EXIF data tell programs to show it turned or mirrored, so its labels may mean either way.
    """

    size: tuple[int, int] | None = None
    digest: str | None = None
    bits: Bits | None = None
    turned: bool = False
    fault: str | None = None


def look(path: Path) -> Sight:
    """Read one file; whatever is wrong with it becomes its ``fault``."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Sight(fault="there is no such file")
    except (OSError, ValueError) as error:
        return Sight(fault=f"it cannot be read ({error})")
    digest = hashlib.sha256(data).hexdigest()
    try:
        pixels: Pixels = decode_picture(data)
    except DamagedPictureError as error:
        return Sight(digest=digest, fault=str(error))
    size = pixels.shape[1], pixels.shape[0]
    return Sight(size, digest, difference_hash(pixels), _is_turned(data, pixels))


def _is_turned(data: bytes, stored: Pixels) -> bool:
    """Whether EXIF data turn the picture: decoded with and without them, it differs."""
    # In a JPEG they are in the segments before the picture, each of at most 64 KiB; usually they are the first.
    if b"Exif\0\0" not in data[: 1 << 17] and b"eXIf" not in data[: 1 << 17]:
        return False
    flags = cv2.IMREAD_GRAYSCALE, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
    shown, as_stored = (cv2.imdecode(np.frombuffer(data, np.uint8), flag) for flag in flags)
    if shown is None or as_stored is None:
        return False
    return shown.shape != stored.shape[:2] or not np.array_equal(shown, as_stored)
