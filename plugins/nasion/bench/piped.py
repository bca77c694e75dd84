"""Frames through the whole pipeline, as the application runs it, and when each message came."""

import threading
import time
from typing import Callable, Dict, List, NamedTuple, Optional, Sequence

from nasion.bench.bench import Bench
from nasion.bench.frames import one_by_one
from nasion.bench.turns import Turn
from nasion.errors import NasionError
from nasion.messages import PersonMessage
from nasion.pipeline.app import run
from nasion.pipeline.summary import RunSummary
from nasion.settings import DepthSettings, Mode, RunSettings, View
from nasion.sources.frame import Clock, Frame, Source

#: Messages before the first one that counts, at most a quarter: the first frames find cold memory.
_WARM = 5
#: The process's time is asked for at each of the first messages and then at every so many: it is summed up over all
#: cores, which takes 0.3 ms while another thread computes. Asked for each frame, that was a tenth of a frame's work.
_CPU_EVERY = 10


class Passage(NamedTuple):
    """A run: for each searched frame when its message came, and its latencies.

    ``cpu_ns``: the process's time until then, of some messages, by their number; ``latencies_ms``: as in the message,
    and `published`: the frame's age when the message was on its way; ``located``: frames with a person.
    """

    arrived_ns: List[int]
    cpu_ns: Dict[int, int]
    latencies_ms: List[Dict[str, float]]
    located: int
    summary: RunSummary

    def turn(self) -> Turn:
        """From an early message to a late one: opening the model is no work on frames. NasionError: hardly any came."""
        if len(self.arrived_ns) < 2:
            raise NasionError(f"{len(self.arrived_ns)} messages came, at least 2 are needed; measure for longer")
        asked = sorted(self.cpu_ns)
        first, last = min(_WARM, len(self.arrived_ns) // 4), asked[-1]
        return Turn(
            last - first,
            (self.arrived_ns[last] - self.arrived_ns[first]) / 1e9,
            (self.cpu_ns[last] - self.cpu_ns[first]) / 1e9,
            sum(latency["network"] for latency in self.latencies_ms[first + 1 : last + 1]) / 1e3,
        )


def passage(
    settings: RunSettings,
    sources: Sequence[Source],
    *,
    clock: Clock,
    stop: threading.Event,
    on_frame: Callable[[], None] = lambda: None,
) -> Passage:
    """Run ``settings``, whose cameras look at ``sources`` in this order; ``on_frame`` is called for each message."""
    arrived: List[int] = []
    used: Dict[int, int] = {}
    latencies: List[Dict[str, float]] = []
    located = 0
    by_uri = {camera.source: source for camera, source in zip(settings.cameras, sources)}

    def opener(
        uri: str, *, depth: DepthSettings, mode: Optional[Mode], clock: Clock, on_event: Callable[[str], None]
    ) -> Source:
        del depth, mode, clock, on_event
        return by_uri[uri]

    def note(message: PersonMessage) -> None:
        nonlocal located
        # A message about silence has no frame.
        if "network" in message.latency_ms:
            number = len(arrived)
            arrived.append(clock.monotonic_ns())
            if number <= _WARM or number % _CPU_EVERY == 0:
                used[number] = time.process_time_ns()
            latencies.append({**message.latency_ms, "published": _age_ns(message, clock) / 1e6})
            located += bool(message.persons)
        on_frame()

    summary = run(settings, clock=clock, on_message=note, on_event=lambda _: None, stop=stop, opener=opener)
    return Passage(arrived, used, latencies, located, summary)


def one_at_a_time(bench: Bench, frames: Sequence[Frame], count: int, view: View, mqtt_url: str = "none") -> Passage:
    """``count`` of ``frames`` in mode `live`, each when the one before is through."""
    answered = threading.Event()
    source = bench.replay(one_by_one(frames, count, answered, bench.clock), frames, live=True)
    settings = bench.subject.settings(view, "live", sources=(source.uri,), mqtt_url=mqtt_url)
    return passage(settings, [source], clock=bench.clock, stop=bench.stop, on_frame=answered.set)


def _age_ns(message: PersonMessage, clock: Clock) -> int:
    """Of its frame; by the wall clock where this host does not tell its boots apart."""
    if message.monotonic_ns is not None:
        return clock.monotonic_ns() - int(message.monotonic_ns)
    return clock.utc_ns() - int(message.captured_ns)
