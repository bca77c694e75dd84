"""The pictures a model gets wrong, worst first."""

from collections.abc import Sequence
from dataclasses import dataclass

from training.judging.answer import Answer, error_in_eye_distances, is_in_place


@dataclass(frozen=True)
class Mistakes:
    """Each worst first. ``wrong_places``: found elsewhere; ``worst_placed``: in place, the largest errors first."""

    false_positives: list[Answer]
    false_negatives: list[Answer]
    wrong_places: list[Answer]
    worst_placed: list[Answer]


def mistakes(answers: Sequence[Answer], threshold: float) -> Mistakes:
    """Sort out what is wrong at ``threshold``; the surer a wrong answer, or the farther off, the worse.

    Pictures that are equally bad stand in the order of their names, so that two runs give the same lists.
    """
    alarms = [a for a in answers if not a.picture.positive and a.probability >= threshold]
    missed = [a for a in answers if a.picture.positive and a.probability < threshold]
    found = [a for a in answers if a.picture.positive and a.probability >= threshold]
    return Mistakes(
        sorted(alarms, key=lambda a: (-a.probability, a.picture.path.name)),
        sorted(missed, key=lambda a: (a.probability, a.picture.path.name)),
        sorted((a for a in found if not is_in_place(a)), key=_farthest_first),
        sorted((a for a in found if is_in_place(a)), key=_farthest_first),
    )


def _farthest_first(answer: Answer) -> tuple[float, str]:
    error = error_in_eye_distances(answer)
    # Without a place (no peak) there is no distance: as wrong as can be.
    return float("-inf") if error is None else -error, answer.picture.path.name
