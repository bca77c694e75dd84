"""Whole pictures: nothing is scaled, everybody is drawn where they are."""

from pathlib import Path

import numpy as np

from training.data.table import Face, Picture
from training.data.target import TargetConfig
from training.data.whole import WholePictures


def test_a_picture_stands_at_the_top_left_with_its_faces() -> None:
    pixels = np.full((40, 60, 3), 7, np.uint8)
    faces = (Face(20.0, 12.0, 9.0, "human"), Face(48.0, 30.0, 8.0, "teacher"))
    item = WholePictures([Picture(Path("a"), "x", "hold_out", faces)], [pixels], 64, 4, TargetConfig())[0]
    assert item["picture"].shape == (3, 64, 64)
    assert item["picture"][:, :40, :60].eq(7).all()
    assert not item["picture"][:, 40:].any()
    assert item["target"].shape == (1, 16, 16)
    assert item["target"][0, 3, 5] > 0.8
    assert item["target"][0, 7, 12] > 0.8
    assert bool(item["positive"])


def test_nobody_is_an_empty_map() -> None:
    item = WholePictures(
        [Picture(Path("a"), "x", "hold_out")], [np.zeros((64, 64, 3), np.uint8)], 64, 4, TargetConfig()
    )[0]
    assert not item["target"].any()
    assert not bool(item["positive"])
