"""How good answers are, two ways: anywhere in the picture (as the original counted), and in place."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.data.table import Face, Picture

#: Eye distances, pixels of the searched picture, that divide the small faces from the large.
EYE_DISTANCE_BINS = (0.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 48.0, math.inf)


@dataclass(frozen=True)
class Answer:
    """What the model said of one picture: highest probability, and its place in picture pixels (None: no peak)."""

    picture: Picture
    probability: float
    place: tuple[float, float] | None


def in_place_tolerance(interocular_px: float) -> float:
    """How far from a face's keypoint a peak may lie to count as in place: half the eye distance, at least 2 px."""
    return max(0.5 * interocular_px, 2.0)


def nearest_face(answer: Answer) -> tuple[Face, float] | None:
    """The listed face nearest to the answered place, and the distance in pixels; None without either."""
    if answer.place is None or not answer.picture.faces:
        return None
    u, v = answer.place
    return min(((f, math.hypot(f.u - u, f.v - v)) for f in answer.picture.faces), key=lambda pair: pair[1])


def is_in_place(answer: Answer) -> bool:
    """Whether the answered place is a listed face's."""
    nearest = nearest_face(answer)
    return nearest is not None and nearest[1] <= in_place_tolerance(nearest[0].interocular_px)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _errors(answers: Sequence[Answer]) -> dict[str, Any]:
    """Distance to the nearest listed face, in pixels and in its eye distances."""
    found = [nearest for answer in answers if (nearest := nearest_face(answer)) is not None]
    if not found:
        return {"pictures": 0}
    pixels = np.array([distance for _, distance in found])
    relative = np.array([distance / face.interocular_px for face, distance in found])
    return {
        "pictures": len(found),
        "median_px": float(np.median(pixels)),
        "p95_px": float(np.percentile(pixels, 95)),
        "median_eye_distances": float(np.median(relative)),
        "p95_eye_distances": float(np.percentile(relative, 95)),
    }


def _by_size(positives: Sequence[Answer], threshold: float) -> list[dict[str, Any]]:
    rows = []
    for low, high in itertools.pairwise(EYE_DISTANCE_BINS):
        members = [a for a in positives if low <= a.picture.faces[0].interocular_px < high]
        found = [a for a in members if a.probability >= threshold]
        rows.append(
            {
                "eye_distance_px": [low, high if math.isfinite(high) else None],
                "pictures": len(members),
                "recall": _share(len(found), len(members)),
                "recall_in_place": _share(sum(map(is_in_place, found)), len(members)),
                "median_eye_distances": _errors(found).get("median_eye_distances"),
            }
        )
    return rows


def judge(answers: Sequence[Answer], threshold: float) -> dict[str, Any]:
    """All figures at ``threshold``. Keypoint errors are those of the positives found, wherever the peak lies."""
    positives = [a for a in answers if a.picture.positive]
    negatives = [a for a in answers if not a.picture.positive]
    found = [a for a in positives if a.probability >= threshold]
    false = [a for a in negatives if a.probability >= threshold]
    right = len(found) + len(negatives) - len(false)
    human = [a for a in found if (n := nearest_face(a)) is not None and n[0].marked_by == "human"]
    sources = sorted({a.picture.source for a in answers})
    per_source = {}
    for source in sources:
        members = [a for a in answers if a.picture.source == source]
        good = sum((a.probability >= threshold) == a.picture.positive for a in members)
        per_source[source] = {"pictures": len(members), "right": _share(good, len(members))}
    return {
        "threshold": threshold,
        "positives": len(positives),
        "negatives": len(negatives),
        "right_location_free": _share(right, len(answers)),
        "recall": _share(len(found), len(positives)),
        "recall_in_place": _share(sum(map(is_in_place, found)), len(positives)),
        "specificity": _share(len(negatives) - len(false), len(negatives)),
        "precision": _share(len(found), len(found) + len(false)),
        "error": _errors(found),
        "error_human_marked": _errors(human),
        "by_eye_distance": _by_size(positives, threshold),
        "by_source": per_source,
    }


def choose_threshold(answers: Sequence[Answer], *, specificity: float = 0.97) -> float:
    """The threshold, in steps of 0.01, with most answers right among those that keep ``specificity``.

    A robot that follows a coat stand is worse than one that waits for a better look: hence the bound. Where no
    threshold keeps it, the highest is taken. Choose on pictures that do not judge.
    """
    steps = [round(0.01 * step, 2) for step in range(30, 96)]
    figures = [judge(answers, step) for step in steps]
    kept = [f for f in figures if f["specificity"] >= specificity] or figures[-1:]
    best = max(kept, key=lambda f: (f["right_location_free"], -f["threshold"]))
    return float(best["threshold"])
