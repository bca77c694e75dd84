"""How good answers are, two ways: anywhere in the picture (as the original counted), and in place."""

from collections.abc import Sequence
from typing import Any

from training.errors import WorkshopError
from training.judging.answer import Answer, is_in_place, nearest_face, share
from training.judging.curve import areas, threshold_curve
from training.judging.groups import by_eye_distance, by_source
from training.judging.keypoint_error import keypoint_errors


def judge(answers: Sequence[Answer], threshold: float) -> dict[str, Any]:
    """All figures at ``threshold``; a share is None where there is nothing to count.

    Location-free, a peak anywhere over the threshold finds the person, as the original counted: then
    ``right_location_free`` is the accuracy. In place, the peak must lie within half an eye distance (at least 2 px) of
    a listed face. ``error`` and ``error_human_marked`` are those of the positives found, wherever the peak lies;
    ``error_in_place`` leaves out those that lie elsewhere.
    """
    positives = [a for a in answers if a.picture.positive]
    negatives = [a for a in answers if not a.picture.positive]
    found = [a for a in positives if a.probability >= threshold]
    placed = [a for a in found if is_in_place(a)]
    alarms = sum(a.probability >= threshold for a in negatives)
    quiet, missed = len(negatives) - alarms, len(positives) - len(found)
    human = [a for a in found if (n := nearest_face(a)) is not None and n[0].marked_by == "human"]
    return {
        "threshold": threshold,
        "positives": len(positives),
        "negatives": len(negatives),
        "confusion": {
            "location_free": {"tp": len(found), "fp": alarms, "fn": missed, "tn": quiet},
            # A person found elsewhere is neither found nor missed; whoever needs two kinds may add it to `fn`.
            "in_place": {
                "tp": len(placed),
                "elsewhere": len(found) - len(placed),
                "fp": alarms,
                "fn": missed,
                "tn": quiet,
            },
        },
        "right_location_free": share(len(found) + quiet, len(answers)),
        "right_in_place": share(len(placed) + quiet, len(answers)),
        "recall": share(len(found), len(positives)),
        "recall_in_place": share(len(placed), len(positives)),
        "specificity": share(quiet, len(negatives)),
        "precision": share(len(found), len(found) + alarms),
        "precision_in_place": share(len(placed), len(found) + alarms),
        "negative_predictive_value": share(quiet, quiet + missed),
        **areas(answers),
        "error": keypoint_errors(found),
        "error_in_place": keypoint_errors(placed),
        "error_human_marked": keypoint_errors(human),
        "by_eye_distance": by_eye_distance(positives, threshold),
        "by_source": by_source(answers, threshold),
    }


def choose_threshold(answers: Sequence[Answer], *, specificity: float = 0.97) -> float:
    """The threshold, in steps of 0.01, with most answers right among those that keep ``specificity``.

    A robot that follows a coat stand is worse than one that waits for a better look: hence the bound. Of equally
    good ones the middle is taken, for at either end other pictures fall off; of two the higher. Where none keeps the
    bound, the highest there is. Choose on pictures that do not judge. WorkshopError without both kinds.
    """
    positives = sum(a.picture.positive for a in answers)
    if not 0 < positives < len(answers):
        raise WorkshopError(
            "a threshold is chosen on held-out pictures with people and others without; there are "
            f"{positives} with and {len(answers) - positives} without: add more pictures or give a threshold"
        )
    rows = threshold_curve(answers, [round(0.01 * step, 2) for step in range(30, 96)])
    kept = [row for row in rows if row["specificity"] >= specificity] or rows[-1:]
    most = max(row["right_location_free"] for row in kept)
    best = [row["threshold"] for row in kept if row["right_location_free"] == most]
    return float(best[len(best) // 2])
