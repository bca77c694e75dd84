"""Whether a video's file is as long as it says: AVI, MP4 and Matroska state their own size.

Counts of frames tell less: Matroska has none, so that programs guess one from the duration, which longer sound makes
wrong, and AVI counts the frames that a recorder left out.
"""

from pathlib import Path
from typing import BinaryIO, Optional

#: Top-level parts of a file that are looked at: a long AVI has one for each gigabyte, an MP4 in fragments many.
_MOST_PARTS = 100_000


def is_cut_off(path: Path) -> Optional[bool]:
    """Whether ``path`` ends before it should by its own word; None where it does not tell."""
    size = path.stat().st_size
    with path.open("rb") as file:
        beginning = file.read(12)
        file.seek(0)
        if beginning[:4] == b"RIFF":
            end = _end_of_riff(file, size)
        elif beginning[4:8] == b"ftyp":
            end = _end_of_boxes(file, size)
        elif beginning[:4] == b"\x1a\x45\xdf\xa3":
            end = _end_of_matroska(file, size)
        else:
            end = None
    return None if end is None else end > size


def _end_of_riff(file: BinaryIO, size: int) -> Optional[int]:
    """A list of RIFF chunks, each with its length, little endian; None where a recorder did not come to write it."""
    at = 0
    for _ in range(_MOST_PARTS):
        file.seek(at)
        head = file.read(8)
        if head[:4] != b"RIFF" or len(head) < 8:
            return at
        length = int.from_bytes(head[4:], "little")
        if length in (0, 0xFFFFFFFF):
            return None
        at += 8 + length
        if at >= size:
            return at
        at += at % 2
    return None


def _end_of_boxes(file: BinaryIO, size: int) -> Optional[int]:
    """ISO 14496-12: boxes, each with its length, big endian; 1: a length of 64 bits follows, 0: to the file's end."""
    at = 0
    for _ in range(_MOST_PARTS):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return at
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:], "big")
        if length < 8:
            return size if length == 0 else None
        at += length
        if at >= size:
            return at
    return None


def _end_of_matroska(file: BinaryIO, size: int) -> Optional[int]:
    """RFC 8794 and RFC 9559: the EBML header, then the segment, whose length may be left open."""
    if _number(file, keep_mark=True) is None:
        return None
    header = _number(file)
    if header is None or header > size:
        return None
    file.seek(header, 1)
    if _number(file, keep_mark=True) != 0x18538067:
        return None
    length = _number(file)
    return None if length is None else file.tell() + length


def _number(file: BinaryIO, *, keep_mark: bool = False) -> Optional[int]:
    """A number of variable length, whose first set bit tells the length; None where all bits are set, or none."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    bytes_ = 9 - first[0].bit_length()
    value = int.from_bytes(first + file.read(bytes_ - 1), "big")
    if keep_mark:
        return value
    value &= (1 << 7 * bytes_) - 1
    return None if value == (1 << 7 * bytes_) - 1 else value
