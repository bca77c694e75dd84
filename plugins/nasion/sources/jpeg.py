"""JPEG streams, decoded strictly. JPEG has no check sum: what the decoder stumbles over is all that tells damage."""

import re
from typing import Iterator, NamedTuple, Optional, Tuple

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from nasion.sources.picture_limits import DamagedPictureError, require_size_to_hold

MAGIC = b"\xff\xd8"
_END_OF_IMAGE = b"\xff\xd9"
#: What the decoder says of bytes left over before the end mark.
_LEFT_OVER = re.compile(r"(\d+) extraneous bytes before marker 0xd9")
#: So few of any kind are a camera's carelessness; damage leaves over what it made the decoder miss.
_FEW_BYTES = 2

#: A progressive picture is written in about ten scans; each is worked on over the whole of it, however small it is.
MOST_SCANS = 100
#: The same for large ones, some seconds of work.
MOST_SCANNED_PIXELS = 1 << 31
#: All coefficients of a picture in several scans are held at once, 6 bytes a pixel.
MOST_PIXELS_IN_SCANS = 1 << 26

#: Numbers that some cameras write wrong; no decoder needs them, but a strict one ends there.
_SLIP = re.compile("Invalid SOS parameters|unknown JFIF revision")
_WHOLE_SPECTRUM, _REVISION = b"\0\x3f\0", b"\1\2"

_EXIF = b"Exif\0\0"
_APP0, _APP1, _START_OF_SCAN = 0xE0, 0xE1, 0xDA
#: Frames whose scans hold the whole of their components: baseline and extended sequential.
_SEQUENTIAL = (0xC0, 0xC1)
#: Markers that stand alone: TEM, restarts, start.
_ALONE = {0x01, *range(0xD0, 0xD9)}
#: The next marker of a segment; within a scan 0 and the restarts belong to the data, and 255 only fills.
_NEXT_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)


class _Segment(NamedTuple):
    marker: int
    start: int
    end: int


def decode_jpeg(data: bytes) -> NDArray[np.uint8]:
    """The picture, (H, W, 3) BGR uint8, as it is stored; DamagedPictureError. CMYK and grey ones become BGR."""
    width, height = jpeg_size(data)
    require_size_to_hold(width, height)
    _require_few_scans(data, width * height)
    try:
        return _decoded(data)
    except ValueError as error:
        if _SLIP.search(str(error)) is None:
            return _decoded_if_padded(data, error)
    data = _without_slips(data)
    try:
        return _decoded(data)
    except ValueError as error:
        return _decoded_if_padded(data, error)


def _decoded(data: bytes, *, strict: bool = True) -> NDArray[np.uint8]:
    """ValueError with the first thing that the decoder stumbles over, where it has to be ``strict``."""
    return np.asarray(simplejpeg.decode_jpeg(data, colorspace="BGR", strict=strict), np.uint8)


def _decoded_if_padded(data: bytes, error: ValueError) -> NDArray[np.uint8]:
    """The picture where the decoder only complains of padding before the end mark, as many cameras write it."""
    match = _LEFT_OVER.search(str(error))
    if match is not None and int(match[1]) <= _FEW_BYTES:
        return _decoded(data, strict=False)
    unpadded = None if match is None else _without_padding(data, int(match[1]))
    try:
        if unpadded is not None:
            return _decoded(unpadded)
    except ValueError:
        # A part of the picture was overwritten with what looks like padding.
        pass
    raise DamagedPictureError(f"the JPEG is damaged: {error}") from None


def _without_padding(data: bytes, count: int) -> Optional[bytes]:
    """The stream without the zeros, or ones, before its end mark, of which ``count`` were left over; None for others.

    The last byte of a picture is filled up with ones, so that zeros are no part of it but after 255.
    """
    end = data.rfind(_END_OF_IMAGE)
    padding = data[max(0, end - count) : end]
    if padding not in (bytes(count), b"\xff" * count):
        return None
    kept = data[:end].rstrip(padding[:1])
    return kept + (b"\0" if kept.endswith(b"\xff") else b"") + data[end:]


def jpeg_size(data: bytes) -> Tuple[int, int]:
    """(width, height) of the header; DamagedPictureError where there is none to be read."""
    try:
        height, width, _, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    except (ValueError, KeyError):
        # The binding's KeyError: it has no name for the colours of a picture without a header.
        height = width = 0
    if not height or not width:
        raise DamagedPictureError("the header of the JPEG cannot be read")
    return width, height


def jpeg_exif(data: bytes) -> Optional[bytes]:
    """The EXIF data (a TIFF header and what follows), or None."""
    for segment in _segments(data):
        if segment.marker == _APP1 and data.startswith(_EXIF, segment.start):
            return data[segment.start + len(_EXIF) : segment.end]
        if segment.marker == _START_OF_SCAN:
            break
    return None


def _require_few_scans(data: bytes, pixels: int) -> None:
    scans = sum(segment.marker == _START_OF_SCAN for segment in _segments(data))
    most = min(MOST_SCANS, MOST_SCANNED_PIXELS // max(pixels, 1))
    if scans > most:
        raise DamagedPictureError(f"the JPEG has {scans} scans; one of its size is read with up to {most}")
    if scans > 1 and pixels > MOST_PIXELS_IN_SCANS:
        raise DamagedPictureError(
            f"the JPEG has {scans} scans and {pixels} pixels; one of several scans may have {MOST_PIXELS_IN_SCANS}"
        )


def _without_slips(data: bytes) -> bytes:
    """The stream with the right numbers, so that the decoder goes on to what matters."""
    right = bytearray(data)
    sequential = False
    for segment in _segments(data):
        sequential |= segment.marker in _SEQUENTIAL
        if segment.marker == _APP0 and data.startswith(b"JFIF\0", segment.start):
            right[segment.start + 5 : segment.start + 7] = _REVISION
        elif segment.marker == _START_OF_SCAN and sequential and segment.end <= len(data):
            right[segment.end - 3 : segment.end] = _WHOLE_SPECTRUM
    return bytes(right)


def _segments(data: bytes) -> Iterator[_Segment]:
    """The segments up to the end mark or the end of what can be told; start and end of what each holds."""
    at = len(MAGIC)
    while True:
        found = _NEXT_MARKER.search(data, at)
        if found is None or found[1] == _END_OF_IMAGE[1:]:
            return
        marker, start = found[1][0], found.end()
        if marker in _ALONE:
            at = start
            continue
        at = start + int.from_bytes(data[start : start + 2], "big")
        yield _Segment(marker, start + 2, at)
