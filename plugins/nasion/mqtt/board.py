"""What a listener knows of each camera: the latest message, and how well the stream is kept up."""

import threading
from collections import Counter, deque
from dataclasses import dataclass
from typing import Deque, Dict, List, Optional

from nasion.messages import PersonMessage, StatusMessage
from nasion.mqtt.receiver import Accepted, Heard, Refused

#: The rate is that of the latest seconds.
RATE_WINDOW_NS = 2_000_000_000
#: The apparent offset is the least of the latest messages: that of the one that was quickest on its way.
_OFFSETS = 100


@dataclass(frozen=True)
class CameraRow:
    """One camera at one moment.

    ``age_ms``: of the latest message on its arrival; ``silent_s``: since then, both None before the first; ``missed``:
    sequence numbers that were never accepted; ``refused``: counts by cause; ``refusal``: the latest one; ``offset_ms``:
    how far another host's wall clock is apparently behind ours, at most (see `Accepted`), None on one host;
    ``sessions``: how many were heard.
    """

    camera: str
    status: Optional[StatusMessage]
    latest: Optional[PersonMessage]
    age_ms: Optional[float]
    silent_s: Optional[float]
    rate_hz: float
    accepted: int
    missed: int
    refused: Dict[str, int]
    refusal: Optional[Refused]
    offset_ms: Optional[float] = None
    sessions: int = 0


class Board:
    """Keeps what was heard; one thread tells it, another one reads. Times are monotonic nanoseconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cameras: Dict[str, _Camera] = {}

    def hear(self, heard: Heard, now_ns: int) -> None:
        """Note what a receiver handed on at ``now_ns``."""
        name = heard.message.camera if isinstance(heard, Accepted) else heard.camera
        with self._lock:
            camera = self._cameras.setdefault(name, _Camera())
            if isinstance(heard, Accepted):
                camera.accept(heard, now_ns)
            elif isinstance(heard, Refused):
                camera.refused[heard.cause] += 1
                camera.refusal = heard
            else:
                camera.status = heard

    def rows(self, now_ns: int) -> List[CameraRow]:
        """All cameras by name, as they stand at ``now_ns``."""
        with self._lock:
            return [camera.row(name, now_ns) for name, camera in sorted(self._cameras.items())]


class _Camera:
    def __init__(self) -> None:
        self.status: Optional[StatusMessage] = None
        self.refusal: Optional[Refused] = None
        self.refused: Counter[str] = Counter()
        self._latest: Optional[Accepted] = None
        self._latest_ns = 0
        self._arrivals: Deque[int] = deque()
        self._accepted = 0
        self._missed = 0
        self._sessions = 0
        self._offsets_ms: Deque[Optional[float]] = deque(maxlen=_OFFSETS)

    def accept(self, heard: Accepted, now_ns: int) -> None:
        before = self._latest
        if before is not None and before.message.session == heard.message.session:
            self._missed += max(0, heard.message.seq - before.message.seq - 1)
        else:
            self._sessions += 1
        self._offsets_ms.append(heard.offset_ms)
        self._latest, self._latest_ns = heard, now_ns
        self._accepted += 1
        self._arrivals.append(now_ns)
        self._forget(now_ns)

    def row(self, name: str, now_ns: int) -> CameraRow:
        self._forget(now_ns)
        latest, arrivals = self._latest, self._arrivals
        span_ns = arrivals[-1] - arrivals[0] if arrivals else 0
        return CameraRow(
            camera=name,
            status=self.status,
            latest=latest.message if latest else None,
            age_ms=latest.age_ms if latest else None,
            silent_s=(now_ns - self._latest_ns) / 1e9 if latest else None,
            rate_hz=(len(arrivals) - 1) / (span_ns / 1e9) if span_ns > 0 else 0.0,
            accepted=self._accepted,
            missed=self._missed,
            refused=dict(self.refused),
            refusal=self.refusal,
            offset_ms=min((offset for offset in self._offsets_ms if offset is not None), default=None),
            sessions=self._sessions,
        )

    def _forget(self, now_ns: int) -> None:
        while self._arrivals and self._arrivals[0] < now_ns - RATE_WINDOW_NS:
            self._arrivals.popleft()
