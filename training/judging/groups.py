"""The figures of parts of the pictures: by the size of the face, and by where the pictures come from."""

import itertools
import math
from collections.abc import Sequence
from typing import Any

from training.judging.answer import Answer, is_in_place, is_right, share
from training.judging.keypoint_error import keypoint_errors

#: Eye distances, pixels of the searched picture, that divide the small faces from the large.
EYE_DISTANCE_BINS = (0.0, 4.0, 6.0, 8.0, 12.0, 16.0, 24.0, 48.0, math.inf)


def by_eye_distance(positives: Sequence[Answer], threshold: float) -> list[dict[str, Any]]:
    """Recall, both ways, and median error of each size of the most prominent face, smallest first.

    ``eye_distance_px``: [from, below], below None for the last; pixels of the searched picture, because that is what
    the network saw, however large the picture was stored.
    """
    rows = []
    for low, high in itertools.pairwise(EYE_DISTANCE_BINS):
        members = [a for a in positives if low <= a.scale * a.picture.faces[0].interocular_px < high]
        found = [a for a in members if a.probability >= threshold]
        rows.append(
            {
                "eye_distance_px": [low, high if math.isfinite(high) else None],
                "pictures": len(members),
                "recall": share(len(found), len(members)),
                "recall_in_place": share(sum(map(is_in_place, found)), len(members)),
                "median_eye_distances": keypoint_errors(found).get("median_eye_distances"),
            }
        )
    return rows


def by_source(answers: Sequence[Answer], threshold: float) -> dict[str, dict[str, Any]]:
    """The figures of each source in alphabetical order; None where a source lacks the kind of picture."""
    return {
        source: _source([a for a in answers if a.picture.source == source], threshold)
        for source in sorted({a.picture.source for a in answers})
    }


def _source(members: Sequence[Answer], threshold: float) -> dict[str, Any]:
    anywhere = [is_right(a, threshold, in_place=False) for a in members]
    in_place = [is_right(a, threshold, in_place=True) for a in members]
    kinds = [a.picture.positive for a in members]
    positives, negatives = sum(kinds), len(members) - sum(kinds)
    return {
        "pictures": len(members),
        "right": share(sum(anywhere), len(members)),
        "right_in_place": share(sum(in_place), len(members)),
        "positives": positives,
        "negatives": negatives,
        "recall": share(_both(anywhere, kinds), positives),
        "recall_in_place": share(_both(in_place, kinds), positives),
        "specificity": share(sum(anywhere) - _both(anywhere, kinds), negatives),
    }


def _both(right: Sequence[bool], kinds: Sequence[bool]) -> int:
    return sum(a and b for a, b in zip(right, kinds, strict=True))
