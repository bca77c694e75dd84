"""Writes what cameras give, beside the run that uses it."""

import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Callable, Deque, Dict, List, Optional, Type, Union

from typing_extensions import Self

from nasion.errors import NasionError
from nasion.messages import PersonMessage
from nasion.recording.file import CameraFacts, Entry
from nasion.recording.frames import payloads
from nasion.recording.parts import Parts
from nasion.recording.rotation import Rotation
from nasion.recording.topics import PERSON
from nasion.sources.frame import Clock, CorruptFrame, Frame

#: Frames of all cameras that wait to be written at most; each is held with its depth (16.6 MB at 1080 lines of a ZED).
FRAMES_WAITING = 8
#: Messages are light.
MESSAGES_WAITING = 1000
#: Pictures are compressed in so many threads.
_ENCODERS = 2
#: How often people get a line of how it goes.
_TELL_NS = 5_000_000_000
#: At the end, a disk that took nothing for this long is waited for no more, seconds.
_CLOSE_S = 10.0
#: How often a waiting thread looks whether it is still to wait, seconds.
_LOOK_S = 0.05
#: A recording holds times from 1970 to this, nanoseconds.
_LATEST_NS = (1 << 63) - 1


@dataclass
class Count:
    """What became of one camera's frames and messages."""

    frames: int = 0
    messages: int = 0
    dropped_frames: int = 0
    dropped_messages: int = 0


@dataclass
class _Camera:
    """``anchor_ns``: what makes a log time of the monotonic time of a live frame."""

    facts: CameraFacts
    count: Count = field(default_factory=Count)
    sequence: int = 0
    anchor_ns: Optional[int] = None

    def time_ns(self, recorded_ns: Optional[int], monotonic_ns: int, utc_ns: int) -> int:
        if recorded_ns is not None:
            return recorded_ns
        if self.anchor_ns is None:
            self.anchor_ns = utc_ns - monotonic_ns
        return self.anchor_ns + monotonic_ns


@dataclass(frozen=True)
class _Job:
    """Entries that are written together, once they are made."""

    camera: _Camera
    is_frame: bool
    entries: "Future[List[Entry]]"


