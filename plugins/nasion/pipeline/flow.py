"""Which frames of a camera are on their way through GStreamer, and what became of all others."""

import threading
from collections import Counter, deque
from typing import Callable, Deque, Dict

#: Causes of a drop: what became of a frame that gave no result, or not the whole one.
DROPS = {
    "every": "left out by --every",
    "queue": "overtaken by a newer frame while the network was busy (mode live)",
    "corrupt_frame": "could not be decoded",
    "frozen": "the source repeated its picture to the bit for longer than `frozen_ms`; not searched",
    "unpaired": "its depth was not to be had; the position was refused",
    "no_tensor": "the network gave no heat map, or one outside 0..1",
    "lost": "went into DeepStream and did not come out, or only behind a newer one",
    "unknown": "came out of GStreamer under a PTS that never went in at its camera's pad, or a second time",
    "surplus": "not through when --frames was reached",
    "unfinished": "not through when the run was ended",
}

#: How often a waiting thread looks whether it is still wanted, seconds.
_LOOK_S = 0.05


class Flow:
    """Counts the frames of one camera. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._queued: Deque[int] = deque()
        self._on_the_way = 0
        self._frames = 0
        self._processed = 0
        self._drops: Counter[str] = Counter()

    def frame_read(self) -> int:
        """The source gave a frame, readable or not; how many it gave before."""
        with self._changed:
            self._frames += 1
            return self._frames - 1

    def entered(self, pts: int) -> None:
        """A frame goes into GStreamer."""
        with self._changed:
            self._queued.append(pts)
            self._on_the_way += 1

    def arrived(self, pts: int) -> bool:
        """A frame comes out of the first queue; False where it never entered.

        Queues keep the order: those that entered before it were dropped. An unknown PTS says nothing of others.
        """
        with self._changed:
            known = pts in self._queued
            while known and self._queued[0] < pts:
                self._queued.popleft()
                self._drops["queue"] += 1
                self._on_the_way -= 1
            if known:
                self._queued.popleft()
            else:
                self._drops["unknown"] += 1
            self._changed.notify_all()
            return known

    def overtaken(self, pts: int) -> bool:
        """Whether a newer frame than this has entered and not yet arrived."""
        with self._changed:
            return bool(self._queued) and self._queued[-1] > pts

    def left(self, *, processed: bool) -> None:
        """A frame that had arrived is done with."""
        with self._changed:
            self._on_the_way -= 1
            self._processed += processed
            self._changed.notify_all()

    def dropped(self, cause: str) -> None:
        """One of DROPS happened."""
        with self._changed:
            self._drops[cause] += 1

    def wait_below(self, limit: int, wanted: Callable[[], bool]) -> bool:
        """Wait until fewer than ``limit`` frames are on their way; False as soon as it is not ``wanted`` any more."""
        with self._changed:
            while self._on_the_way >= limit:
                if not wanted():
                    return False
                self._changed.wait(_LOOK_S)
            return wanted()

    @property
    def on_the_way(self) -> int:
        """Frames that entered and have neither left nor been dropped, as far as is known."""
        with self._changed:
            return self._on_the_way

    @property
    def frames(self) -> int:
        """Frames the source gave."""
        with self._changed:
            return self._frames

    @property
    def processed(self) -> int:
        """Frames that were searched and published."""
        with self._changed:
            return self._processed

    @property
    def drops(self) -> Dict[str, int]:
        """Drops so far by cause; causes that did not happen are left out."""
        with self._changed:
            return {cause: self._drops[cause] for cause in DROPS if self._drops[cause]}

    def broken_off(self) -> None:
        """Nothing comes any more: what is still on its way is lost."""
        with self._changed:
            self._drops["unfinished"] += self._on_the_way
            self._on_the_way = 0
            self._queued.clear()
