"""Pairs of pictures made by code, with what can be wrong with them: shapes on a far wall, and a nearer panel."""

from typing import Any, Callable, Dict, NamedTuple, Tuple

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

WIDTH, HEIGHT = 640, 360
#: Of the wall and of what hangs before it, pixels at this width.
FAR_PX, NEAR_PX = 4, 22


class Pair(NamedTuple):
    left: Picture
    right: Picture


def shapes(seed: int, width: int = WIDTH, height: int = HEIGHT) -> Picture:
    """A picture full of corners, no two alike."""
    random = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 128, np.uint8)
    for _ in range(700):
        colour = random.integers(0, 256, 3).tolist()
        u, v = int(random.integers(0, width)), int(random.integers(0, height))
        size = (int(random.integers(4, 40) * width / WIDTH), int(random.integers(4, 40) * width / WIDTH))
        cv2.ellipse(picture, (u, v), size, 0, 0, 360, colour, -1)
        corner = (u + size[1], v + size[0])
        cv2.rectangle(picture, (u, v), corner, random.integers(0, 256, 3).tolist(), -1)
    return picture


def good_pair(seed: int = 0, width: int = WIDTH, height: int = HEIGHT, noise: float = 1.5) -> Pair:
    """What two eyes see of it. ``noise``: standard deviation of each pixel of each eye."""
    scale = width / WIDTH
    far, near = round(FAR_PX * scale), round(NEAR_PX * scale)
    wall = shapes(seed, width + far, height)
    left, right = wall[:, :width].copy(), wall[:, far:].copy()
    panel = shapes(seed + 1000, width // 3, height // 2)
    top, begin = height // 4, width // 2
    left[top : top + panel.shape[0], begin : begin + panel.shape[1]] = panel
    right[top : top + panel.shape[0], begin - near : begin - near + panel.shape[1]] = panel
    return Pair(noisy(left, noise, seed), noisy(right, noise, seed + 1))


def noisy(picture: Picture, deviation: float, seed: int = 0) -> Picture:
    noise = np.random.default_rng(seed).normal(0, deviation, picture.shape)
    return np.clip(np.rint(picture + noise), 0, 255).astype(np.uint8)


def lowered(picture: Picture, rows: float) -> Picture:
    """Its rows further down by so many pixels."""
    return _warped(picture, np.array([[1, 0, 0], [0, 1, rows]]))


def rolled(picture: Picture, degrees: float) -> Picture:
    """Turned about its middle."""
    height, width = picture.shape[:2]
    return _warped(picture, cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0))


def zoomed(picture: Picture, factor: float) -> Picture:
    height, width = picture.shape[:2]
    return _warped(picture, cv2.getRotationMatrix2D((width / 2, height / 2), 0.0, factor))


def _warped(picture: Picture, affine: Any) -> Picture:
    size = (picture.shape[1], picture.shape[0])
    warped = cv2.warpAffine(picture, np.asarray(affine, np.float64), size, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(warped, np.uint8)


def depth_picture(pair: Pair) -> Picture:
    """Its depth as a grey picture, as a LEFT+DEPTH video has it: near is bright, some is unknown."""
    height, width = pair.left.shape[:2]
    grey = np.full((height, width), 60, np.uint8)
    grey[height // 4 : height // 4 + height // 2, width // 2 : width // 2 + width // 3] = 200
    holes = np.random.default_rng(0)
    for _ in range(250):
        centre = (int(holes.integers(0, width)), int(holes.integers(0, height)))
        size = (int(holes.integers(1, 12)), int(holes.integers(1, 12)))
        cv2.ellipse(grey, centre, size, float(holes.uniform(0, 180)), 0, 360, 0, -1)
    return np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8)


#: By the fault that is to be found: what it makes of a good pair.
FAULTS: Dict[str, Tuple[str, Callable[[Pair], Pair]]] = {
    "a right eye that looks higher": ("rows", lambda pair: Pair(pair.left, lowered(pair.right, 5.0))),
    "a right eye that looks far lower": ("rows", lambda pair: Pair(pair.left, lowered(pair.right, -30.0))),
    "a right eye that is rolled": ("rows", lambda pair: Pair(pair.left, rolled(pair.right, 2.0))),
    "a right eye of another focal length": ("rows", lambda pair: Pair(pair.left, zoomed(pair.right, 1.05))),
    "swapped eyes": ("crossed", lambda pair: Pair(pair.right, pair.left)),
    "mirrored eyes": ("crossed", lambda pair: Pair(pair.left[:, ::-1].copy(), pair.right[:, ::-1].copy())),
    "one picture twice": ("same", lambda pair: Pair(pair.left, pair.left.copy())),
    "depth as the right picture": ("unrelated", lambda pair: Pair(pair.left, depth_picture(pair))),
    "another scene on the right": ("unrelated", lambda pair: Pair(pair.left, good_pair(77).right)),
}
