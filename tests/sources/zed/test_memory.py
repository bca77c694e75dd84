"""The SDK writes into memory that is given away: nothing that is held is ever written over, and nothing is copied."""

from __future__ import annotations

import gc
from typing import Any

import numpy as np
import pytest
from nasion.errors import NasionError
from nasion.sources.zed.codes import Code, code
from nasion.sources.zed.memory import LentMats

from tests.doubles.pyzed_double import Reality, module

WIDTH, HEIGHT = 64, 36
WELL = code("SUCCESS", 0)


class Bench:
    """A camera of the double, and the mats that its pictures go to."""

    def __init__(self, reality: Reality) -> None:
        self.reality = reality
        self.sl: Any = module(reality)
        self.camera = self.sl.Camera()
        self.camera.open(self.sl.InitParameters())
        self.mats = LentMats(self.sl.Mat, self.sl.MEM.CPU, "uint8", 4)

    def picture(self) -> Any:
        self.camera.grab(self.sl.RuntimeParameters())
        return self.mats.retrieved(self._retrieve)

    def _retrieve(self, mat: Any) -> Code:
        self.camera.retrieve_image(mat, self.sl.VIEW.LEFT, self.sl.MEM.CPU, self.sl.Resolution(WIDTH, HEIGHT))
        return WELL


@pytest.fixture
def bench(clock: Any) -> Bench:
    return Bench(Reality(clock=clock))


def number(picture: Any) -> int:
    """Which one the double drew."""
    return int(picture[0, 0, 0])


def test_a_picture_that_is_held_is_never_written_over(bench: Bench) -> None:
    held = [bench.picture() for _ in range(12)]
    assert [number(picture) for picture in held] == list(range(12))


@pytest.mark.parametrize("part", [lambda a: a[2:20, 3:9], lambda a: a[::4, ::4, 0], lambda a: a.reshape(-1)[:9]])
def test_a_view_of_it_holds_it(bench: Bench, part: Any) -> None:
    view = part(bench.picture())
    before = view.copy()
    for _ in range(6):
        bench.picture()
    assert np.array_equal(view, before)


def test_memory_is_used_again_once_nobody_holds_it(bench: Bench) -> None:
    for _ in range(50):
        bench.picture()
    assert bench.reality.mats == 1
    held = [bench.picture() for _ in range(4)]
    for _ in range(50):
        bench.picture()
    assert bench.reality.mats == 5
    assert len(held) == 4


def test_it_outlives_the_camera_and_the_mats(bench: Bench) -> None:
    picture = bench.picture()
    bench.camera.close()
    del bench.mats
    gc.collect()
    assert number(picture) == 0
    assert (picture[:, :, 3] == 255).all()


def test_the_sdks_memory_is_given_without_a_copy(bench: Bench) -> None:
    picture = bench.picture()
    assert picture.shape == (HEIGHT, WIDTH, 4)
    assert picture.flags.c_contiguous
    assert not picture.flags.owndata
    assert bench.reality.written == picture.nbytes


@pytest.mark.parametrize("padding", [1, 7, 64])
def test_padded_rows_do_not_shear_the_picture(clock: Any, padding: int) -> None:
    picture = Bench(Reality(clock=clock, padding=padding)).picture()
    expected = Bench(Reality(clock=clock)).picture()
    assert np.array_equal(picture, expected)
    assert picture.flags.c_contiguous


def test_a_retrieve_that_fails_gives_its_code_and_keeps_the_mat(bench: Bench) -> None:
    failed = code("FAILURE", 1)
    assert bench.mats.retrieved(lambda _: failed) is failed
    assert number(bench.picture()) == 0
    assert bench.reality.mats == 1


def test_pixels_of_another_kind_are_refused(bench: Bench) -> None:
    bench.camera.grab(bench.sl.RuntimeParameters())

    def depth(mat: Any) -> Code:
        bench.camera.retrieve_image(mat, bench.sl.VIEW.LEFT, bench.sl.MEM.CPU, bench.sl.Resolution(WIDTH, HEIGHT))
        return WELL

    mats = LentMats(bench.sl.Mat, bench.sl.MEM.CPU, "uint8", 1)
    with pytest.raises(NasionError, match="expected pixels of 1 bytes"):
        mats.retrieved(depth)
