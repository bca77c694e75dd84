"""Disturbances of a training picture as cameras make them: colour, blur, noise, compression. Nothing moves."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.augment import Pixels


@dataclass(frozen=True)
class Chances:
    """Share of the crops that each disturbance befalls; colour befalls all."""

    blur: float = 0.15
    motion_blur: float = 0.08
    #: Sampled down and up again, as an engine does that scales with few taps.
    coarse: float = 0.12
    noise: float = 0.3
    jpeg: float = 0.3


def _colour(rng: np.random.Generator, picture: Pixels) -> Pixels:
    gain = np.exp(rng.normal(0, 0.18)) * np.exp(rng.normal(0, 0.06, 3))
    offset = rng.normal(0, 12)
    gamma = np.exp(rng.normal(0, 0.18))
    levels = np.linspace(0, 1, 256)[:, None] ** gamma
    table = np.clip(255 * levels * gain + offset, 0, 255).astype(np.uint8)
    toned = cv2.LUT(picture, table[:, None, :])
    if rng.random() < 0.3:
        grey = cv2.cvtColor(toned, cv2.COLOR_RGB2GRAY)[..., None]
        keep = rng.uniform(0, 1.3) if rng.random() < 0.7 else 0.0
        mixed = keep * toned.astype(np.float32) + (1 - keep) * grey
        toned = np.clip(mixed, 0, 255).astype(np.uint8)
    return np.asarray(toned, np.uint8)


def _motion_kernel(rng: np.random.Generator) -> NDArray[np.float32]:
    length = int(rng.integers(2, 5)) * 2 - 1
    kernel = np.zeros((length, length), np.float32)
    middle = length // 2
    angle = rng.uniform(0, np.pi)
    reach = middle * np.array([np.cos(angle), np.sin(angle)])
    start, end = np.round(middle - reach).astype(int), np.round(middle + reach).astype(int)
    cv2.line(kernel, start.tolist(), end.tolist(), 1.0)
    kernel /= kernel.sum()
    return kernel


def disturb(rng: np.random.Generator, picture: Pixels, chances: Chances) -> Pixels:
    """Colour, blur, motion blur, coarse sampling, noise and JPEG; the geometry stays."""
    picture = _colour(rng, picture)
    size = picture.shape[1], picture.shape[0]
    chance = rng.random(5)
    if chance[0] < chances.blur:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.3)), np.uint8)
    if chance[1] < chances.motion_blur:
        picture = np.asarray(cv2.filter2D(picture, -1, _motion_kernel(rng)), np.uint8)
    if chance[2] < chances.coarse:
        small = cv2.resize(picture, None, fx=(f := rng.uniform(0.45, 0.9)), fy=f, interpolation=cv2.INTER_AREA)
        picture = np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    if chance[3] < chances.noise:
        noise = rng.standard_normal(picture.shape, np.float32) * rng.uniform(1, 9)
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if chance[4] < chances.jpeg:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 95))]
        picture = np.asarray(
            cv2.imdecode(cv2.imencode(".jpg", picture, quality)[1], cv2.IMREAD_COLOR),
            np.uint8,
        )
    return picture
