"""How far the answered places lie from the marked ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from training.judging.answer import Answer, nearest_face


def keypoint_errors(answers: Sequence[Answer]) -> dict[str, Any]:
    """Distance to the nearest listed face: median and 95th percentile, in picture pixels and in its eye distances.

    Answers without a place or a face do not count; without any left there is only ``pictures``, 0.
    """
    found = [nearest for answer in answers if (nearest := nearest_face(answer)) is not None]
    return spread([distance for _, distance in found], [distance / face.interocular_px for face, distance in found])


def spread(pixels: Sequence[float], eye_distances: Sequence[float]) -> dict[str, Any]:
    """Median and 95th percentile of the same distances in picture pixels and in eye distances, and their number."""
    if not pixels:
        return {"pictures": 0}
    return {
        "pictures": len(pixels),
        "median_px": float(np.median(pixels)),
        "p95_px": float(np.percentile(pixels, 95)),
        "median_eye_distances": float(np.median(eye_distances)),
        "p95_eye_distances": float(np.percentile(eye_distances, 95)),
    }
