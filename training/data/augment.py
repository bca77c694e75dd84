"""Random crops of a training picture. The faces follow the picture exactly."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data.table import Face

Pixels = NDArray[np.uint8]
Points = NDArray[np.float64]


@dataclass(frozen=True)
class CropRange:
    """How far the random crops reach. Lengths in pixels of the network's input."""

    eye_distance: tuple[float, float] = (3.5, 80.0)
    scale: tuple[float, float] = (0.06, 2.2)
    rotation_deg: float = 12.0
    shear: float = 0.06
    #: Standard deviation of the unequal scaling of both axes (natural logarithm).
    stretch: float = 0.05
    #: The keypoint keeps this share of the crop's side from its edges.
    margin: float = 0.08
    #: Share of the crops that are placed by the most prominent face; the others by any.
    prominent: float = 0.7
    #: Share of the crops that keep about the picture's own scale, as `nasion locate` sees it, ...
    own_scale: float = 0.5
    #: ... and how far those are from it at most.
    own_scale_jitter: tuple[float, float] = (0.7, 1.4)
    #: Of crops without faces, the scale.
    negative_scale: tuple[float, float] = (0.4, 1.6)
    flip_horizontal: float = 0.5
    #: People hang from no ceiling; the original flipped them all the same.
    flip_vertical: float = 0.0
    #: Share of the crops that show somebody far away, with eyes as close as `far_eye_distance`.
    far: float = 0.0
    far_eye_distance: tuple[float, float] = (3.5, 8.0)
    #: Share of the crops whose outside shows a part of a negative picture instead of 0.
    backdrop: float = 0.75


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _linear_part(rng: np.random.Generator, scale: float, reach: CropRange) -> NDArray[np.float64]:
    """2x2 matrix: mirror, scale (slightly unequal), shear and rotation."""
    angle = np.deg2rad(rng.normal(0, reach.rotation_deg))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    shear = np.array([[1, rng.normal(0, reach.shear)], [0, 1]])
    stretch = np.exp(rng.normal(0, reach.stretch))
    mirror_u = -1.0 if rng.random() < reach.flip_horizontal else 1.0
    mirror_v = -1.0 if rng.random() < reach.flip_vertical else 1.0
    diagonal: NDArray[np.float64] = np.diag([mirror_u * scale * stretch, mirror_v * scale / stretch])
    linear: NDArray[np.float64] = rotation @ shear @ diagonal
    return linear


def random_affine(
    rng: np.random.Generator,
    shape: tuple[int, int],
    faces: Sequence[Face],
    size: int,
    reach: CropRange,
) -> NDArray[np.float64]:
    """A 2x3 matrix from picture pixels (u, v) to pixels of a ``size`` x ``size`` crop.

    With faces, one of them (more often the first, the most prominent) falls inside the crop with a margin; its eye
    distance is either about the picture's own or drawn log-uniformly. Without faces, a random part is shown.
    """
    height, width = shape
    if faces:
        prominent = rng.random() < reach.prominent
        face = faces[0] if prominent else faces[int(rng.integers(len(faces)))]
        kind = rng.random()
        if kind < reach.own_scale:
            scale = _log_uniform(rng, *reach.own_scale_jitter)
        else:
            distances = reach.far_eye_distance if kind < reach.own_scale + reach.far else reach.eye_distance
            scale = _log_uniform(rng, *distances) / face.interocular_px
        scale = float(
            np.clip(
                scale,
                max(reach.scale[0], reach.eye_distance[0] / face.interocular_px),
                reach.scale[1],
            )
        )
        anchor = np.array([face.u, face.v])
        low, high = reach.margin * size, (1 - reach.margin) * size
        target = rng.uniform(low, high, 2)
    else:
        scale = _log_uniform(rng, *reach.negative_scale)
        anchor = rng.uniform(0, 1, 2) * (width - 1, height - 1)
        target = rng.uniform(0.2, 0.8, 2) * size
    linear = _linear_part(rng, scale, reach)
    return np.column_stack((linear, target - linear @ anchor))


def apply_affine(affine: NDArray[np.float64], points: Points) -> Points:
    """Map points (n, 2) by a 2x3 matrix."""
    mapped: Points = points @ affine[:, :2].T + affine[:, 2]
    return mapped


def warp(
    rng: np.random.Generator,
    picture: Pixels,
    affine: NDArray[np.float64],
    size: int,
    background: Pixels | None = None,
) -> Pixels:
    """Resample ``picture`` (H, W, 3) to a ``size`` x ``size`` crop.

    What lies outside is ``background`` (size, size, 3), or 0 as the views' padding is. A crop that shrinks the
    picture is first reduced by an area or a linear filter.
    """
    scale = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
    if scale < 0.8:
        # A whole number of pixels, given as such: with factors instead, OpenCV would not fill the last one.
        shrunk = cv2.resize(
            picture,
            [max(round(scale * side), 1) for side in picture.shape[1::-1]],
            interpolation=cv2.INTER_AREA if rng.random() < 0.8 else cv2.INTER_LINEAR,
        )
        # Half-pixel rule: picture pixel u lies at (u + 0.5) * s - 0.5 of the reduced picture.
        sx, sy = (
            picture.shape[1] / shrunk.shape[1],
            picture.shape[0] / shrunk.shape[0],
        )
        enlarge = np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, 0.5 * sy - 0.5], [0, 0, 1]])
        affine = affine @ enlarge
        picture = shrunk.astype(np.uint8, copy=False)
    interpolation = cv2.INTER_LINEAR if rng.random() < 0.7 else cv2.INTER_CUBIC
    if background is None:
        crop = cv2.warpAffine(picture, affine, (size, size), flags=interpolation)
    else:
        crop = cv2.warpAffine(
            picture,
            affine,
            (size, size),
            dst=background.copy(),
            flags=interpolation,
            borderMode=cv2.BORDER_TRANSPARENT,
        )
    return np.asarray(crop, np.uint8)


def backdrop(rng: np.random.Generator, picture: Pixels, size: int) -> Pixels:
    """A ``size`` x ``size`` part of a picture without faces, to put behind a crop that does not fill its square."""
    height, width = picture.shape[:2]
    scale = max(size / min(height, width), 0.5) * rng.uniform(1, 1.5)
    larger = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    top, left = (int(rng.integers(0, n - size + 1)) for n in larger.shape[:2])
    return np.asarray(larger[top : top + size, left : left + size], np.uint8)
