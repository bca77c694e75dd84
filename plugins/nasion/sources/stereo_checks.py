"""Whether two lenses can belong to one stereo camera, and whether their pictures can be rectified with them.

A wrong file gives wrong distances that look right: a person at 1.10 m was told at 7.98 m. What no stereo camera has is
refused when the file is read.
"""

import math
from typing import List, Tuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nasion.sources.lenses import Floats, Lens, StereoLenses

#: A ZED's eyes are turned by less than 1 degree against each other, eyes mounted by hand by a few; files of an old
#: generation hold other numbers in the same places, and look like 15 degrees.
MOST_TURNED_DEGREES = 5.0
#: The right eye is beside the left one: the line between them is within 18 degrees of the picture's rows.
_LEAST_ALONG_ROWS = 0.95
#: Pixels of cameras are squares, within what calibrations are off.
_MOST_OBLONG = 1.25
#: Skew, of the focal length: 0 in every camera of today.
_MOST_SKEW = 0.01
#: Of a rectified picture, the least share that the lens has seen.
_LEAST_SEEN = 0.5
#: Rectifying may enlarge or shrink a picture by this factor.
_MOST_SCALED = 6.0
#: Points a side at which the rectified picture is looked at.
_POINTS = 17


def check_matrix(matrix: List[List[float]], name: str) -> None:
    """ValueError where a camera matrix (3 x 3, pixels) has oblong pixels or skew."""
    fx, fy = matrix[0][0], matrix[1][1]
    if not 1 / _MOST_OBLONG <= fx / fy <= _MOST_OBLONG:
        raise ValueError(f"{name}: focal lengths are {fx:g} and {fy:g} pixels; expected nearly the same")
    if abs(matrix[0][1]) > _MOST_SKEW * fx or matrix[1][0] != 0:
        raise ValueError(f"{name}: skew is {matrix[0][1]:g} and {matrix[1][0]:g}; expected 0")


def check_pair(lenses: StereoLenses) -> None:
    """ValueError where the eyes look in too different directions, or their pictures cannot be rectified."""
    turned = math.degrees(float(np.linalg.norm(cv2.Rodrigues(lenses.rotation)[0])))
    if not turned <= MOST_TURNED_DEGREES:
        raise ValueError(
            f"the eyes are turned by {turned:.1f} degrees against each other; expected at most "
            f"{MOST_TURNED_DEGREES:g} (is the file of an old generation, or its rotation in degrees?)"
        )
    baseline = float(np.linalg.norm(lenses.translation_m))
    if abs(float(lenses.translation_m[0])) < _LEAST_ALONG_ROWS * baseline:
        x, y, z = lenses.translation_m
        raise ValueError(
            f"the right camera is at ({-x:g}, {-y:g}, {-z:g}) m from the left one; expected it beside it, along x"
        )
    try:
        turns, camera = rectification(lenses)
    except cv2.error:
        raise ValueError("the pictures cannot be rectified with these numbers") from None
    for eye, lens, turn in (("left", lenses.left, turns[0]), ("right", lenses.right, turns[1])):
        _check_rectified(lens, turn, camera, (lenses.width, lenses.height), eye)


def rectification(lenses: StereoLenses) -> Tuple[Tuple[Floats, Floats], Floats]:
    """The turns (3, 3) of left and right eye, and the camera matrix (3, 3) that both have afterwards.

    The one that ``lenses`` brings; without one it is computed (Bouguet's method, as in ``cv2.stereoRectify``, scaled so
    that every pixel of the result was seen). cv2.error where that is impossible.
    """
    if lenses.rectification is None:
        turn_left, turn_right, project, _ = cv2.stereoRectify(
            lenses.left.matrix,
            lenses.left.distortion,
            lenses.right.matrix,
            lenses.right.distortion,
            (lenses.width, lenses.height),
            lenses.rotation,
            lenses.translation_m.reshape(3, 1),
            flags=cv2.CALIB_ZERO_DISPARITY,
            alpha=0,
        )[:4]
    else:
        turn_left, turn_right, project = lenses.rectification
    # One projection for both eyes: then the disparity of what is infinitely far is 0.
    return (np.asarray(turn_left), np.asarray(turn_right)), np.asarray(project, np.float64)[:, :3]


def _check_rectified(lens: Lens, turn: Floats, camera: Floats, size: Tuple[int, int], eye: str) -> None:
    """ValueError where the rectified picture shows little, or folds over."""
    seen = _origins(lens, turn, camera, size)
    inside = (seen >= -1).all(axis=2) & (seen <= np.array(size)).all(axis=2)
    if not np.isfinite(seen).all() or inside.mean() < _LEAST_SEEN:
        share = 100 * float(inside.mean())
        raise ValueError(
            f"rectified, {share:.0f} % of the {eye} picture was seen by the lens; expected at least "
            f"{100 * _LEAST_SEEN:.0f} % (are its distortion and rotation right?)"
        )
    # Pixels of the lens for each pixel of the rectified picture, along rows and along columns.
    steps = (np.array(size) - 1) / (_POINTS - 1)
    along_rows, along_columns = np.diff(seen, axis=1) / steps[0], np.diff(seen, axis=0) / steps[1]
    scales = np.concatenate([along_rows[..., 0].ravel(), along_columns[..., 1].ravel()])
    if not (scales.min() > 1 / _MOST_SCALED and scales.max() < _MOST_SCALED):
        raise ValueError(
            f"rectified, the {eye} picture is scaled by {scales.min():.2g} to {scales.max():.2g} or folds over; "
            f"expected {1 / _MOST_SCALED:g} to {_MOST_SCALED:g} (is its distortion of another model, or a fish-eye's?)"
        )


def _origins(lens: Lens, turn: Floats, camera: Floats, size: Tuple[int, int]) -> NDArray[np.float64]:
    """Where points of the rectified picture come from: (_POINTS, _POINTS, 2) pixels of the lens; infinite where it
    cannot have seen them."""
    u, v = np.meshgrid(np.linspace(0, size[0] - 1, _POINTS), np.linspace(0, size[1] - 1, _POINTS))
    pixels = np.stack([u.ravel(), v.ravel(), np.ones(u.size)])
    try:
        rays = turn.T @ np.linalg.inv(camera) @ pixels
    except np.linalg.LinAlgError:
        return np.full((_POINTS, _POINTS, 2), np.inf)
    with np.errstate(all="ignore"):
        found, _ = cv2.projectPoints(rays.T.copy(), np.zeros(3), np.zeros(3), lens.matrix, lens.distortion)
    found = np.asarray(found, np.float64).reshape(-1, 2)
    found[rays[2] <= 0] = np.inf
    return found.reshape(_POINTS, _POINTS, 2)
