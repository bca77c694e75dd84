"""Pixel and depth to metres and back; uncertainty as sampled errors show it; the robot's frame."""

import math
from typing import Tuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.core.calibration import Calibration
from nasion.core.position import Mount, back_project, bearing, position, project, range_sigma
from nasion.core.results import Keypoint, Position
from nasion.settings import MountSettings
from numpy.typing import NDArray

columns, rows, depths = st.floats(0, 1919), st.floats(0, 1079), st.floats(0.3, 15)
sigmas = st.floats(0, 40)
angles = st.floats(-math.pi, math.pi)


def keypoint(u: float, v: float, sigma_u: float = 2.0, sigma_v: float = 2.0) -> Keypoint:
    return Keypoint(u, v, 0.9, sigma_u, sigma_v)


def matrix(place: Position) -> NDArray[np.float64]:
    return np.asarray(place.covariance).reshape(3, 3)


@given(u=columns, v=rows, depth_m=depths)
def test_there_and_back_is_the_same_pixel(calibration: Calibration, u: float, v: float, depth_m: float) -> None:
    xyz = back_project(calibration.left, u, v, depth_m)
    assert xyz[2] == depth_m
    assert project(calibration.left, xyz) == pytest.approx((u, v), abs=1e-9)


def test_the_axes_are_right_down_and_forward(calibration: Calibration) -> None:
    camera = calibration.left
    assert back_project(camera, camera.cx, camera.cy, 2.0) == (0.0, 0.0, 2.0)
    # A focal length beside the middle is as far sideways as away.
    assert back_project(camera, camera.cx + 1060, camera.cy, 2.0) == (2.0, 0.0, 2.0)
    assert back_project(camera, camera.cx, camera.cy + 530, 2.0) == (0.0, 1.0, 2.0)


@pytest.mark.parametrize(
    ("du", "dv", "azimuth_deg", "elevation_deg"),
    [
        (0, 0, 0, 0),
        (1060, 0, 45, 0),
        (-1060, 0, -45, 0),
        (0, -1060, 0, 45),
        (0, 1060, 0, -45),
        # Elevation is from the horizontal plane: one up, over the root of two along.
        (1060, -1060, 45, math.degrees(math.atan(1 / math.sqrt(2)))),
    ],
)
def test_bearing_is_positive_to_the_right_and_up(
    calibration: Calibration, du: float, dv: float, azimuth_deg: float, elevation_deg: float
) -> None:
    camera = calibration.left
    azimuth, elevation = bearing(camera, camera.cx + du, camera.cy + dv)
    assert (math.degrees(azimuth), math.degrees(elevation)) == pytest.approx((azimuth_deg, elevation_deg))


@given(u=columns, v=rows, depth_m=depths)
def test_bearing_and_range_are_the_position(calibration: Calibration, u: float, v: float, depth_m: float) -> None:
    place = position(calibration, keypoint(u, v), depth_m, 0.01, 0.25)
    azimuth, elevation = bearing(calibration.left, u, v)
    across = place.range_m * math.cos(elevation)
    direction = (across * math.sin(azimuth), -place.range_m * math.sin(elevation), across * math.cos(azimuth))
    assert place.xyz == pytest.approx(direction, abs=1e-9)
    assert place.depth_m == depth_m
    assert place.range_m >= depth_m


@given(
    u=columns, v=rows, depth_m=depths, sigma_u=sigmas, sigma_v=sigmas, spread=st.floats(0, 1), disparity=st.floats(0, 2)
)
def test_a_covariance_is_symmetric_and_never_negative(
    calibration: Calibration,
    u: float,
    v: float,
    depth_m: float,
    sigma_u: float,
    sigma_v: float,
    spread: float,
    disparity: float,
) -> None:
    place = position(calibration, keypoint(u, v, sigma_u, sigma_v), depth_m, spread, disparity)
    in_body = Mount(MountSettings(rpy_rad=(0.3, -1.2, 2.5), translation_m=(1, 2, 3))).to_body(place)
    for covariance in (matrix(place), matrix(in_body)):
        assert (covariance == covariance.T).all()
        assert np.linalg.eigvalsh(covariance).min() >= -1e-12 * max(np.trace(covariance), 1e-12)
    assert range_sigma(place) >= 0


