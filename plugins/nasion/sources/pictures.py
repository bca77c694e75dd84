"""Still pictures, read strictly: a file that was cut off is refused, where decoders would fill the rest with grey."""

import zlib
from pathlib import Path
from typing import Optional, Tuple

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

#: Endings of the picture files that recordings may hold.
ENDINGS = (".jpg", ".jpeg", ".png")

_JPEG, _PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
_END_OF_IMAGE = b"\xff\xd9"
_START_OF_SCAN = 0xDA
#: JPEG markers that begin a frame, i.e. hold the picture's size: all of 0xC0..0xCF but the table markers.
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


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
    """The picture in a JPEG or PNG stream, (H, W, 3) BGR uint8; DamagedPictureError."""
    fault = find_fault(data)
    if fault is not None:
        raise DamagedPictureError(fault)
    try:
        # As the lens saw it: a camera on a robot is not turned over by a tag.
        flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise DamagedPictureError(f"it cannot be decoded: {error.err}") from None
    if picture is None:
        raise DamagedPictureError("it cannot be decoded")
    return np.asarray(picture, np.uint8)


def find_fault(data: bytes) -> Optional[str]:
    """What is missing in a JPEG or PNG stream; None when it is whole.

    PNG: every chunk with its check sum up to IEND. JPEG has no check sum: every segment, and the end-of-image mark.
    """
    if not data:
        return "it is empty"
    if data.startswith(_JPEG):
        return _jpeg_fault(data)
    if data.startswith(_PNG):
        return _png_fault(data)
    return "it is neither JPEG nor PNG"


def picture_size(path: Path) -> Optional[Tuple[int, int]]:
    """(width, height) from the header of a JPEG or PNG file; None where there is none to be read."""
    try:
        with path.open("rb") as file:
            data = file.read(1 << 18)
    except OSError:
        return None
    if data.startswith(_PNG) and len(data) >= 24:
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    at = 2 if data.startswith(_JPEG) else len(data)
    while at + 9 <= len(data) and data[at] == 0xFF and data[at + 1] != _START_OF_SCAN:
        if data[at + 1] in _START_OF_FRAME:
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _jpeg_fault(data: bytes) -> Optional[str]:
    # Thumbnails with an end of their own lie in the segments before the scan, so these are stepped over.
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return f"the JPEG is damaged at byte {at}"
        if data[at + 1] == 0xFF:
            at += 1
            continue
        if data[at + 1] == _START_OF_SCAN:
            return None if data.find(_END_OF_IMAGE, at) >= 0 else "the JPEG was cut off: it has no end-of-image mark"
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return "the JPEG was cut off in its header"


def _png_fault(data: bytes) -> Optional[str]:
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
