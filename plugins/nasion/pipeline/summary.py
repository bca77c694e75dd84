"""What a run came to."""

from dataclasses import dataclass, field
from typing import Dict, List, Mapping, Sequence

import numpy as np

from nasion.errors import NasionError
from nasion.events import Event


@dataclass(frozen=True)
class Percentiles:
    """Milliseconds."""

    median: float
    p95: float
    p99: float


@dataclass(frozen=True)
class CameraSummary:
    """One camera: ``frames`` the source gave, ``processed`` frames that were searched and published.

    ``drops``: counts by cause, see `flow.DROPS`; ``published``: the publisher's counters; ``latency_ms``: by stage, see
    `slip.STAGES`, and `total`, over the latest frames; ``source``: what the camera counts itself.
    """

    frames: int
    processed: int
    drops: Dict[str, int]
    published: Dict[str, int]
    latency_ms: Dict[str, Percentiles]
    source: Dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class RunSummary:
    """All cameras by name, how long the run took, and whether it was stopped and did not end by itself."""

    cameras: Dict[str, CameraSummary]
    seconds: float
    stopped: bool = False

    def lines(self) -> List[str]:
        """For people: what became of each camera's frames and messages, and where their time went."""
        lines = [text for name, camera in self.cameras.items() for text in _camera_lines(name, camera, self.seconds)]
        return [*lines, *self._unheard()] if self.stopped else lines

    def check(self) -> None:
        """NasionError where the run ended by itself and a broker was to hear of it, and has nothing of a camera.

        Of a run that was stopped ``lines`` tell it: whoever stops it decides that it was enough.
        """
        unheard = self._unheard()
        if unheard and not self.stopped:
            raise NasionError("; ".join(unheard))

    def _unheard(self) -> List[str]:
        return [Event(name, text) for name, camera in self.cameras.items() for text in _unheard(camera.published)]


def _unheard(published: Mapping[str, int]) -> List[str]:
    offered = published.get("offered", 0)
    if not offered or published.get("acknowledged", 0):
        return []
    if not published.get("connections", 0):
        why = "the broker was never there, or never took us; start it, correct --mqtt, or take --mqtt none"
    elif published.get("refused", 0):
        why = "the broker refused them; look at its access list"
    elif published.get("stale", 0):
        why = "they were older than mqtt.max_age_ms; take --view centre, or allow more"
    else:
        why = "the broker acknowledged none"
    return [f"none of {offered} messages was published: {why}"]


def percentiles(samples: Mapping[str, Sequence[float]]) -> Dict[str, Percentiles]:
    """Of each stage that has samples, milliseconds."""
    return {
        stage: Percentiles(*np.percentile(values, (50, 95, 99)).tolist())
        for stage, values in samples.items()
        if len(values)
    }


def _camera_lines(name: str, camera: CameraSummary, seconds: float) -> List[str]:
    rate = camera.processed / seconds if seconds > 0 else 0.0
    done = f"{camera.processed} of {camera.frames} frames processed, {rate:.1f}/s"
    lines: List[str] = [Event(name, f"{done}; dropped: {_counts(camera.drops)}")]
    if camera.latency_ms:
        stages = ", ".join(f"{stage} {value.median:.1f}/{value.p95:.1f}" for stage, value in camera.latency_ms.items())
        lines.append(Event(name, f"ms (median/p95): {stages}"))
    if camera.source:
        lines.append(Event(name, f"source: {_counts(camera.source)}"))
    if any(camera.published.values()):
        lines.append(Event(name, f"mqtt: {_counts(camera.published)}"))
    return lines


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{cause} {count}" for cause, count in counts.items() if count) or "none"
