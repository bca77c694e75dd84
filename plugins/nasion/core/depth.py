"""Depth patch to one depth, or the reason why there is none."""

import math
from bisect import bisect_left, bisect_right
from typing import List

import numpy as np
from numpy.typing import NDArray

from nasion.core.results import DepthReading, PersonReason
from nasion.settings import DepthSettings


def reduce_patch(patch: NDArray[np.float32], settings: DepthSettings) -> DepthReading:
    """One depth z in metres from ``patch`` (any 2-D shape, z in metres; NaN unknown, +inf too far, -inf too near).

    ``near_m <= d <= far_m`` accepts a value; every other is too near, too far or unknown. When fewer than ``min_share``
    of the values are accepted, the class most of the others belong to is the reason; of equally many, the safer one for
    a robot: too near, then unknown, then too far. ValueError: an empty patch or one that is not 2-D.
    """
    if patch.ndim != 2 or patch.size == 0:
        raise ValueError(f"a depth patch is two-dimensional and not empty, its shape here is {patch.shape}")
    # In order, for then counting is looking where a limit lies; a few numbers cost less as Python's own.
    known = sorted(depth for depth in patch.ravel().tolist() if not math.isnan(depth))
    # Compared as they are: 0.7 m as float32 is less than the float64 of the same name, and yet at the limit.
    near = bisect_left(known, float(np.float32(settings.near_m)))
    beyond = bisect_right(known, float(np.float32(settings.far_m)))
    accepted = known[near:beyond]
    count, of = len(accepted), patch.size
    middle = _median(accepted) if count else math.nan
    spread = _median(sorted(abs(depth - middle) for depth in accepted)) if count else None
    # The share is a rounded number (0.2 * 25 may be a little over 5): compare with room for that.
    if count == 0 or count < settings.min_share * of - 1e-9:
        refused = {
            PersonReason.TOO_NEAR: near,
            PersonReason.NO_DEPTH: of - len(known),
            PersonReason.TOO_FAR: len(known) - beyond,
        }
        return DepthReading(value=None, reason=max(refused, key=refused.__getitem__), count=count, of=of, spread=spread)
    reduced = middle if settings.reducer == "median" else float(np.mean(accepted))
    return DepthReading(value=reduced, reason=None, count=count, of=of, spread=spread)


def _median(ordered: List[float]) -> float:
    """Of at least one number, in order."""
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
