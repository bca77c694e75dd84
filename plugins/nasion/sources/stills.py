"""Pictures that are looked at one by one, not as a stream: what ``locate`` and the workshop read."""

import re
from pathlib import Path
from typing import List

import cv2

from nasion.sources import jpeg, png
from nasion.sources.picture_limits import DamagedPictureError, require_size_to_hold
from nasion.sources.pictures import Picture, by_opencv, decode_picture, picture_bytes
from nasion.sources.printed import captured_stderr
from nasion.sources.still_kinds import KINDS, declared_size, kind_of
from nasion.sources.unread_kinds import kind_by_ending, remedy, unread_kind

#: Endings of what is read. A file that is named by itself may be called anything: its content decides.
STILL_ENDINGS = (
    *(".bmp", ".dib", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm"),
    *(".tif", ".tiff", ".webp"),
)
#: What is read, in words.
STILL_KINDS = ("JPEG", "PNG", *(kind.name for kind in KINDS))

#: What OpenCV prints of a picture, and decodes nevertheless: what the decoders for TIFF cannot make out.
_DAMAGE = re.compile(r"\[\s*ERROR|Corrupt|[Pp]remature")


class NoPictureError(DamagedPictureError):
    """It is no picture, or one of a kind that is not read; the text says what to do."""


def read_still(path: Path) -> Picture:
    """The picture as it is meant to be looked at (turned as its EXIF data says), (H, W, 3) BGR uint8.

    DamagedPictureError where any part of it is missing or cannot be decoded, however much of it could; NoPictureError.
    Bits that changed in BMP, PNM and WebP files, and in TIFF files without compression, cannot be noticed: these
    have no check sums.
    """
    data = picture_bytes(path)
    if data.startswith((jpeg.MAGIC, png.MAGIC)):
        # libpng prints what it thinks of a picture whose check sums are right.
        with captured_stderr():
            return decode_picture(data, as_meant=True)
    return _other(path, data)


def _other(path: Path, data: bytes) -> Picture:
    kind = kind_of(data)
    # Most cameras' raw data are TIFF files whose first picture is a thumbnail.
    if kind is None or unread_kind(path, data) == kind_by_ending(".dng"):
        raise _no_picture(path, data)
    require_size_to_hold(*declared_size(kind, data))
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_WARNING)
    printed: List[str] = []
    try:
        with captured_stderr() as printed:
            picture = by_opencv(data, cv2.IMREAD_COLOR)
    except DamagedPictureError as damage:
        raise DamagedPictureError(f"the {kind.name} picture is damaged or cut off: {damage}") from None
    finally:
        cv2.utils.logging.setLogLevel(before)
    complaint = next((line for line in printed if _DAMAGE.search(line)), None)
    if complaint is not None:
        raise DamagedPictureError(f"the {kind.name} picture is damaged: {complaint.rpartition('cpp:')[2] or complaint}")
    return picture


def _no_picture(path: Path, data: bytes) -> NoPictureError:
    if not data:
        return NoPictureError("is not a picture: it is empty")
    unread = unread_kind(path, data)
    if unread is not None:
        return NoPictureError(f"is {unread}, which is not read; {remedy(unread, path)}")
    return NoPictureError(f"is not a picture of a kind that is read ({', '.join(STILL_KINDS)})")
