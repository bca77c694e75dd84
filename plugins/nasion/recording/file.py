"""One MCAP file while it is written: whatever ends the writing, what was added before can be read."""

import os
from pathlib import Path
from typing import IO, Any, Dict, Iterable, NamedTuple, Sequence, Tuple, cast

from mcap.writer import LIBRARY_IDENTIFIER, Writer

from nasion import __version__
from nasion.recording.topics import BASELINE, CALIBRATION, FPS, LEFT, PARTS, PERSON, schema_data, topic_of

#: Larger than any frame: a chunk ends where we say.
_CHUNK_BYTES = 1 << 40


class CameraFacts(NamedTuple):
    """What is known of a camera before its first frame."""

    name: str
    frame_id: str
    fps: float
    baseline_m: float


class Entry(NamedTuple):
    """One message of ``part``; ``sequence``: the frame's number."""

    camera: str
    part: str
    data: bytes
    time_ns: int
    published_ns: int
    sequence: int


class RecordingFile:
    """A new file. What was added since the last `flush` becomes a chunk, handed to the system at once.

    Memory: some hundred bytes a chunk, for the index at the end of the file.
    """

    def __init__(self, path: Path, cameras: Sequence[CameraFacts]) -> None:
        """``cameras``: read with the first `add`. OSError: the file is there already, or cannot be made."""
        self.path = path
        self._output = _Output(path)
        self._writer = Writer(cast("IO[Any]", self._output), chunk_size=_CHUNK_BYTES)
        self._schemas: Dict[str, int] = {}
        self._channels: Dict[Tuple[str, str], int] = {}
        self._cameras = cameras
        self._begun = False
        self._whole = 0

    @property
    def size(self) -> int:
        """Bytes written, the index of what follows not among them."""
        return self._whole

    def add(self, entries: Iterable[Entry]) -> None:
        """Have them written with the next `flush`."""
        if not self._begun:
            self._begin()
        for entry in entries:
            channel = self._channel(entry.camera, entry.part)
            self._writer.add_message(
                channel, entry.time_ns, entry.data, entry.published_ns, entry.sequence & 0xFFFFFFFF
            )

    def flush(self) -> None:
        """Write what was added, whole or not at all. OSError: what is in the file stays, it takes no more."""
        if not self._begun:
            return
        try:
            self._writer.flush()  # type: ignore[no-untyped-call]
        except OSError:
            self._output.cut(self._whole)
            raise
        self._whole = self._output.tell()

    def sync(self) -> None:
        """Have the disk keep it: what comes before survives a power cut. OSError."""
        self.flush()
        os.fdatasync(self._output.descriptor)

    def close(self, *, finished: bool = True) -> None:
        """Close it, with an index where it is ``finished``; without messages no file is left. OSError."""
        try:
            if finished and self._begun:
                self.flush()
                self._writer.finish()  # type: ignore[no-untyped-call]
                os.fdatasync(self._output.descriptor)
        except OSError:
            self._output.cut(self._whole)
            raise
        finally:
            self._output.close()
            if not self._whole:
                self.path.unlink(missing_ok=True)

    def _begin(self) -> None:
        """Who is recorded stands in the first chunk, also of cameras whose first frame is yet to come."""
        self._begun = True
        self._writer.start(library=f"nasion {__version__}; {LIBRARY_IDENTIFIER}")
        for camera in self._cameras:
            for part in (LEFT, CALIBRATION, PERSON):
                self._channel(camera.name, part)

    def _channel(self, camera: str, part: str) -> int:
        if (camera, part) not in self._channels:
            about = PARTS[part]
            if about.schema not in self._schemas:
                self._schemas[about.schema] = self._writer.register_schema(
                    about.schema, about.schema_encoding, schema_data(about.schema)
                )
            facts = next(facts for facts in self._cameras if facts.name == camera)
            metadata = {FPS: repr(facts.fps), BASELINE: repr(facts.baseline_m)} if part == CALIBRATION else {}
            self._channels[camera, part] = self._writer.register_channel(
                topic_of(camera, part), about.encoding, self._schemas[about.schema], metadata
            )
        return self._channels[camera, part]


class _Output:
    """Unbuffered, so that a failure is known where it happens; what the library needs of a file, and no more."""

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        self._at = 0

    def write(self, data: bytes) -> int:
        left = memoryview(data)
        while left:
            left = left[os.write(self.descriptor, left) :]
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        """Nothing is held back."""

    def cut(self, size: int) -> None:
        os.ftruncate(self.descriptor, size)

    def close(self) -> None:
        descriptor, self.descriptor = self.descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)
