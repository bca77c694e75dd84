"""What several tests of the core need: made heat maps with a known truth, a ZED-like camera."""

from typing import Any, Callable

import numpy as np
import pytest
from nasion.core.calibration import Calibration, Intrinsics
from numpy.typing import NDArray

Blob = Callable[..., NDArray[np.float32]]


@pytest.fixture(scope="session")
def blob() -> Blob:
    """``blob((h, w), x, y, sigma=2, height=1)``: a Gaussian around cell (x, y), clipped to 0..1 as models do.

    ``noise``: standard deviation of the noise added before the clipping, drawn from ``rng``.
    """

    def draw(shape: Any, x: float, y: float, **how: Any) -> NDArray[np.float32]:
        sigma, height, noise = how.get("sigma", 2.0), how.get("height", 1.0), how.get("noise", 0.0)
        rows, columns = np.arange(shape[0])[:, None], np.arange(shape[1])
        heat = height * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
        if noise:
            heat = heat + noise * how["rng"].standard_normal(shape)
        clipped: NDArray[np.float32] = np.clip(heat, 0, 1).astype(np.float32)
        return clipped

    return draw


@pytest.fixture(scope="session")
def calibration() -> Calibration:
    """A ZED at 1080p."""
    return Calibration(Intrinsics(1920, 1080, fx=1060.0, fy=1060.0, cx=963.5, cy=541.25), baseline_m=0.12)
