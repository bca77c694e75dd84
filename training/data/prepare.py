"""Bring a picture of any size to 320 x 240 pixels, as the first training pictures were.

- The aspect is kept, and no picture is scaled up.
- A picture that is larger in width and height is scaled down until it just covers 320 x 240.
- What then sticks out is cut off, so that the most prominent key point stays inside with a margin.
- What then is missing is padded with zeros, at the right and below: there the search for a person pads, too, and the
  labels stay as they are.

A picture that is larger in one direction only keeps its scale: it is cut in that direction, padded in the other.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.table import Face

WIDTH, HEIGHT = 320, 240
#: How far the key point keeps from a cut, in pixels. Nearer to the picture's own border it keeps its distance from it.
MARGIN_PX = 16.0

Pixels = NDArray[np.uint8]


def inside(u: float, v: float, width: int, height: int) -> bool:
    """Whether a point is on a picture, whose pixels reach half a pixel beyond their centres; NaN is not."""
    return -0.5 <= u < width - 0.5 and -0.5 <= v < height - 0.5


def prepare(
    picture: Pixels, faces: Sequence[Face], *, at: tuple[float, float] = (0.5, 0.5), margin_px: float = MARGIN_PX
) -> tuple[Pixels, tuple[Face, ...]]:
    """The picture, (H, W, 3) uint8, at (240, 320, 3), and those of its faces that are still inside.

    ``at`` says where the cut is taken, (across, down), from 0, the farthest left or up that keeps the first face
    inside, to 1, the farthest right or down. Draw it at random, or the first faces gather in the middle.
    """
    scaled, faces = _scaled(picture, faces)
    height, width = scaled.shape[:2]
    u, v = (faces[0].u, faces[0].v) if faces else (None, None)
    left = _cut(width, WIDTH, u, at[0], margin_px)
    top = _cut(height, HEIGHT, v, at[1], margin_px)
    part = scaled[top : top + HEIGHT, left : left + WIDTH]
    canvas = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    canvas[: part.shape[0], : part.shape[1]] = part
    moved = (Face(face.u - left, face.v - top, face.interocular_px, face.marked_by) for face in faces)
    return canvas, tuple(face for face in moved if inside(face.u, face.v, part.shape[1], part.shape[0]))


def _scaled(picture: Pixels, faces: Sequence[Face]) -> tuple[Pixels, tuple[Face, ...]]:
    """Scaled down to cover the target, never up; the faces follow by the half-pixel rule."""
    height, width = picture.shape[:2]
    scale = max(WIDTH / width, HEIGHT / height)
    if scale >= 1:
        return picture, tuple(faces)
    size = max(WIDTH, round(width * scale)), max(HEIGHT, round(height * scale))
    # The new sides are whole, so the true scales differ from each other by less than a pixel over the picture.
    across, down = size[0] / width, size[1] / height
    mapped = (
        Face(
            (face.u + 0.5) * across - 0.5,
            (face.v + 0.5) * down - 0.5,
            face.interocular_px * math.sqrt(across * down),
            face.marked_by,
        )
        for face in faces
    )
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8), tuple(mapped)


def _cut(length: int, target: int, point: float | None, at: float, margin: float) -> int:
    """Where the part of ``target`` pixels begins in ``length``; 0 if nothing is to be cut off."""
    room = max(0, length - target)
    low, high = 0, room
    if point is not None:
        # A wider margin than half of what is kept has no place.
        margin = min(margin, target / 2 - 1)
        low = min(room, max(0, math.ceil(point + margin - (target - 1))))
        high = max(0, min(room, math.floor(point - margin)))
    return round(low + at * (high - low))
