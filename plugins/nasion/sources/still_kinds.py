"""Kinds of still pictures beside JPEG and PNG: by what a file is known, and how large it says that its picture is."""

import re
from typing import Callable, Dict, NamedTuple, Optional, Pattern, Tuple

from nasion.sources.picture_limits import DamagedPictureError

Size = Tuple[int, int]


class StillKind(NamedTuple):
    """``magic``: how it begins; ``size``: (width, height) of its header, ValueError or IndexError where it has none."""

    name: str
    magic: Pattern[bytes]
    size: Callable[[bytes], Size]


def kind_of(data: bytes) -> Optional[StillKind]:
    """What ``data`` is; None where it is none of these kinds."""
    return next((kind for kind in KINDS if kind.magic.match(data)), None)


def declared_size(kind: StillKind, data: bytes) -> Size:
    """(width, height); DamagedPictureError where the header does not say it."""
    try:
        return kind.size(data)
    except (ValueError, IndexError, KeyError):
        raise DamagedPictureError(f"the header of the {kind.name} picture cannot be read") from None


def _little(data: bytes, at: int, count: int, *, signed: bool = False) -> int:
    return _number(data, at, count, "little", signed=signed)


def _number(data: bytes, at: int, count: int, order: str, *, signed: bool = False) -> int:
    if at + count > len(data):
        raise ValueError("cut off")
    return int.from_bytes(data[at : at + count], order, signed=signed)  # type: ignore[arg-type]


def _bmp(data: bytes) -> Size:
    if _little(data, 14, 4) == 12:
        return _little(data, 18, 2), _little(data, 20, 2)
    # A negative height only says that the topmost row comes first.
    return _little(data, 18, 4, signed=True), abs(_little(data, 22, 4, signed=True))


_PNM = re.compile(rb"P[1-6](?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,9})\s")


def _pnm(data: bytes) -> Size:
    match = _PNM.match(data[:4096])
    if match is None:
        raise ValueError("no size")
    return int(match[1]), int(match[2])


def _webp(data: bytes) -> Size:
    chunk = data[12:16]
    if chunk == b"VP8X":
        return _little(data, 24, 3) + 1, _little(data, 27, 3) + 1
    if chunk == b"VP8L":
        both = _little(data, 21, 4)
        return (both & 0x3FFF) + 1, (both >> 14 & 0x3FFF) + 1
    if chunk == b"VP8 ":
        return _little(data, 26, 2) & 0x3FFF, _little(data, 28, 2) & 0x3FFF
    raise ValueError("no picture")


_WIDTH, _HEIGHT = 256, 257
#: Bytes of a TIFF value by its type: SHORT, LONG, LONG8.
_TIFF_BYTES: Dict[int, int] = {3: 2, 4: 4, 16: 8}


def _tiff(data: bytes) -> Size:
    order = "little" if data.startswith(b"II") else "big"
    big = _number(data, 2, 2, order) == 43
    at = _number(data, 8, 8, order) if big else _number(data, 4, 4, order)
    count_bytes, entry_bytes, value_at = (8, 20, 12) if big else (2, 12, 8)
    found: Dict[int, int] = {}
    for index in range(_number(data, at, count_bytes, order)):
        entry = at + count_bytes + index * entry_bytes
        tag = _number(data, entry, 2, order)
        if tag in (_WIDTH, _HEIGHT):
            found[tag] = _number(data, entry + value_at, _TIFF_BYTES[_number(data, entry + 2, 2, order)], order)
        if len(found) == 2:
            break
    return found[_WIDTH], found[_HEIGHT]


KINDS = (
    StillKind("BMP", re.compile(rb"BM"), _bmp),
    StillKind("PNM", re.compile(rb"P[1-6][\s#]"), _pnm),
    StillKind("TIFF", re.compile(rb"II[*+]\0|MM\0[*+]"), _tiff),
    StillKind("WebP", re.compile(rb"RIFF.{4}WEBP", re.DOTALL), _webp),
)
