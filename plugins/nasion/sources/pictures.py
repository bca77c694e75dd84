"""Still pictures, read strictly: a file that was cut off is refused, where decoders would fill the rest with grey."""

import re
import zlib
from pathlib import Path
from typing import Optional, Tuple

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

#: Endings of the picture files that recordings may hold.
ENDINGS = (".jpg", ".jpeg", ".png")

_JPEG, _PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
_END_OF_IMAGE = b"\xff\xd9"
#: What the decoder says of bytes left over before the end mark.
_LEFT_OVER = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
#: So few of any kind are a camera's carelessness; damage leaves over what it made the decoder miss.
_FEW_BYTES = 2
#: A header that says more is damaged; 16 times a ZED's largest pair.
_MOST_PIXELS = 1 << 28


class DamagedPictureError(Exception):
    """The picture cannot be decoded completely; the text says why."""


def read_picture(path: Path) -> Picture:
    """The picture of a JPEG or PNG file, (H, W, 3) BGR uint8; DamagedPictureError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DamagedPictureError(f"it cannot be read ({error.strerror})") from None
    return decode_picture(data)


def decode_picture(data: bytes) -> Picture:
    """The picture in a JPEG or PNG stream, (H, W, 3) BGR uint8, as the lens saw it; DamagedPictureError.

    A robot's camera is not turned over by a tag: an orientation that EXIF data give is left alone.
    """
    if not data:
        raise DamagedPictureError("it is empty")
    if data.startswith(_JPEG):
        return _decode_jpeg(data)
    if data.startswith(_PNG):
        return _decode_png(data)
    raise DamagedPictureError("it is neither JPEG nor PNG")


def picture_size(path: Path) -> Optional[Tuple[int, int]]:
    """(width, height) from the header of a JPEG or PNG file; None where there is none to be read."""
    try:
        with path.open("rb") as file:
            data = file.read(1 << 18)
    except OSError:
        return None
    if data.startswith(_PNG) and len(data) >= 24:
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    try:
        return _jpeg_size(data)
    except DamagedPictureError:
        return None


def _decode_jpeg(data: bytes) -> Picture:
    """JPEG has no check sum: what the decoder stumbles over is all that tells damage."""
    width, height = _jpeg_size(data)
    if width * height > _MOST_PIXELS:
        raise DamagedPictureError(f"its header says {width}x{height}, which is more than {_MOST_PIXELS} pixels")
    try:
        return np.asarray(simplejpeg.decode_jpeg(data, colorspace="BGR"), np.uint8)
    except ValueError as error:
        if not _padded(data, str(error)):
            raise DamagedPictureError(f"the JPEG is damaged: {error}") from None
    return np.asarray(simplejpeg.decode_jpeg(data, colorspace="BGR", strict=False), np.uint8)


def _padded(data: bytes, complaint: str) -> bool:
    """Whether the decoder only complains of padding before the end mark, as many cameras write it."""
    match = _LEFT_OVER.search(complaint)
    if match is None:
        return False
    count, end = int(match[1]), data.rfind(_END_OF_IMAGE)
    return count <= _FEW_BYTES or data[max(0, end - count) : end] in (bytes(count), b"\xff" * count)


def _jpeg_size(data: bytes) -> Tuple[int, int]:
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data)
    except ValueError:
        raise DamagedPictureError("the header of the JPEG cannot be read") from None
    return width, height


def _decode_png(data: bytes) -> Picture:
    fault = _png_fault(data)
    if fault is not None:
        raise DamagedPictureError(fault)
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise DamagedPictureError(f"it cannot be decoded: {error.err}") from None
    if picture is None:
        raise DamagedPictureError("it cannot be decoded")
    return np.asarray(picture, np.uint8)


def _png_fault(data: bytes) -> Optional[str]:
    """What is wrong: every chunk has a check sum, and the last one is IEND. None when it is whole."""
    at = len(_PNG)
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data):
            break
        if zlib.crc32(data[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            return f"the PNG is damaged: wrong check sum of its chunk at byte {at}"
        if kind == b"IEND":
            return None
        at = end
    return "the PNG was cut off: it has no IEND chunk"