@pytest.mark.parametrize(("u", "v", "depth_m"), [(963.5, 541.25, 1.0), (100.0, 900.0, 2.0), (1900.0, 30.0, 4.0)])
def test_the_covariance_is_that_of_sampled_errors(calibration: Calibration, u: float, v: float, depth_m: float) -> None:
    """Disturb pixel and disparity many times; the spread of the points is what is given."""
    rng = np.random.default_rng(5)
    sigma_u, sigma_v, sigma_d = 3.0, 5.0, 0.25
    place = position(calibration, keypoint(u, v, sigma_u, sigma_v), depth_m, 0.0, sigma_d)
    n = 20_000
    depth = calibration.focal_baseline / (calibration.focal_baseline / depth_m + sigma_d * rng.standard_normal(n))
    us, vs = u + sigma_u * rng.standard_normal(n), v + sigma_v * rng.standard_normal(n)
    camera = calibration.left
    points = np.stack([(us - camera.cx) * depth / camera.fx, (vs - camera.cy) * depth / camera.fy, depth])
    sampled = np.cov(points)
    scale = np.sqrt(np.outer(np.diag(sampled), np.diag(sampled)))
    np.testing.assert_allclose(matrix(place) / scale, sampled / scale, atol=0.04)
    assert range_sigma(place) == pytest.approx(np.linalg.norm(points, axis=0).std(), rel=0.03)


def test_stereo_errs_by_the_square_of_the_depth(calibration: Calibration) -> None:
    def sigma_z(depth_m: float, spread: float = 0.0) -> float:
        place = position(calibration, keypoint(963.5, 541.25, 0, 0), depth_m, spread, 0.25)
        return math.sqrt(place.covariance[8])

    # z² sigma_d / (f B) = 4 * 0.25 / 127.2 m.
    assert sigma_z(2.0) == pytest.approx(1 / 127.2)
    assert sigma_z(4.0) == pytest.approx(4 * sigma_z(2.0))
    # A patch that spreads adds its own, as a standard deviation.
    assert sigma_z(2.0, spread=0.05) == pytest.approx(math.hypot(1 / 127.2, 1.4826 * 0.05))


def in_frame(xyz: Tuple[float, float, float], **mount: Tuple[float, float, float]) -> Tuple[float, ...]:
    optical = Position(xyz[2], math.dist((0, 0, 0), xyz), xyz, (0.0,) * 9)
    return Mount(MountSettings(**mount)).to_body(optical).xyz


@pytest.mark.parametrize(
    ("rpy_deg", "translation", "expected"),
    [
        # 3 m ahead, 1 m to the right, 0.5 m below the camera: x forward, y left, z up.
        ((0, 0, 0), (0, 0, 0), (3, -1, -0.5)),
        ((0, 0, 0), (0.2, 0.1, 1.5), (3.2, -0.9, 1.0)),
        # The camera looks to the left: what is ahead of it is to the robot's left.
        ((0, 0, 90), (0, 0, 0), (1, 3, -0.5)),
        # It looks down (pitch is positive downwards): what is ahead is below.
        ((0, 90, 0), (0, 0, 0), (-0.5, -1, -3)),
        # It lies on its right side (roll is positive to the right): its right is the robot's down.
        ((90, 0, 0), (0, 0, 0), (3, 0.5, -1)),
        # About fixed axes in the order roll, pitch, yaw.
        ((90, 0, 90), (0, 0, 0), (-0.5, 3, -1)),
    ],
)
def test_the_robots_frame(
    rpy_deg: Tuple[float, float, float], translation: Tuple[float, float, float], expected: Tuple[float, ...]
) -> None:
    roll, pitch, yaw = (math.radians(angle) for angle in rpy_deg)
    assert in_frame((1, 0.5, 3), rpy_rad=(roll, pitch, yaw), translation_m=translation) == pytest.approx(expected)


@given(rpy=st.tuples(angles, angles, angles), u=columns, v=rows, depth_m=depths)
def test_a_mount_moves_a_rigid_body(
    calibration: Calibration, rpy: Tuple[float, float, float], u: float, v: float, depth_m: float
) -> None:
    place = position(calibration, keypoint(u, v), depth_m, 0.02, 0.25)
    moved = Mount(MountSettings(rpy_rad=rpy)).to_body(place)
    assert math.dist((0, 0, 0), moved.xyz) == pytest.approx(place.range_m)
    assert (moved.depth_m, moved.range_m) == (place.depth_m, place.range_m)
    np.testing.assert_allclose(
        np.linalg.eigvalsh(matrix(moved)), np.linalg.eigvalsh(matrix(place)), rtol=1e-6, atol=1e-12
    )


def test_the_uncertainty_turns_with_the_frame(calibration: Calibration) -> None:
    """The depth's variance is along z in the optical frame, and along x, forward, in the robot's."""
    place = position(calibration, keypoint(963.5, 541.25, 1.0, 1.0), 5.0, 0.0, 0.25)
    moved = Mount(MountSettings()).to_body(place)
    assert moved.covariance[0] == pytest.approx(place.covariance[8])
    assert moved.covariance[4] == pytest.approx(place.covariance[0])
