"""How the figures move with the threshold, and what no threshold changes: the areas under ROC and precision-recall."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torchmetrics.functional.classification import binary_auroc, binary_average_precision

from training.judging.answer import Answer, is_in_place, share

#: 0.00, 0.01 .. 1.00, as they are written.
THRESHOLDS = tuple(round(0.01 * step, 2) for step in range(101))


def threshold_curve(answers: Sequence[Answer], thresholds: Iterable[float] = THRESHOLDS) -> list[dict[str, Any]]:
    """At each threshold: recall, specificity and precision, and the share of right answers, both ways.

    A share is None where it has no pictures: a precision without alarms, a recall without positives.
    """
    positives = _sorted(a for a in answers if a.picture.positive)
    in_place = _sorted(a for a in answers if a.picture.positive and is_in_place(a))
    negatives = _sorted(a for a in answers if not a.picture.positive)
    rows = []
    for threshold in thresholds:
        found, placed = _at_least(positives, threshold), _at_least(in_place, threshold)
        alarms = _at_least(negatives, threshold)
        quiet = len(negatives) - alarms
        rows.append(
            {
                "threshold": threshold,
                "recall": share(found, len(positives)),
                "recall_in_place": share(placed, len(positives)),
                "specificity": share(quiet, len(negatives)),
                "precision": share(found, found + alarms),
                "right_location_free": share(found + quiet, len(answers)),
                "right_in_place": share(placed + quiet, len(answers)),
            }
        )
    return rows


def areas(answers: Sequence[Answer]) -> dict[str, float | None]:
    """``roc_auc``: how often a positive has the higher probability of the two when one of each kind is drawn.

    ``average_precision``: precision, averaged over the steps of recall. Location-free; None without both kinds.
    """
    kinds = [a.picture.positive for a in answers]
    if all(kinds) or not any(kinds):
        return {"roc_auc": None, "average_precision": None}
    probabilities = torch.tensor([a.probability for a in answers], dtype=torch.float64)
    labels = torch.tensor(kinds, dtype=torch.long)
    return {
        "roc_auc": float(binary_auroc(probabilities, labels)),
        "average_precision": float(binary_average_precision(probabilities, labels)),
    }


def _sorted(answers: Iterable[Answer]) -> NDArray[np.float64]:
    return np.sort(np.array([a.probability for a in answers], np.float64))


def _at_least(probabilities: NDArray[np.float64], threshold: float) -> int:
    return len(probabilities) - int(np.searchsorted(probabilities, threshold, side="left"))
