"""The heat map the network is to draw, and how much each of its cells counts."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.augment import Points

HeatMap = NDArray[np.float32]


@dataclass(frozen=True)
class TargetConfig:
    """Gaussian of peak 1 at each keypoint; faces too small to be asked for are left out of the loss."""

    #: Standard deviation, pixels of the network's input.
    sigma_px: float = 4.0
    #: Faces whose eyes are closer than this, in pixels of the network's input, neither count for nor against.
    smallest_eye_distance_px: float = 3.0
    #: Weight of a cell = 1 + peak_weight * target: the few cells of a face against the many of the background.
    peak_weight: float = 3.0
    #: Only the first face is drawn, as in the original; the others stay as they are in the picture.
    prominent_only: bool = False


def gaussian(size: tuple[int, int], stride: int, u: float, v: float, sigma_px: float) -> HeatMap:
    """Map of a picture of ``size`` (H, W), peak 1 at pixel (u, v); cell i is centred on (i + 0.5) * stride - 0.5."""
    row, column = (
        np.exp(-0.5 * (((np.arange(side // stride, dtype=np.float32) + 0.5) * stride - 0.5 - place) / sigma_px) ** 2)
        for side, place in zip(size[::-1], (u, v), strict=True)
    )
    outer: HeatMap = np.outer(column, row).astype(np.float32)
    return outer


def draw(
    size: tuple[int, int],
    stride: int,
    points: Points,
    eye_distances: Sequence[float],
    config: TargetConfig,
) -> tuple[HeatMap, HeatMap]:
    """Target and weight maps for keypoints ``points`` (n, 2) and eye distances, all in pixels of the input.

    ``size`` is the input's (H, W); the maps are (H / stride, W / stride), float32.
    """
    target = np.zeros((size[0] // stride, size[1] // stride), np.float32)
    ignored = np.zeros_like(target)
    drawn_faces = 1 if config.prominent_only else len(points)
    for (u, v), eye_distance in itertools.islice(zip(points, eye_distances, strict=True), drawn_faces):
        bump = gaussian(size, stride, u, v, config.sigma_px)
        drawn = ignored if eye_distance < config.smallest_eye_distance_px else target
        np.maximum(drawn, bump, out=drawn)
    weight = 1 + config.peak_weight * target
    weight[(ignored > 0.1) & (target < 0.1)] = 0
    return target, weight
