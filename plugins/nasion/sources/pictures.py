"""Still pictures, read strictly: a file that was cut off is refused, where decoders would fill the rest with grey."""

import os
import stat
from pathlib import Path
from typing import Optional, Tuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nasion.sources import jpeg, png
from nasion.sources.orientation import orientation, upright
from nasion.sources.picture_limits import DamagedPictureError

__all__ = [
    "ENDINGS",
    "DamagedPictureError",
    "Picture",
    "decode_grey16",
    "decode_picture",
    "is_turned",
    "picture_bytes",
    "picture_size",
    "read_picture",
]

Picture = NDArray[np.uint8]

#: Endings of the picture files that recordings may hold.
ENDINGS = (".jpg", ".jpeg", ".png")
#: A larger file is no picture that can be held in memory.
MAX_BYTES = 512 << 20
#: A JPEG's size stands behind its EXIF data and colour profile.
_HEADER_BYTES = 1 << 18

_AS_STORED = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION

# What it has to say of a picture is said by us, with the picture's name; who wants its own words asks for them.
if "OPENCV_LOG_LEVEL" not in os.environ:
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def read_picture(path: Path) -> Picture:
    """The picture of a JPEG or PNG file, (H, W, 3) BGR uint8; DamagedPictureError."""
    return decode_picture(picture_bytes(path))


def picture_bytes(path: Path) -> bytes:
    """The content of a file that is to be a picture; DamagedPictureError. Nothing else is opened, nor waited for."""
    data = _beginning(path, MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise DamagedPictureError(f"it is larger than {MAX_BYTES >> 20} MiB")
    return data


def _beginning(path: Path, count: int) -> bytes:
    try:
        # A pipe that nobody writes to must not hold us up.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise DamagedPictureError("it is no regular file")
            return file.read(count)
    except OSError as error:
        raise DamagedPictureError(f"it cannot be read ({error.strerror})") from None
    except ValueError:
        raise DamagedPictureError("it cannot be read (no file has such a name)") from None


def decode_picture(data: bytes, *, as_meant: bool = False) -> Picture:
    """The picture in a JPEG or PNG stream, (H, W, 3) BGR uint8; DamagedPictureError.

    As the lens saw it: a robot's camera is not turned over by a tag, so an orientation that EXIF data give is left
    alone, unless ``as_meant`` asks for the picture as people are to look at it. Grey ones, palettes and CMYK become
    BGR, 16 bits become 8, transparency is left out.
    """
    if not data:
        raise DamagedPictureError("it is empty")
    if data.startswith(jpeg.MAGIC):
        picture = jpeg.decode_jpeg(data)
    elif data.startswith(png.MAGIC):
        picture = by_opencv(png.essential_png(data), _AS_STORED)
    else:
        raise DamagedPictureError("it is neither JPEG nor PNG")
    return upright(picture, _orientation(data)) if as_meant else picture


def is_turned(data: bytes) -> bool:
    """Whether the EXIF data of a whole JPEG or PNG stream tell programs to show it turned or mirrored."""
    return _orientation(data) != 1


def picture_size(path: Path) -> Optional[Tuple[int, int]]:
    """(width, height) from the header of a JPEG or PNG file; None where there is none to be read."""
    try:
        data = _beginning(path, _HEADER_BYTES)
        return png.png_size(data) if data.startswith(png.MAGIC) else jpeg.jpeg_size(data)
    except DamagedPictureError:
        return None


def by_opencv(data: bytes, flags: int) -> Picture:
    """What OpenCV decodes, (H, W, 3) uint8; DamagedPictureError where it sees an error."""
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise DamagedPictureError(f"it cannot be decoded: {error.err}") from None
    if picture is None:
        raise DamagedPictureError("it cannot be decoded")
    return np.asarray(picture, np.uint8)


def decode_grey16(data: bytes) -> NDArray[np.uint16]:
    """The numbers of a grey PNG of 16 bits, (H, W) uint16; DamagedPictureError where it is damaged or another kind.

    A picture of depth made for people has 8 bits or colours, and its numbers are no distances.
    """
    if not data.startswith(png.MAGIC):
        raise DamagedPictureError("it is no PNG")
    stream = png.essential_png(data)
    # IHDR: bits a sample, and the kind of samples: 0 is grey.
    bits, kind = stream[24], stream[25]
    if (bits, kind) != (16, 0):
        what = "grey" if kind == 0 else "colours"
        raise DamagedPictureError(
            f"it has {bits} bits and {what}: a picture of depth, not depth; expected 16 bits, grey"
        )
    try:
        numbers = cv2.imdecode(np.frombuffer(stream, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise DamagedPictureError(f"it cannot be decoded: {error.err}") from None
    if numbers is None or numbers.dtype != np.uint16:
        raise DamagedPictureError("it cannot be decoded")
    return np.asarray(numbers, np.uint16)


def _orientation(data: bytes) -> int:
    return orientation(jpeg.jpeg_exif(data) if data.startswith(jpeg.MAGIC) else png.png_exif(data))
