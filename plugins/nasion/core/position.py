"""Pixel and depth to a position in metres with its uncertainty, and to a bearing that needs no depth."""

import math
from typing import Tuple

import numpy as np
from numpy.typing import NDArray

from nasion.core.calibration import Calibration, Intrinsics
from nasion.core.results import Keypoint, Position
from nasion.settings import MountSettings

Xyz = Tuple[float, float, float]

#: A normal distribution's standard deviation per median absolute deviation.
_SIGMA_PER_MAD = 1.4826

#: REP 103: optical axes (x right, y down, z forward) to body axes (x forward, y left, z up).
_BODY_FROM_OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


def back_project(camera: Intrinsics, u: float, v: float, depth_m: float) -> Xyz:
    """Point seen at pixel (u, v) with depth z, in the left camera's optical frame, metres."""
    return (u - camera.cx) * depth_m / camera.fx, (v - camera.cy) * depth_m / camera.fy, depth_m


def project(camera: Intrinsics, xyz: Xyz) -> Tuple[float, float]:
    """Pixel (u, v) of a point in front of the camera (z > 0), optical frame; the inverse of ``back_project``."""
    x, y, z = xyz
    return camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy


def bearing(camera: Intrinsics, u: float, v: float) -> Tuple[float, float]:
    """[azimuth, elevation] of pixel (u, v) in radians, positive to the right and up, from the optical axis."""
    x, y, z = back_project(camera, u, v, 1.0)
    return math.atan2(x, z), math.atan2(-y, math.hypot(x, z))


def bearing_sigma(camera: Intrinsics, keypoint: Keypoint) -> float:
    """Standard deviation of a keypoint's bearing, radians: the larger of both axes, as at the optical axis."""
    return max(keypoint.sigma_u / camera.fx, keypoint.sigma_v / camera.fy)


def position(
    calibration: Calibration, keypoint: Keypoint, depth_m: float, spread_m: float, sigma_disparity_px: float
) -> Position:
    """Position of a keypoint in the left camera's optical frame, with covariance.

    To first order, from three independent errors: the keypoint's place across (``sigma_u``, ``sigma_v``, times z / f);
    the patch's depth, ``spread_m`` being its median absolute deviation (not divided by the number of values: neighbours
    in a depth map err together, and the keypoint may sit anywhere on the patch); and stereo geometry, where an error of
    the disparity gives sigma_z = z² sigma_d / (f B). The last two are along the line of sight.
    """
    camera = calibration.left
    x, y, z = back_project(camera, keypoint.u, keypoint.v, depth_m)
    sigma_stereo = z**2 * sigma_disparity_px / calibration.focal_baseline
    variance_z = sigma_stereo**2 + (_SIGMA_PER_MAD * spread_m) ** 2
    # How x changes with u, y with v, and x and y with the depth. Written out, which costs less than nine products.
    variance_x, variance_y = (z / camera.fx * keypoint.sigma_u) ** 2, (z / camera.fy * keypoint.sigma_v) ** 2
    by_x, by_y = x / z, y / z
    xx, xy, xz = variance_x + by_x**2 * variance_z, by_x * by_y * variance_z, by_x * variance_z
    yy, yz = variance_y + by_y**2 * variance_z, by_y * variance_z
    return Position(
        depth_m=z,
        range_m=math.sqrt(x * x + y * y + z * z),
        xyz=(x, y, z),
        covariance=(xx, xy, xz, xy, yy, yz, xz, yz, variance_z),
    )


def range_sigma(optical: Position) -> float:
    """Standard deviation of the straight-line distance of a position in the optical frame, metres."""
    x, y, z = optical.xyz
    xx, xy, xz, _, yy, yz, _, _, zz = optical.covariance
    squared = x * x * xx + y * y * yy + z * z * zz + 2 * (x * y * xy + x * z * xz + y * z * yz)
    return math.sqrt(max(squared, 0.0)) / optical.range_m


class Mount:
    """The static pose of a camera on the robot: optical frame to the robot's body frame."""

    def __init__(self, settings: MountSettings) -> None:
        roll, pitch, yaw = settings.rpy_rad
        self._rotation: NDArray[np.float64] = _rotation(roll, pitch, yaw) @ _BODY_FROM_OPTICAL
        self._translation = np.array(settings.translation_m)

    def to_body(self, optical: Position) -> Position:
        """The same point in the robot's frame; depth and range stay the camera's."""
        covariance = np.asarray(optical.covariance).reshape(3, 3)
        x, y, z = (self._rotation @ np.asarray(optical.xyz) + self._translation).tolist()
        return Position(
            depth_m=optical.depth_m,
            range_m=optical.range_m,
            xyz=(x, y, z),
            covariance=_row_major(self._rotation @ covariance @ self._rotation.T),
        )


def _rotation(roll: float, pitch: float, yaw: float) -> NDArray[np.float64]:
    """Rotation by roll about x, then pitch about y, then yaw about z, all fixed axes (REP 103)."""
    (cr, sr), (cp, sp), (cy, sy) = ((math.cos(a), math.sin(a)) for a in (roll, pitch, yaw))
    about_x = np.array([[1, 0, 0], [0, cr, -sr], [0, sr, cr]])
    about_y = np.array([[cp, 0, sp], [0, 1, 0], [-sp, 0, cp]])
    about_z = np.array([[cy, -sy, 0], [sy, cy, 0], [0, 0, 1]])
    rotation: NDArray[np.float64] = about_z @ about_y @ about_x
    return rotation


def _row_major(covariance: NDArray[np.float64]) -> Tuple[float, ...]:
    """The nine numbers; rounding in the products must not make them unsymmetric."""
    return tuple((0.5 * (covariance + covariance.T)).ravel().tolist())
