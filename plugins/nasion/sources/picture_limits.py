"""How large a picture may be, asked before anything of it is decoded."""

#: Pixels of the largest picture that is read: today's phones take up to 108 million.
MOST_PIXELS = 1 << 27


class DamagedPictureError(Exception):
    """The picture cannot be decoded completely; the text says why."""


def require_size_to_hold(width: int, height: int) -> None:
    """DamagedPictureError where a header says a size that no picture can have, or none that can be held in memory."""
    if width < 1 or height < 1:
        raise DamagedPictureError(f"its header says {width}x{height}, which is no picture")
    if width * height > MOST_PIXELS:
        raise DamagedPictureError(f"its header says {width}x{height}, which is more than {MOST_PIXELS} pixels")
