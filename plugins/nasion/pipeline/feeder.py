"""The thread of one camera that reads its source and feeds GStreamer."""

import threading
from typing import Callable, List, Optional, Union

from nasion.core.frozen import RepeatDetector
from nasion.core.results import FrameReason
from nasion.core.ring import FrameRing, next_pts
from nasion.errors import NasionError
from nasion.events import Event
from nasion.pipeline.engine import Graph
from nasion.pipeline.episodes import Damage
from nasion.pipeline.flow import Flow
from nasion.pipeline.outlet import Outlet
from nasion.pipeline.slip import Slip
from nasion.sources.clock import stamp_now
from nasion.sources.frame import Clock, CorruptFrame, End, Frame, Source, Stamp

#: Frames on their way in mode `every-frame`: one each in scaling, the network and ranging, and one ready before each.
IN_FLIGHT = 5


class Feeder(threading.Thread):
    """Reads until the source ends, or until `finish`. It alone reads and closes the source."""

    def __init__(
        self,
        name: str,
        *,
        source: Source,
        live: bool,
        every: int,
        frozen_ns: int,
        limit: Optional[int],
        frames: "FrameRing[Frame]",
        slips: "FrameRing[Slip]",
        flow: Flow,
        graph: Graph,
        outlet: Outlet,
        clock: Clock,
        on_event: Callable[[str], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        """``live``: the newest frame wins, else the feeder waits for room; ``limit``: processed frames that suffice.

        ``frozen_ns``: a picture that is the same for longer is not searched; 0: each is.
        """
        super().__init__(name=f"feeder {name}", daemon=True)
        self._camera = name
        self._source = source
        self._live = live
        self._every = every
        self._frozen_ns = frozen_ns
        self._repeats = RepeatDetector()
        self._limit = limit
        self._frames = frames
        self._slips = slips
        self._flow = flow
        self._graph = graph
        self._outlet = outlet
        self._clock = clock
        self._on_event = on_event
        self._on_failure = on_failure
        self._finish = threading.Event()
        self._reading_since: Optional[int] = None
        self._pts: Optional[int] = None
        self._damage = Damage()
        self._origin_ns = clock.monotonic_ns()

    def finish(self) -> None:
        """Read no more; what is on its way still comes through."""
        self._finish.set()

    @property
    def reading_since(self) -> Optional[int]:
        """Monotonic time since when the source is awaited; None while it is not."""
        return self._reading_since

    def run(self) -> None:
        """The thread."""
        try:
            try:
                self._feed()
            finally:
                self._source.close()
                self._tell(self._damage.end())
            self._graph.end()
        except BaseException as error:
            self._on_failure(error)

    def _feed(self) -> None:
        fed = 0
        while self._wanted() and (self._live or fed != self._limit):
            self._reading_since = self._clock.monotonic_ns()
            grab = self._source.read()
            self._reading_since = None
            if self._finish.is_set():
                return
            if isinstance(grab, End):
                if grab.warning:
                    self._on_event(Event(self._camera, grab.warning))
                return
            number = self._flow.frame_read()
            if isinstance(grab, CorruptFrame):
                self._report_corrupt(grab)
                continue
            self._tell(self._damage.readable())
            if self._frozen(grab):
                self._report_frozen(grab)
            elif number % self._every:
                self._flow.dropped("every")
            elif self._live or self._flow.wait_below(IN_FLIGHT, self._wanted):
                self._feed_frame(grab)
                fed += 1
            else:
                self._flow.dropped("unfinished")

    def _wanted(self) -> bool:
        return not self._finish.is_set() and (self._limit is None or self._flow.processed < self._limit)

    def _feed_frame(self, frame: Frame) -> None:
        if frame.calibration != self._source.calibration:
            raise NasionError(f"{self._camera}: the calibration changed from one frame to the next; start the run anew")
        self._pts = pts = next_pts(self._pts, frame.stamp.monotonic_ns - self._origin_ns)
        slip = Slip(frame.stamp, frame.recorded_ns)
        # Depth is there before its picture sets out, so it cannot be late.
        self._frames.put(pts, frame)
        self._slips.put(pts, slip)
        self._flow.entered(pts)
        slip.spend("receive", self._clock.monotonic_ns())
        self._graph.push(frame.picture, pts)

    def _tell(self, lines: List[str]) -> None:
        for line in lines:
            self._on_event(Event(self._camera, line))

    def _frozen(self, frame: Frame) -> bool:
        """Whether the source has given this very picture for longer than is allowed."""
        if self._frozen_ns == 0:
            return False
        time_ns = frame.stamp.monotonic_ns if frame.recorded_ns is None else frame.recorded_ns
        return self._repeats.repeated_ns(frame.picture, time_ns) > self._frozen_ns

    def _report_frozen(self, frame: Frame) -> None:
        """In its place in the stream, as a damaged one."""
        self._flow.dropped("frozen")
        if self._flow.wait_below(1, self._wanted):
            self._outlet.nobody(FrameReason.FROZEN, self._stamp_of(frame), frame.recorded_ns)

    def _stamp_of(self, grab: Union[Frame, CorruptFrame]) -> Stamp:
        """Of one that is not searched: what it waited for others does not make it older; see `Slip.let_out`."""
        read_ahead = not self._live and not self._source.live
        return stamp_now(self._clock) if read_ahead else grab.stamp

    def _report_corrupt(self, grab: CorruptFrame) -> None:
        """In its place in the stream: once everything before it is through."""
        self._flow.dropped("corrupt_frame")
        self._tell(self._damage.corrupt(grab.why))
        if self._flow.wait_below(1, self._wanted):
            self._outlet.nobody(FrameReason.CORRUPT_FRAME, self._stamp_of(grab), grab.recorded_ns)
