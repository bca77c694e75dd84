"""Contact sheets: small pictures with the heat map, the marked points and the found one."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from nasion.core.results import Located
from nasion.locating import Finding
from nasion.show.overlay import draw_located

from training.data.augment import Pixels
from training.errors import WorkshopError
from training.judging.answer import Answer, error_in_eye_distances

Colour = tuple[int, int, int]
Point = tuple[float, float]

#: Longest side of a thumbnail, pixels; sharp enough on a phone, and a page of a hundred stays below 5 MB.
LONGEST = 360
_JPEG_QUALITY = 82
#: BGR. The marked points are rings, the found ones crosses, so that nothing rests on colour alone.
MARKED: Colour = (255, 255, 255)
FOUND: tuple[Colour, ...] = ((80, 220, 80), (255, 160, 60))
_RING, _ARM = 9, 8


@dataclass(frozen=True)
class Thumbnail:
    """A JPEG file's bytes and the lines below it."""

    jpeg: bytes
    lines: tuple[str, ...]


def thumbnail(pixels: Pixels, answer: Answer, finding: Finding) -> Thumbnail:
    """The picture (H, W, 3) BGR with its heat map, and what was answered."""
    heated = draw_located(pixels, Located((), None, None), heat=finding.heat, geometry=finding.geometry)
    return Thumbnail(marked_jpeg(heated, answer, [answer.place]), (answer.picture.path.name, *facts(answer)))


def facts(answer: Answer) -> tuple[str, ...]:
    """Probability, size of the most prominent face and error, in words; what does not apply is left out."""
    faces = answer.picture.faces
    size = [f"eyes {answer.scale * faces[0].interocular_px:.1f} px apart"] if faces else []
    probability, *error = verdict(answer)
    return probability, *size, *error


def verdict(answer: Answer) -> tuple[str, ...]:
    """Probability and error, in words; what does not apply is left out."""
    error = error_in_eye_distances(answer)
    return f"p {answer.probability:.2f}", *([] if error is None else [f"{error:.2f} eye distances off"])


def marked_jpeg(pixels: Pixels, answer: Answer, found: Sequence[Point | None]) -> bytes:
    """``pixels`` (H, W, 3) BGR brought to ``LONGEST``, with a ring at each listed face and a cross at each ``found``.

    Several ``found`` have a colour each, by their number; None leaves its colour out.
    """
    height, width = pixels.shape[:2]
    scale = LONGEST / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    canvas = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    for face in answer.picture.faces:
        _ring(canvas, _scaled((face.u, face.v), scale))
    for place, colour in zip(found, FOUND, strict=False):
        if place is not None:
            _cross(canvas, _scaled(place, scale), colour)
    done, data = cv2.imencode(".jpg", canvas, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise WorkshopError(f"{answer.picture.path}: its thumbnail could not be written as JPEG")
    return data.tobytes()


def _scaled(point: Point, scale: float) -> tuple[int, int]:
    """Half-pixel rule: coordinates count from pixels' centres."""
    return round((point[0] + 0.5) * scale - 0.5), round((point[1] + 0.5) * scale - 0.5)


def _ring(canvas: Pixels, centre: tuple[int, int]) -> None:
    cv2.circle(canvas, centre, _RING, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.circle(canvas, centre, _RING, MARKED, 1, cv2.LINE_AA)


def _cross(canvas: Pixels, centre: tuple[int, int], colour: Colour) -> None:
    u, v = centre
    for shade, thickness in (((0, 0, 0), 4), (colour, 2)):
        for du, dv in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            start, end = (u + 3 * du, v + 3 * dv), (u + _ARM * du, v + _ARM * dv)
            cv2.line(canvas, start, end, shade, thickness, cv2.LINE_AA)
