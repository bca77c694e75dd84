"""Disturbances: values change, places do not."""

import cv2
import numpy as np
import pytest

from training.data.augment import Pixels
from training.data.disturb import Chances, disturb


def picture_with_spot() -> Pixels:
    """240 x 320 picture, dark but for a Gaussian spot centred on (160, 120)."""
    columns, rows = np.meshgrid(np.arange(320), np.arange(240))
    spot = np.exp(-0.5 * ((columns - 160) ** 2 + (rows - 120) ** 2) / 12**2)
    return np.repeat((spot * 255).astype(np.uint8)[..., None], 3, axis=2)


ONLY = {
    name: Chances(**{**dict.fromkeys(Chances.__dataclass_fields__, 0.0), name: 1.0})
    for name in Chances.__dataclass_fields__
}


@pytest.mark.parametrize("chances", [Chances(), *ONLY.values()], ids=["usual", *ONLY])
def test_disturbing_changes_values_but_not_places(chances: Chances) -> None:
    picture = picture_with_spot()
    for seed in range(25):
        disturbed = disturb(np.random.default_rng(seed), picture, chances)
        assert disturbed.shape == picture.shape
        assert disturbed.dtype == np.uint8
        assert (disturbed != picture).any()
        smooth = cv2.GaussianBlur(disturbed.astype(np.float32).sum(2), (0, 0), 6)
        v, u = np.unravel_index(int(smooth.argmax()), smooth.shape)
        assert np.hypot(float(u) - 160, float(v) - 120) < 4
