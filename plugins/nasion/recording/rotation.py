"""When a recording goes on in the next file, and how the files are named."""

from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Dict, Optional

from nasion.errors import InputError
from nasion.files import require_new

ENDING = ".mcap"


@dataclass(frozen=True)
class Rotation:
    """A file holds ``max_bytes``, and frames of ``max_ns``, at most, but one frame at least; None: no such limit."""

    max_bytes: Optional[int] = None
    max_ns: Optional[int] = None

    @property
    def wanted(self) -> bool:
        """Whether there can be a second file."""
        return self.max_bytes is not None or self.max_ns is not None

    def path(self, out: Path, number: int) -> Path:
        """File ``number`` (from 1) of the recording ``out``: `walk.mcap`, or `walk-0001.mcap` and so on."""
        return out.with_name(f"{out.stem}-{number:04d}{out.suffix}") if self.wanted else out

    def require_free(self, out: Path) -> None:
        """InputError where ``out`` is no name of a recording, or there is one."""
        if out.suffix.lower() != ENDING:
            raise InputError(f"{out}: a recording is written as {ENDING}; name one, e.g. {out.stem or 'walk'}{ENDING}")
        first = self.path(out, 1)
        numbered = f"{escape(out.stem)}-[0-9][0-9][0-9][0-9]*{out.suffix}"
        there = sorted(out.parent.glob(numbered)) if self.wanted else []
        require_new(there[0] if there else first)


class Span:
    """What one file holds so far."""

    def __init__(self) -> None:
        self._first_ns: Dict[str, int] = {}

    def takes(self, camera: str, time_ns: int, size: int, limits: Rotation) -> bool:
        """Whether the frame of ``camera`` at ``time_ns`` still belongs in it; ``size``: bytes with that frame."""
        empty = not self._first_ns
        first_ns = self._first_ns.setdefault(camera, time_ns)
        too_large = limits.max_bytes is not None and size > limits.max_bytes
        too_long = limits.max_ns is not None and time_ns - first_ns >= limits.max_ns
        return empty or not (too_large or too_long)
