"""A source whose every grab is recorded."""

from dataclasses import replace
from typing import Dict

from nasion.core.calibration import Calibration
from nasion.recording.recorder import Recorder
from nasion.sources.frame import End, Frame, Grab, Source, SourceHealth, Watched

#: A source that says nothing of itself.
_HEALTHY = SourceHealth("ok", {}, (), None)


class RecordedSource:
    """Hands on what ``source`` gives; live frames never wait for the recorder, others until it has room."""

    def __init__(self, source: Source, recorder: Recorder, name: str, every: int) -> None:
        """``every``: as in the settings; the frames that are left out are not recorded either."""
        self.uri = source.uri
        self.live = source.live
        self.fps = source.fps
        self.calibration: Calibration = source.calibration
        self._source, self._recorder, self._name, self._every = source, recorder, name, every
        self._frames = 0
        self._interrupted = False

    def read(self) -> Grab:
        """Next grab."""
        grab = self._source.read()
        if isinstance(grab, End):
            return grab
        number, self._frames = self._frames, self._frames + 1
        if not isinstance(grab, Frame) or number % self._every == 0:
            self._recorder.frame(self._name, grab, wait=self._may_wait)
        return grab

    def close(self) -> None:
        """Release the source; the recorder is closed by who opened it."""
        self._source.close()

    @property
    def health(self) -> SourceHealth:
        """What the source says of itself; what the recorder had to let go counts too."""
        health = self._source.health if isinstance(self._source, Watched) else _HEALTHY
        lost = self._recorder.count(self._name).dropped_frames
        counters: Dict[str, int] = {**health.counters, **({"not_recorded": lost} if lost else {})}
        return replace(health, counters=counters)

    def interrupt(self) -> None:
        """See `Watched`."""
        self._interrupted = True
        if isinstance(self._source, Watched):
            self._source.interrupt()

    def _may_wait(self) -> bool:
        return not (self.live or self._interrupted)
