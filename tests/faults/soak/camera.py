"""A camera that fails on command: what a source is, around a real one; the double of a soak and of the fault tests."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from nasion.sources.frame import Clock, CorruptFrame, End, Frame, Grab, Source, SourceHealth, Stamp
from numpy.typing import NDArray

#: Away for longer than this, seconds, the camera calls itself lost; until then it is being reconnected.
LOST_AFTER_S = 3.0
#: What a camera without depth gives in its place.
BLIND = {
    "nan": math.nan,
    "inf": math.inf,
    "-inf": -math.inf,
    "zero": 0.0,
    "negative": -2.0,
    "nothing": None,
}


@dataclass(frozen=True)
class Blind:
    """Depth that is none."""

    value: float | None

    def refused(self) -> None: ...

    def patch(self, _u: float, _v: float, size: int) -> NDArray[np.float32]:
        if self.value is not None:
            return np.full((size, size), self.value, np.float32)
        values = [np.nan, np.inf, -np.inf]
        return np.resize(np.array(values, np.float32), (size, size))


class FaultyCamera:
    """Commands, a word and for some a number: `silent`, `away`, `back`, `corrupt N`, `blind KIND`, `late MS`, `pace S`.

    `silent` gives nothing and says nothing; `away` says itself that it is; `blind` takes the depth until `back`.
    """

    def __init__(self, source: Source, clock: Clock) -> None:
        self.uri, self.live, self.fps, self.calibration = source.uri, True, source.fps, source.calibration
        self._source, self._clock = source, clock
        self._changed = threading.Condition()
        self._gone: Literal["silent", "away"] | None = None
        self._gone_ns = 0
        self._corrupt = 0
        self._blind: str | None = None
        self._late_ms = 0.0
        self._pace_s = 0.0
        self._away_times = 0
        self._ended = False

    def obey(self, command: str) -> None:
        """Do as told; ValueError of what is no command."""
        word, _, number = command.partition(" ")
        with self._changed:
            if word in ("silent", "away"):
                self._gone = "silent" if word == "silent" else "away"
                self._gone_ns = self._clock.monotonic_ns()
                self._away_times += word == "away"
            elif word == "back":
                self._gone = self._blind = None
            elif word == "corrupt":
                self._corrupt += int(number)
            elif word == "blind" and number in BLIND:
                self._blind = number
            elif word == "late":
                self._late_ms = float(number)
            elif word == "pace":
                self._pace_s = float(number)
            else:
                raise ValueError(f"unknown command {command!r}")
            self._changed.notify_all()

    def read(self) -> Grab:
        self._clock.sleep(self._pace_s)
        grab = self._source.read()
        # What was taken before a loss is not shown after it.
        while self._wait_for_the_return():
            grab = self._source.read()
        with self._changed:
            if self._ended:
                return End()
            corrupt, self._corrupt = self._corrupt > 0, max(self._corrupt - 1, 0)
            blind, late_ns = self._blind, int(self._late_ms * 1e6)
        if not isinstance(grab, Frame):
            return grab
        if corrupt:
            return CorruptFrame(grab.stamp, "damaged on command", grab.recorded_ns)
        stamp = Stamp(grab.stamp.utc_ns - late_ns, grab.stamp.monotonic_ns - late_ns)
        return replace(grab, stamp=stamp, depth=grab.depth if blind is None else Blind(BLIND[blind]))

    def _wait_for_the_return(self) -> bool:
        """Whether the camera was gone, and is back."""
        with self._changed:
            gone = self._gone is not None
            self._changed.wait_for(lambda: self._gone is None or self._ended)
            return gone and not self._ended

    def close(self) -> None:
        self._source.close()

    @property
    def health(self) -> SourceHealth:
        with self._changed:
            counters = {"lost": self._away_times} if self._away_times else {}
            if self._gone != "away":
                return SourceHealth("ok", counters, (), None)
            away_s = (self._clock.monotonic_ns() - self._gone_ns) / 1e9
            return SourceHealth("lost" if away_s >= LOST_AFTER_S else "reconnecting", counters, (), None)

    def interrupt(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
