"""What grew during a soak: memory, descriptors, threads, latency. Pure."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Sequence, Tuple

import numpy as np

#: Of (seconds, value), in order of time.
Samples = Sequence[Tuple[float, float]]

#: What comes before this share of a run is its beginning, in which caches fill.
WARM_UP_SHARE = 0.1
#: Growth that is none: allocators keep a little, and a connection more or less may be open at the end.
MEMORY_MB = 10.0
COUNT = 1
LATENCY_MS = 50.0
LATENCY_SHARE = 0.5


@dataclass(frozen=True)
class Trend:
    """``first``, ``last``: medians of the first and last third after the warm-up; ``per_hour``: slope of a line."""

    first: float
    last: float
    per_hour: float
    highest: float

    @property
    def growth(self) -> float:
        return self.last - self.first


def trend(samples: Samples) -> Trend | None:
    """None where there are too few samples to tell."""
    if not samples:
        return None
    begin, end = samples[0][0], samples[-1][0]
    warm = [sample for sample in samples if sample[0] >= begin + WARM_UP_SHARE * (end - begin)]
    third = len(warm) // 3
    if third < 3:
        return None
    values = [value for _, value in warm]
    slope = float(np.polyfit([at for at, _ in warm], values, 1)[0])
    first, last = statistics.median(values[:third]), statistics.median(values[-third:])
    return Trend(first, last, slope * 3600, max(values))


def what_grew(memory_mb: Samples, descriptors: Samples, threads: Samples, latency_ms: Samples) -> list[str]:
    """A line for each that grew by more than is allowed."""
    said = []
    for name, samples, unit, allowed in (
        ("memory", memory_mb, " MB", MEMORY_MB),
        ("descriptors", descriptors, "", COUNT),
        ("threads", threads, "", COUNT),
    ):
        found = trend(samples)
        if found and found.growth > allowed:
            said.append(f"{name} grew from {found.first:g} to {found.last:g}{unit}; allowed are {allowed:g}{unit}")
    found = trend(latency_ms)
    if found and found.growth > max(LATENCY_MS, LATENCY_SHARE * found.first):
        said.append(f"latency grew from {found.first:.0f} to {found.last:.0f} ms")
    return said


def spread(values: Sequence[float]) -> dict[str, float]:
    """Count, median, 95 % and 99 %; empty of nothing."""
    if not values:
        return {}
    p50, p95, p99 = np.percentile(np.asarray(values), (50, 95, 99)).tolist()
    return {"count": len(values), "p50": p50, "p95": p95, "p99": p99, "max": max(values)}
