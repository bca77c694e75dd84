"""What is known of a camera once its pictures are rectified."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Intrinsics:
    """Pinhole model of the rectified full-resolution left picture.

    Pixels (u, v) = (column, row) count from the centre of the top-left pixel. A point (x, y, z) in metres in the left
    camera's optical frame (x right, y down, z forward) is seen at ``u = fx * x / z + cx``, ``v = fy * y / z + cy``.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float


@dataclass(frozen=True)
class Calibration:
    """Left intrinsics and the distance of the two cameras along x, metres (> 0)."""

    left: Intrinsics
    baseline_m: float

    @property
    def focal_baseline(self) -> float:
        """``fx * baseline``: depth in metres = this / disparity in pixels."""
        return self.left.fx * self.baseline_m
