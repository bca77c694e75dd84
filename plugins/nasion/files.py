"""Files: those from outside are read whole but never without a limit; those that are there are not written over."""

import codecs
import os
import uuid
from contextlib import suppress
from pathlib import Path

from nasion.errors import InputError

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


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


def read_text(path: Path, max_bytes: int, *, what: str, too_large: str) -> str:
    """The same as text; InputError where it is none."""
    content = read_limited(path, max_bytes, what=what, too_large=too_large)
    try:
        return text_of(content)
    except NotTextError as error:
        raise InputError(f"{what} {path} is {error}") from None


class NotTextError(ValueError):
    """It says what is wrong and what to do, and shows nothing of the text."""


def text_of(content: bytes) -> str:
    """UTF-8, with or without the mark that Windows' editors begin with, or UTF-16 with one; NotTextError."""
    try:
        return content.decode("utf-16" if content.startswith(_UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise NotTextError(f"not UTF-8 text (line {line}); save it as UTF-8") from None


def require_new(path: Path, *, what: str = "file", force: str = "") -> None:
    """InputError where there is something at ``path`` already, a dangling link included: nothing is written over.

    ``force``: the option that the command has for being told so, e.g. `--force`.
    """
    if os.path.lexists(str(path)):
        told = f", or replace it with {force}" if force else ""
        raise InputError(f"{path} exists already; name another {what}, or move it away{told}")


def write_whole(path: Path, content: bytes) -> None:
    """Write ``content`` beside ``path`` and rename it: there is the old file or the new one, never half of one, also
    where the power is cut.

    OSError where that cannot be done; ``path`` is then as it was.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}")
    try:
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(str(beside), str(path))
    finally:
        with suppress(OSError):
            beside.unlink()
