"""Folders of still pictures: what is read of them, and what is left out."""

import os
from collections import Counter
from pathlib import Path
from typing import Counter as Counts
from typing import List, NamedTuple, Optional

from nasion.sources.stills import STILL_ENDINGS
from nasion.sources.unread_kinds import kind_by_ending, remedy

#: So many kinds of files are named, the rest is only counted.
_NAMED = 8


class StillFolder(NamedTuple):
    """``pictures``: everything below the folder whose ending is read, sorted; ``left_out``: what is not, counted by
    ending; ``unread``: the first picture of a kind that is not read; ``closed``: folders that cannot be looked into."""

    pictures: List[Path]
    left_out: Counts[str]
    unread: Optional[Path]
    closed: List[str]

    def left_out_in_words(self) -> Optional[str]:
        """E.g. "3 files left out by their endings: .heic 2, .txt 1; HEIC is not read; convert it, e.g. …"."""
        if not self.left_out:
            return None
        count = sum(self.left_out.values())
        named = [f"{ending} {number}" for ending, number in self.left_out.most_common(_NAMED)]
        if len(self.left_out) > _NAMED:
            named.append(f"{len(self.left_out) - _NAMED} more endings")
        kind = None if self.unread is None else kind_by_ending(self.unread.suffix)
        advice = "" if kind is None or self.unread is None else f"; {kind} is not read; {remedy(kind, self.unread)}"
        return f"{count} {'file' if count == 1 else 'files'} left out: {', '.join(named)}{advice}"


def look_through(folder: Path, *, own: str) -> StillFolder:
    """Everything in ``folder`` and below it, but for files whose names end with ``own``: those we made ourselves."""
    pictures: List[Path] = []
    left_out: Counts[str] = Counter()
    unread: List[Path] = []
    closed: List[str] = []

    def cannot_be_read(error: OSError) -> None:
        closed.append(f"{error.filename}: {error.strerror}")

    for inside, _, names in os.walk(folder, onerror=cannot_be_read):
        for name in names:
            path = Path(inside, name)
            why = _left_out(path, own)
            if why is None:
                pictures.append(path)
                continue
            left_out[why] += 1
            if kind_by_ending(path.suffix) is not None:
                unread.append(path)
    return StillFolder(sorted(pictures), left_out, min(unread, default=None), closed)


def _left_out(path: Path, own: str) -> Optional[str]:
    """Under what it is counted, or None where it is to be read."""
    ending = path.suffix.lower()
    if path.name.endswith(own):
        return f"*{own}"
    if path.name.startswith("._"):
        # What macOS keeps about a file on a foreign disk, under that file's name.
        return "._*"
    if ending not in STILL_ENDINGS:
        return ending or "without an ending"
    return None if path.is_file() else "no regular file"
