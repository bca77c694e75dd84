"""An engine's heat maps against ONNX Runtime's of the same inputs: by value, and by where the peak lies."""

import math
from dataclasses import asdict, dataclass
from typing import Any, Dict, Optional, Sequence

import numpy as np

from nasion.core.heatmap import HeatMap, find_peaks
from nasion.engine.metadata import ModelMetadata
from nasion.errors import NasionError


@dataclass(frozen=True)
class Difference:
    """Two heat maps of one picture. ``shift_px``: between their peaks, pixels of the network's input; None where one
    does not reach the threshold. ``agree``: both say somebody, or both say nobody.
    """

    picture: str
    max_abs: float
    shift_px: Optional[float]
    agree: bool


def difference(picture: str, expected: HeatMap, found: HeatMap, metadata: ModelMetadata) -> Difference:
    """``found``, an engine's heat map, against ``expected``; NasionError for another shape or what is not finite."""
    if expected.shape != found.shape:
        raise NasionError(f"{picture}: the engine's heat map is {found.shape}; ONNX Runtime's is {expected.shape}")
    if not np.isfinite(found).all():
        raise NasionError(f"{picture}: the engine's heat map holds NaN or infinity; try --precision fp32")
    drawn = metadata.sigma_px / metadata.stride
    places = [
        next(iter(find_peaks(heat, max_peaks=1, minimum=metadata.threshold, drawn_sigma=drawn)), None)
        for heat in (expected, found)
    ]
    first, second = places
    shift = None
    if first is not None and second is not None:
        shift = math.hypot(first.x - second.x, first.y - second.y) * metadata.stride
    return Difference(
        picture=picture,
        max_abs=float(np.abs(expected - found).max()),
        shift_px=shift,
        agree=(first is None) == (second is None),
    )


def summary(differences: Sequence[Difference]) -> Dict[str, Any]:
    """The largest difference, the peaks' shifts, and each picture, for one JSON object."""
    shifts = [one.shift_px for one in differences if one.shift_px is not None]
    return {
        "pictures": len(differences),
        "max_abs": max((one.max_abs for one in differences), default=None),
        "peaks": len(shifts),
        "shift_px_median": float(np.median(shifts)) if shifts else None,
        "shift_px_max": max(shifts, default=None),
        "disagreements": sum(not one.agree for one in differences),
        "each": [asdict(one) for one in differences],
    }


def why_not_alike(figures: Dict[str, Any], at_most_px: float) -> Optional[str]:
    """Why the engine must not stand in for the model, by a `summary`; None where it may.

    Heat maps in FP16 differ by value everywhere; what counts is who is seen and where.
    """
    if not figures["peaks"] and not figures["disagreements"]:
        return "no picture shows anybody, so the peaks say nothing; give pictures with a person in view"
    if figures["peaks"] and figures["shift_px_max"] > at_most_px:
        return f"a peak lies {figures['shift_px_max']:.2f} px off; at most {at_most_px:g} px are right"
    if figures["disagreements"] > figures["pictures"] * 0.05:
        return f"in {figures['disagreements']} of {figures['pictures']} pictures only one of the two sees somebody"
    return None
