"""Picture files, looked at strictly: what is damaged, or may be seen in two ways, is told instead of guessed."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from nasion.sources.pictures import DamagedPictureError, decode_picture, is_turned, picture_bytes

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
        data = picture_bytes(path)
    except DamagedPictureError as error:
        return Sight(fault=str(error) if os.path.lexists(path) else "there is no such file")
    digest = hashlib.sha256(data).hexdigest()
    try:
        pixels: Pixels = decode_picture(data)
    except DamagedPictureError as error:
        return Sight(digest=digest, fault=str(error))
    size = pixels.shape[1], pixels.shape[0]
    return Sight(size, digest, difference_hash(pixels), is_turned(data))
