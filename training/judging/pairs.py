"""Two models on the same pictures: where they differ, by how much, and whether chance would do the same."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.judging.answer import Answer, is_right, nearest_face
from training.judging.keypoint_error import spread
from training.judging.mcnemar import mcnemar_p

#: The figures that are set side by side, in this order.
COMPARED = (
    "right_location_free",
    "right_in_place",
    "recall",
    "recall_in_place",
    "specificity",
    "precision",
    "precision_in_place",
    "negative_predictive_value",
    "roc_auc",
    "average_precision",
)


@dataclass(frozen=True)
class Judged:
    """A model's answers and the threshold they are judged at."""

    answers: Sequence[Answer]
    threshold: float


def differences(first: dict[str, Any], second: dict[str, Any]) -> dict[str, float | None]:
    """Second less first for each compared figure of `judge`; None where either has none."""
    return {
        name: None if first[name] is None or second[name] is None else second[name] - first[name] for name in COMPARED
    }


def discordant(first: Judged, second: Judged, *, in_place: bool) -> dict[str, Any]:
    """The pictures where exactly one is right, in their order, and McNemar's test on their numbers."""
    right = {
        name: [is_right(a, judged.threshold, in_place=in_place) for a in judged.answers]
        for name, judged in (("a", first), ("b", second))
    }
    pairs = list(zip(first.answers, right["a"], right["b"], strict=True))
    only_a = [answer.picture.path.name for answer, a, b in pairs if a and not b]
    only_b = [answer.picture.path.name for answer, a, b in pairs if b and not a]
    return {
        "both_right": sum(a and b for _, a, b in pairs),
        "both_wrong": sum(not a and not b for _, a, b in pairs),
        "only_a_right": only_a,
        "only_b_right": only_b,
        "mcnemar_p": mcnemar_p(len(only_a), len(only_b)),
    }


def keypoint_shift(first: Judged, second: Judged) -> dict[str, Any]:
    """Distance between the two places on the positives that both found: median and 95th percentile.

    In picture pixels, and in eye distances of the listed face nearest to the first model's place.
    """
    pixels, relative = [], []
    for a, b in zip(first.answers, second.answers, strict=True):
        nearest = nearest_face(a)
        found = a.probability >= first.threshold and b.probability >= second.threshold
        if not found or nearest is None or a.place is None or b.place is None:
            continue
        pixels.append(math.dist(a.place, b.place))
        relative.append(pixels[-1] / nearest[0].interocular_px)
    return spread(pixels, relative)
