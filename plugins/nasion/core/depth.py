"""Depth patch to one depth, or the reason why there is none."""

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
    # Compared as they are: 0.7 m as float32 is less than the float64 of the same name, and yet at the limit.
    near = np.count_nonzero(patch < settings.near_m)
    far = np.count_nonzero(patch > settings.far_m)
    accepted = patch[(patch >= settings.near_m) & (patch <= settings.far_m)].astype(np.float64)
    count, of = accepted.size, patch.size
    spread = float(np.median(np.abs(accepted - np.median(accepted)))) if count else None
    # The share is a rounded number (0.2 * 25 may be a little over 5): compare with room for that.
    if count == 0 or count < settings.min_share * of - 1e-9:
        refused = {
            PersonReason.TOO_NEAR: near,
            PersonReason.NO_DEPTH: of - count - near - far,
            PersonReason.TOO_FAR: far,
        }
        return DepthReading(value=None, reason=max(refused, key=refused.__getitem__), count=count, of=of, spread=spread)
    reduced = np.median(accepted) if settings.reducer == "median" else np.mean(accepted)
    return DepthReading(value=float(reduced), reason=None, count=count, of=of, spread=spread)
