"""A recording played as if it were a camera."""

from typing import Optional

from nasion.core.calibration import Calibration
from nasion.sources.clock import stamp_now
from nasion.sources.frame import Clock, CorruptFrame, End, Frame, Grab, Source, SourceHealth, Watched

#: A recording that says nothing of itself.
_HEALTHY = SourceHealth("ok", {}, (), None)


class PacedSource:
    """Gives each frame of a recording when its time has come, counted from the first one."""

    live = True

    def __init__(self, recording: Source, clock: Clock) -> None:
        """``recording``: its frames carry ``recorded_ns``."""
        self.uri = recording.uri
        self.fps = recording.fps
        self.calibration: Calibration = recording.calibration
        self._recording, self._clock = recording, clock
        self._offset_ns: Optional[int] = None

    def read(self) -> Grab:
        """Next frame, stamped when its time has come."""
        grab = self._recording.read()
        if isinstance(grab, End) or grab.recorded_ns is None:
            return grab
        now = self._clock.monotonic_ns()
        if self._offset_ns is None:
            self._offset_ns = now - grab.recorded_ns
        self._clock.sleep((grab.recorded_ns + self._offset_ns - now) / 1e9)
        return _restamped(grab, self._clock)

    def close(self) -> None:
        """Release the recording."""
        self._recording.close()

    @property
    def health(self) -> SourceHealth:
        """What the recording says of itself: a damaged one counts too."""
        return self._recording.health if isinstance(self._recording, Watched) else _HEALTHY

    def interrupt(self) -> None:
        """See `Watched`."""
        if isinstance(self._recording, Watched):
            self._recording.interrupt()


def _restamped(grab: Grab, clock: Clock) -> Grab:
    stamp = stamp_now(clock)
    if isinstance(grab, Frame):
        return Frame(grab.picture, grab.depth, grab.calibration, stamp, grab.recorded_ns)
    if isinstance(grab, CorruptFrame):
        return CorruptFrame(stamp, grab.why, grab.recorded_ns)
    return grab
