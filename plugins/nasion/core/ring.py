"""What belongs to a frame, kept until its heat map is there; looked up by PTS and by nothing else.

Each camera has its own ring, so camera and PTS together are the key. "The latest depth" cannot be asked for: a key that
is not there gives None, and the position is refused as `unpaired`.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Generic, Optional, Set, TypeVar

Value = TypeVar("Value")


def next_pts(previous: Optional[int], wanted: int) -> int:
    """Presentation time stamp (ns) of the next frame: ``wanted``, but always above ``previous``.

    Two grabs with the same stamp, or a clock that was set back, still get keys of their own.
    """
    if previous is None:
        return max(wanted, 0)
    return max(wanted, previous + 1)


@dataclass(frozen=True)
class RingCounters:
    """``evicted``: pushed out by newer frames; ``duplicates``: key already there; ``late``: its frame had passed."""

    evicted: int = 0
    duplicates: int = 0
    late: int = 0


class FrameRing(Generic[Value]):
    """Bounded store of one camera, keyed by PTS. Every method may be called from any thread."""

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"a ring holds at least one frame, not {capacity}")
        self._capacity = capacity
        self._entries: OrderedDict[int, Value] = OrderedDict()
        self._held: Set[int] = set()
        self._passed = -1
        self._counters = RingCounters()
        self._lock = threading.Lock()

    def put(self, pts: int, value: Value) -> bool:
        """Keep ``value`` under ``pts``; the lowest PTS that is not held makes room. False where it is refused.

        The first value of a key stays: PTS only rise, so a second one is a repeated delivery.
        """
        with self._lock:
            if pts <= self._passed:
                self._counters = replace(self._counters, late=self._counters.late + 1)
                return False
            if pts in self._entries:
                self._counters = replace(self._counters, duplicates=self._counters.duplicates + 1)
                return False
            self._entries[pts] = value
            if len(self._entries) > self._capacity:
                self._forget(min(self._entries.keys() - self._held or self._entries))
                self._counters = replace(self._counters, evicted=self._counters.evicted + 1)
            return pts in self._entries

    def get(self, pts: int) -> Optional[Value]:
        """What was put under exactly this PTS; None for any other."""
        with self._lock:
            return self._entries.get(pts)

    def hold(self, pts: int) -> None:
        """The frame is being worked on: newer ones do not push it out, and what it has overtaken is forgotten."""
        with self._lock:
            self._held.add(pts)
            for older in [key for key in self._entries if key < pts and key not in self._held]:
                self._forget(older)

    def take(self, pts: int) -> Optional[Value]:
        """As `get`, and forget it together with everything older: frames leave in the order they came."""
        with self._lock:
            value = self._entries.get(pts)
            self._passed = max(self._passed, pts)
            for passed in [key for key in self._held.union(self._entries) if key <= pts]:
                self._forget(passed)
            return value

    def give_up(self, pts: int) -> None:
        """The frame does not come any more: forget it and no other, so that it takes no room from those that do."""
        with self._lock:
            self._forget(pts)

    def _forget(self, pts: int) -> None:
        self._entries.pop(pts, None)
        self._held.discard(pts)

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    @property
    def counters(self) -> RingCounters:
        """What was refused or pushed out so far."""
        with self._lock:
            return self._counters
