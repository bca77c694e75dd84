"""The heat map the network is to draw, and how much each of its cells counts."""

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


def gaussian(size: int, stride: int, u: float, v: float, sigma_px: float) -> HeatMap:
    """``size / stride`` squared map, peak 1 at pixel (u, v); cell i is centred on pixel (i + 0.5) * stride - 0.5."""
    centres = (np.arange(size // stride, dtype=np.float32) + 0.5) * stride - 0.5
    row = np.exp(-0.5 * ((centres - u) / sigma_px) ** 2)
    column = np.exp(-0.5 * ((centres - v) / sigma_px) ** 2)
    outer: HeatMap = np.outer(column, row).astype(np.float32)
    return outer


def draw(
    size: int,
    stride: int,
    points: Points,
    eye_distances: Sequence[float],
    config: TargetConfig,
) -> tuple[HeatMap, HeatMap]:
    """Target and weight maps for keypoints ``points`` (n, 2) and eye distances, all in pixels of the input."""
    side = size // stride
    target = np.zeros((side, side), np.float32)
    ignored = np.zeros_like(target)
    for (u, v), eye_distance in zip(points, eye_distances, strict=True):
        bump = gaussian(size, stride, u, v, config.sigma_px)
        drawn = ignored if eye_distance < config.smallest_eye_distance_px else target
        np.maximum(drawn, bump, out=drawn)
    weight = 1 + config.peak_weight * target
    weight[(ignored > 0.1) & (target < 0.1)] = 0
    return target, weight
