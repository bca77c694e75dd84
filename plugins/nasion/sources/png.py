"""PNG streams, decoded strictly: every chunk has a check sum, and the last one is IEND."""

import zlib
from typing import Iterator, NamedTuple, Optional, Tuple

from nasion.sources.picture_limits import DamagedPictureError, require_size_to_hold

MAGIC = b"\x89PNG\r\n\x1a\n"
#: What makes the picture; everything else only makes the decoder complain, or is for other programs.
_NEEDED = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
_EXIF = b"eXIf"


class _Chunk(NamedTuple):
    kind: bytes
    start: int
    end: int


def essential_png(data: bytes) -> bytes:
    """The stream without what is not needed to decode it; DamagedPictureError where it is damaged or too large."""
    chunks = list(_checked(data))
    if not chunks or chunks[0].kind != b"IHDR":
        raise DamagedPictureError("the PNG is damaged: it does not begin with an IHDR chunk")
    require_size_to_hold(*_size(data))
    for chunk in chunks:
        # A capital at its start: nobody who does not know it can decode the picture.
        if chunk.kind not in _NEEDED and chunk.kind[:1].isupper():
            raise DamagedPictureError(f"the PNG holds a chunk {chunk.kind.decode('latin-1')!r}, which no standard has")
    if all(chunk.kind in _NEEDED for chunk in chunks):
        return data
    return MAGIC + b"".join(data[chunk.start - 8 : chunk.end + 4] for chunk in chunks if chunk.kind in _NEEDED)


def png_size(data: bytes) -> Tuple[int, int]:
    """(width, height) of the header; DamagedPictureError where it was cut off."""
    if len(data) < 24:
        raise DamagedPictureError("the PNG was cut off: it has no IHDR chunk")
    return _size(data)


def png_exif(data: bytes) -> Optional[bytes]:
    """The EXIF data (a TIFF header and what follows), or None; of a stream that is whole."""
    return next((data[chunk.start : chunk.end] for chunk in _checked(data) if chunk.kind == _EXIF), None)


def _size(data: bytes) -> Tuple[int, int]:
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _checked(data: bytes) -> Iterator[_Chunk]:
    """The chunks to IEND, start and end of what each holds; DamagedPictureError where one is damaged or missing."""
    at = len(MAGIC)
    while at + 12 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        end = at + 12 + length
        if end > len(data):
            break
        if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise DamagedPictureError(f"the PNG is damaged: wrong check sum of its chunk at byte {at}")
        yield _Chunk(kind, at + 8, end - 4)
        if kind == b"IEND":
            return
        at = end
    raise DamagedPictureError("the PNG was cut off: it has no IEND chunk")
