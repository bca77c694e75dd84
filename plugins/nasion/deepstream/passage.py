"""Which frames of a camera are inside DeepStream, and which of them never come out. Time is an argument."""

import threading
from collections import deque
from typing import Callable, Deque, Optional, Tuple

from nasion.pipeline.flow import Flow

#: In mode live so many frames of a camera are inside: one for the network, one ready. More would only grow old there.
LIVE_INSIDE = 2
#: What is inside for longer does not come out any more.
GONE_NS = 3_000_000_000
#: How often a waiting thread looks whether it is still wanted, seconds.
_LOOK_S = 0.05


class Passage:
    """From the first queue of a camera to the end of nvinfer, which keep the order. Any thread may call."""

    def __init__(self, flow: Flow, *, limit: Optional[int]) -> None:
        """``limit``: how many frames may be inside; None for any number."""
        self._changed = threading.Condition()
        self._flow = flow
        self._limit = limit
        self._inside: Deque[Tuple[int, int]] = deque()
        self._given_up = -1
        self._closed = False

    def wait(self) -> bool:
        """Wait until there is room for one frame more; False where nothing is let in any more."""
        with self._changed:
            while self._limit is not None and len(self._inside) >= self._limit and not self._closed:
                self._changed.wait(_LOOK_S)
            return not self._closed

    def enter(self, pts: int, now_ns: int) -> None:
        """The frame goes in."""
        with self._changed:
            self._inside.append((pts, now_ns))

    def leave(self, pts: int) -> bool:
        """Whether the frame that comes out is one that is inside.

        What went in before it and did not come out is lost.
        """
        with self._changed:
            self._lose(lambda inside, _: inside < pts)
            known = bool(self._inside) and self._inside[0][0] == pts
            if known:
                self._inside.popleft()
                self._changed.notify_all()
            elif pts > self._given_up:
                self._flow.dropped("unknown")
            return known

    def look(self, now_ns: int) -> None:
        """To be called often: gives up what has been inside for too long."""
        with self._changed:
            self._lose(lambda _, since_ns: now_ns - since_ns >= GONE_NS)

    def ended(self) -> None:
        """Everything is through; what is still inside is lost."""
        with self._changed:
            self._lose(lambda *_: True)

    def close(self) -> None:
        """Nobody waits any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _lose(self, lost: Callable[[int, int], bool]) -> None:
        """Count the oldest frames as lost as long as ``lost`` (of PTS and the time they went in) says so."""
        while self._inside and lost(*self._inside[0]):
            self._given_up, _ = self._inside.popleft()
            self._flow.dropped("lost")
            self._flow.left(processed=False)
            self._changed.notify_all()
