"""Still pictures in every form that is read, made by code; the encoders are OpenCV's, the headers are written here."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

SIDES = (80, 60)


def picture() -> Picture:
    """Something soft with an orientation: red to the left, green at the top."""
    width, height = SIDES
    rows, columns = np.mgrid[:height, :width]
    return np.stack((60 + 0 * rows, 255 - 3 * rows, 250 - 3 * columns), axis=2).astype(np.uint8)


def encoded(ending: str, shown: Picture | None = None, *flags: int) -> bytes:
    made, data = cv2.imencode(ending, picture() if shown is None else shown, list(flags))
    assert made
    return bytes(data)


def exif(orientation: int, order: str = ">") -> bytes:
    """EXIF data with nothing in them but the orientation."""
    start = b"MM\0*" if order == ">" else b"II*\0"
    return start + struct.pack(f"{order}IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def jpeg_with(data: bytes, orientation: int, order: str = ">") -> bytes:
    segment = b"Exif\0\0" + exif(orientation, order)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_with(data: bytes, *chunks: bytes) -> bytes:
    """With more chunks behind the first, which has 25 bytes."""
    return data[:33] + b"".join(chunks) + data[33:]


def png_of(width: int, height: int, packed: bytes) -> bytes:
    """An RGB picture that says to be so large; every check sum is right."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def with_scans(data: bytes, count: int) -> bytes:
    """A progressive JPEG whose last scan is there ``count`` times more."""
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * count + data[-2:]


PROGRESSIVE = encoded(".jpg", None, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
