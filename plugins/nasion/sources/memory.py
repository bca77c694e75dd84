"""Grabs that are already in memory, or are made as they are asked for: for benchmarks, tests and programs that embed
the pipeline.
"""

from typing import Iterable

from nasion.core.calibration import Calibration
from nasion.sources.frame import End, Grab


class MemorySource:
    """Hands out ``grabs`` one by one; an iterator that waits gives a paced source, an endless one a benchmark."""

    def __init__(
        self,
        grabs: Iterable[Grab],
        calibration: Calibration,
        *,
        live: bool = False,
        fps: float = 30.0,
        uri: str = "memory:",
    ) -> None:
        self.uri = uri
        self.live = live
        self.fps = fps
        self.calibration = calibration
        self._grabs = iter(grabs)

    def read(self) -> Grab:
        """Next grab; End once there are no more."""
        return next(self._grabs, End())

    def close(self) -> None:
        """Nothing is held."""
