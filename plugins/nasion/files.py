"""Files that come from outside, read whole but never without a limit."""

from pathlib import Path

from nasion.errors import InputError


def read_limited(path: Path, max_bytes: int, *, what: str, too_large: str) -> bytes:
    """The content of ``path``. InputError, naming ``what`` it was to be, where it cannot be read or is too large."""
    try:
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise InputError(f"{what} {path}: {error.strerror}") from None
    if len(content) > max_bytes:
        raise InputError(f"{what} {path} is larger than {too_large}")
    return content
