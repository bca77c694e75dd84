"""Which frames of a camera are inside DeepStream, and which of them never come out. Time is an argument."""

import threading
from typing import Callable, Dict, Optional

from nasion.pipeline.flow import Flow

#: In mode live so many frames of a camera are inside: one for the network, one ready. More would only grow old there.
LIVE_INSIDE = 2
#: What is inside for longer does not come out any more.
GONE_NS = 3_000_000_000
#: How often a waiting thread looks whether it is still wanted, seconds.
_LOOK_S = 0.05
#: So many frames that were given up, or never went in, are remembered: more than the elements' pools hold.
_REMEMBERED = 64


class Passage:
    """A stretch of DeepStream: in at one station, out at another. Any thread may call.

    A frame is known by its PTS and by nothing else: one that comes out takes its own place, however many are in flight.
    What went in before a known one and did not come out is lost; a PTS that nobody knows says nothing about others. So
    each frame that goes in is counted once at most: it comes out, or it is lost.
    """

    def __init__(
        self, flow: Flow, *, limit: Optional[int] = None, on_lost: Callable[[int], None] = lambda _: None
    ) -> None:
        """``limit``: how many frames may be inside, None for any number; ``on_lost`` hears the PTS of each lost frame.

        It hears that before there is room for another frame.
        """
        self._changed = threading.Condition()
        self._flow = flow
        self._limit = limit
        self._on_lost = on_lost
        self._inside: Dict[int, int] = {}
        self._counted: Dict[int, int] = {}
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
            self._inside[pts] = now_ns

    def leave(self, pts: int) -> bool:
        """Whether the frame that comes out is one that is inside; where not, it is counted, unless it was already.

        What went in before it and did not come out is lost.
        """
        with self._changed:
            if pts in self._inside:
                self._lose(lambda other, _: other < pts)
                del self._inside[pts]
                self._changed.notify_all()
                return True
            copies = self._counted.pop(pts, 0)
            if copies == 0:
                self._flow.dropped("unknown")
            elif copies > 1:
                self._counted[pts] = copies - 1
            return False

    def pass_by(self, pts: int) -> None:
        """A frame that was counted before this stretch, and does not belong here, will come out of it once."""
        with self._changed:
            self._remember(pts)

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
        """Count the frames as lost of which ``lost`` (of PTS and the time they went in) says so."""
        for pts in [pts for pts, since_ns in self._inside.items() if lost(pts, since_ns)]:
            del self._inside[pts]
            self._remember(pts)
            self._on_lost(pts)
            self._flow.dropped("lost")
            self._flow.left(processed=False)
            self._changed.notify_all()

    def _remember(self, pts: int) -> None:
        """Should the frame come, it is counted already. The oldest is forgotten; it would be counted twice."""
        # Taken out and put in again, so that it is the newest.
        self._counted[pts] = self._counted.pop(pts, 0) + 1
        if len(self._counted) > _REMEMBERED:
            del self._counted[next(iter(self._counted))]
