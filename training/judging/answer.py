"""What a model said of one picture, and whether it said it of the right place."""

import math
from dataclasses import dataclass

from training.data.table import Face, Picture


@dataclass(frozen=True)
class Answer:
    """What the model said of one picture: highest probability, and its place in picture pixels (None: no peak).

    ``scale``: pixels of the searched picture per pixel of the stored one; above 1 where a small picture was enlarged.
    """

    picture: Picture
    probability: float
    place: tuple[float, float] | None
    scale: float = 1.0


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


def error_in_eye_distances(answer: Answer) -> float | None:
    """Distance to the nearest listed face as a share of its eye distance; None without a place or a face."""
    nearest = nearest_face(answer)
    return None if nearest is None else nearest[1] / nearest[0].interocular_px


def is_right(answer: Answer, threshold: float, *, in_place: bool) -> bool:
    """Whether the answer is right at ``threshold``: anywhere in the picture, or only ``in_place``."""
    found = answer.probability >= threshold
    if not answer.picture.positive:
        return not found
    return found and (not in_place or is_in_place(answer))


def share(part: int, whole: int) -> float | None:
    """``part / whole``; None where there is nothing to divide by."""
    return part / whole if whole else None
