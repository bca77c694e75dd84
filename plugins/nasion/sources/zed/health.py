"""How a camera is, for status and statistics. Any thread may ask."""

import threading
from collections import Counter
from typing import Optional, Tuple

from typing_extensions import Literal

from nasion.sources.frame import SourceHealth

#: What `SourceHealth.counters` counts.
COUNTERS = {
    "corrupt_frame": "pictures the SDK found damaged, or could not hand over; also a drop of the pipeline",
    "repeated": "grabs that gave the picture before once more; skipped",
    "sdk_dropped": "pictures the SDK let go because a newer one was there",
    "warned": "frames that came with a warning",
    "rebooting": "grabs without a frame while the SDK brought the camera back",
    "lost": "times the camera was lost",
    "reopened": "times it was opened again",
    "reopen_failed": "openings that failed meanwhile",
    "stamp_by_difference": "capture times from the difference of two stamps, the wall clock having been set",
    "stamp_by_arrival": "capture times that are those of handing over, the stamp being of another clock",
}


class HealthRecord:
    """Written by the camera's thread, read by any."""

    def __init__(self, lost_after_ns: int) -> None:
        """``lost_after_ns``: a camera that is away for longer is `lost`, until then `reconnecting`."""
        self._lost_after_ns = lost_after_ns
        self._lock = threading.Lock()
        self._counters: Counter[str] = Counter()
        self._away_since: Optional[int] = None
        self._flags: Tuple[str, ...] = ()
        self._fps: Optional[float] = None

    def count(self, what: str, times: int = 1) -> None:
        """One of COUNTERS happened."""
        with self._lock:
            self._counters[what] += times

    def set_total(self, what: str, total: int) -> None:
        """One of COUNTERS that is counted elsewhere."""
        with self._lock:
            self._counters[what] = total

    def away(self, now_ns: int) -> None:
        """There is no frame to be had; said again, it was away since the first time."""
        with self._lock:
            if self._away_since is None:
                self._away_since = now_ns

    def back(self, now_ns: int) -> Optional[float]:
        """There is a frame; how many seconds there was none, None where it was not away."""
        with self._lock:
            since, self._away_since = self._away_since, None
            return None if since is None else (now_ns - since) / 1e9

    def observed(self, flags: Tuple[str, ...], fps: float) -> None:
        """What the SDK says of itself."""
        with self._lock:
            self._flags, self._fps = flags, fps

    def at(self, now_ns: int) -> SourceHealth:
        """How it is now."""
        with self._lock:
            counters = {what: self._counters[what] for what in COUNTERS if self._counters[what]}
            return SourceHealth(self._state(now_ns), counters, self._flags, self._fps)

    def _state(self, now_ns: int) -> Literal["ok", "reconnecting", "lost"]:
        if self._away_since is None:
            return "ok"
        return "lost" if now_ns - self._away_since >= self._lost_after_ns else "reconnecting"