class Recorder:
    """Any thread may call; the frames of a camera come in their order."""

    def __init__(
        self,
        out: Path,
        *,
        rotation: Rotation,
        jpeg: Optional[int],
        clock: Clock,
        on_event: Callable[[str], None],
    ) -> None:
        """``jpeg``: quality; None keeps every pixel. InputError: ``out`` is there already, or cannot be written."""
        self._parts = Parts(out, rotation, clock.monotonic_ns())
        self._jpeg, self._clock, self._on_event = jpeg, clock, on_event
        self._cameras: Dict[str, _Camera] = {}
        self._changed = threading.Condition()
        self._jobs: Deque[_Job] = deque()
        self._frames_waiting = 0
        self._closing = False
        self._failure: Optional[BaseException] = None
        self._told_ns = clock.monotonic_ns()
        self._encoders = ThreadPoolExecutor(_ENCODERS, thread_name_prefix="record")
        self._writer = threading.Thread(target=self._run, name="record", daemon=True)
        self._writer.start()

    def add_camera(self, facts: CameraFacts) -> None:
        """All of them before the first frame of any."""
        self._cameras[facts.name] = _Camera(facts)
        self._parts.cameras.append(facts)

    def frame(self, name: str, grab: Union[Frame, CorruptFrame], *, wait: Callable[[], bool]) -> None:
        """Record a grab of camera ``name``. Without room it is dropped and counted, once nobody will ``wait``."""
        camera = self._cameras[name]
        with self._changed:
            while self._frames_waiting >= FRAMES_WAITING and not self._over and wait():
                self._changed.wait(_LOOK_S)
            if self._frames_waiting >= FRAMES_WAITING or self._over:
                camera.count.dropped_frames += 1
                return
            sequence, camera.sequence = camera.sequence, camera.sequence + 1
            self._frames_waiting += 1
            time_ns = camera.time_ns(grab.recorded_ns, grab.stamp.monotonic_ns, grab.stamp.utc_ns)
            entries = self._encoders.submit(self._entries, camera, grab, time_ns, sequence)
            self._put(_Job(camera, True, entries))

    def message(self, message: PersonMessage) -> None:
        """Record what was said of a frame."""
        camera = self._cameras[message.camera]
        with self._changed:
            if self._over or len(self._jobs) >= MESSAGES_WAITING:
                camera.count.dropped_messages += 1
                return
            entries: Future[List[Entry]] = Future()
            entries.set_result([_message_entry(message, camera)])
            self._put(_Job(camera, False, entries))

    def count(self, name: str) -> Count:
        """Of camera ``name`` so far."""
        with self._changed:
            return replace(self._cameras[name].count)

    def progress(self) -> str:
        """In a few words: what was recorded so far."""
        messages = sum(camera.count.messages for camera in self._cameras.values())
        dropped = sum(camera.count.dropped_frames for camera in self._cameras.values())
        return f"{self._frames()} and {messages} messages, {dropped} frames dropped"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], *_: object) -> None:
        """`close`; what ended the run already matters more than what ended the recording."""
        try:
            self.close()
        except NasionError:
            if kind is None:
                raise

    def outcome(self) -> str:
        """What came of it, in one line."""
        if not self._parts.size:
            return "nothing was recorded, no file is left"
        return f"recorded {self.progress()}: {self._parts.names()}"

    def close(self) -> None:
        """Write what waits and complete the file. NasionError: it was not recorded to its end."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        left = -1
        while self._writer.is_alive() and left != len(self._jobs):
            left = len(self._jobs)
            self._writer.join(_CLOSE_S)
        self._encoders.shutdown(wait=False)
        if self._writer.is_alive():
            raise NasionError(f"{self._parts.path}: the disk does not answer; what waited was not recorded")
        if self._failure is not None:
            raise self._failure

    @property
    def _over(self) -> bool:
        return self._closing or self._failure is not None

    def _put(self, job: _Job) -> None:
        self._jobs.append(job)
        self._changed.notify_all()

    def _entries(self, camera: _Camera, grab: Union[Frame, CorruptFrame], time_ns: int, sequence: int) -> List[Entry]:
        facts, taken_ns = camera.facts, grab.stamp.utc_ns
        if not 0 <= time_ns <= _LATEST_NS:
            raise NasionError(f"{facts.name}: a frame of the time {time_ns} ns; a recording holds none before 1970")
        return [
            Entry(facts.name, part, data, time_ns, taken_ns, sequence)
            for part, data in payloads(grab, time_ns=time_ns, frame_id=facts.frame_id, jpeg=self._jpeg)
        ]

    def _run(self) -> None:
        """The thread that writes."""
        try:
            while self._write_next():
                self._tell_progress()
            self._parts.close()
        except OSError as error:
            self._fail(NasionError(f"{self._parts.path}: {error.strerror}"))
        except BaseException as error:
            self._fail(error)

    def _write_next(self) -> bool:
        """Write what came first, if anything comes soon; False when nothing more will."""
        with self._changed:
            if not self._jobs and not self._closing:
                self._changed.wait(_TELL_NS / 1e9)
            job = self._jobs[0] if self._jobs else None
            if job is None and self._closing:
                return False
        now_ns = self._clock.monotonic_ns()
        if job is None:
            self._parts.sync(now_ns)
            return True
        self._parts.add(job.entries.result(), now_ns)
        with self._changed:
            self._jobs.popleft()
            self._frames_waiting -= job.is_frame
            job.camera.count.frames += job.is_frame
            job.camera.count.messages += not job.is_frame
            self._changed.notify_all()
        return True

    def _fail(self, error: BaseException) -> None:
        with self._changed:
            self._failure = error
            for job in self._jobs:
                job.camera.count.dropped_frames += job.is_frame
                job.camera.count.dropped_messages += not job.is_frame
            self._jobs.clear()
            self._frames_waiting = 0
            self._changed.notify_all()
        with suppress(OSError):
            self._parts.close(finished=False)
        self._on_event(f"recording stopped: {error}; {self._frames()} can be read, the run goes on without it")

    def _frames(self) -> str:
        frames = sum(camera.count.frames for camera in self._cameras.values())
        return f"{frames} frames in {self._parts.size / 1e6:.1f} MB"

    def _tell_progress(self) -> None:
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._told_ns >= _TELL_NS:
            self._told_ns = now_ns
            self._on_event(f"recording {self._parts.path}: {self.progress()}")


def _message_entry(message: PersonMessage, camera: _Camera) -> Entry:
    captured_ns = int(message.captured_ns)
    recorded_ns = None if message.recorded_ns is None else int(message.recorded_ns)
    # Without a boot id there is no monotonic stamp: the clock that people set must do.
    monotonic_ns = captured_ns if message.monotonic_ns is None else int(message.monotonic_ns)
    return Entry(
        camera.facts.name,
        PERSON,
        message.to_json().encode(),
        camera.time_ns(recorded_ns, monotonic_ns, captured_ns),
        round(message.published_at * 1e9),
        message.seq,
    )
