"""The files of a recording, one after the other."""

from pathlib import Path
from typing import List, Sequence

from nasion.errors import InputError
from nasion.recording.file import CameraFacts, Entry, RecordingFile
from nasion.recording.rotation import Rotation, Span
from nasion.recording.topics import PERSON

#: What is older survives a power cut.
SYNC_NS = 1_000_000_000


class Parts:
    """One thread at a time uses it. Times are those of a monotonic clock."""

    def __init__(self, out: Path, rotation: Rotation, now_ns: int) -> None:
        """The first file is made at once. InputError: there is such a recording, or it cannot be written there."""
        rotation.require_free(out)
        #: To be known before the first `add`.
        self.cameras: List[CameraFacts] = []
        self._out, self._rotation = out, rotation
        self._number = 1
        self._bytes_before = 0
        self._synced_ns = now_ns
        self._span = Span()
        try:
            self._file = RecordingFile(self.path, self.cameras)
        except FileNotFoundError:
            raise InputError(f"{out}: the folder {out.parent} does not exist; make it first") from None
        except OSError as error:
            raise InputError(f"{self.path}: cannot be written: {error.strerror}; name another file") from None

    @property
    def path(self) -> Path:
        """The file that is written now."""
        return self._rotation.path(self._out, self._number)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return self._bytes_before + self._file.size

    def names(self) -> str:
        """All files, for people."""
        first = self._rotation.path(self._out, 1)
        return str(first) if self._number == 1 else f"{first} to {self.path.name}"

    def add(self, entries: Sequence[Entry], now_ns: int) -> None:
        """Write a frame, perhaps into the next file; messages are written with it. OSError: it takes no more."""
        last = entries[-1]
        is_frame = last.part != PERSON
        size = self._file.size + sum(len(entry.data) for entry in entries)
        if is_frame and not self._span.takes(last.camera, last.time_ns, size, self._rotation):
            self._turn(last)
        self._file.add(entries)
        if is_frame:
            self._file.flush()
        self.sync(now_ns)

    def sync(self, now_ns: int) -> None:
        """To be called often: gives the disk what it has not yet for long enough. OSError."""
        if now_ns - self._synced_ns >= SYNC_NS:
            self._file.sync()
            self._synced_ns = now_ns

    def close(self, *, finished: bool = True) -> None:
        """Complete the file; ``finished``: False where it takes no more. OSError."""
        self._file.close(finished=finished)

    def _turn(self, first: Entry) -> None:
        self._file.close()
        self._bytes_before = self.size
        self._number += 1
        self._file = RecordingFile(self.path, self.cameras)
        self._span = Span()
        self._span.takes(first.camera, first.time_ns, 0, self._rotation)
