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
        self.size = (WIDTH, HEIGHT)
        self.sl: Any = module(reality)
        self.camera = self.sl.Camera()
        self.camera.open(self.sl.InitParameters())
        self.mats = LentMats(self.sl.Mat, self.borrow, self.sl.MEM.CPU, "uint8", 4)

    def borrow(self, width: int, height: int, address: int, row: int) -> Any:
        mat = self.sl.Mat()
        mat.init_mat_cpu(width, height, self.sl.MAT_TYPE.U8_C4, address, row, self.sl.MEM.CPU)
        return mat

    def picture(self) -> Any:
        self.camera.grab(self.sl.RuntimeParameters())
        return self.mats.retrieved(self._retrieve)

    def _retrieve(self, mat: Any) -> Code:
        self.camera.retrieve_image(mat, self.sl.VIEW.LEFT, self.sl.MEM.CPU, self.sl.Resolution(*self.size))
        return WELL


#: SDKs by where they write: into the memory that they are lent, elsewhere all the same, and those that take none.
KINDS: dict[str, dict[str, Any]] = {
    "lent": {},
    "not honoured": {"writes_into_lent_memory": False},
    "old": {"version": "5.0"},
}


@pytest.fixture(params=KINDS)
def bench(clock: Any, request: pytest.FixtureRequest) -> Bench:
    return Bench(Reality(clock=clock, **KINDS[request.param]))


@pytest.fixture
def lending(clock: Any) -> Bench:
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


def addresses(bench: Bench, pictures: int) -> set[int]:
    """Where so many pictures were, each let go before the next."""
    return {bench.picture().ctypes.data for _ in range(pictures)}


def test_memory_is_used_again_once_nobody_holds_it(bench: Bench) -> None:
    bench.picture()
    bench.picture()
    assert len(addresses(bench, 50)) == 1
    held = [bench.picture() for _ in range(4)]
    taken = {picture.ctypes.data for picture in held}
    assert len(taken) == 4
    assert len(addresses(bench, 50)) == 1
    assert not taken & addresses(bench, 50)


def test_of_what_a_rush_took_little_is_kept(bench: Bench) -> None:
    held = [bench.picture() for _ in range(20)]
    assert len(bench.mats._slots) >= 19
    held.clear()
    bench.picture()
    bench.picture()
    assert len(bench.mats._slots) <= 4


def test_where_it_can_the_sdk_writes_into_our_memory(lending: Bench) -> None:
    """Into the SDK's own only the first one, which tells the size."""
    for _ in range(50):
        lending.picture()
    assert (lending.reality.mats, lending.mats.borrows) == (1, True)


@pytest.mark.parametrize("kind", ["not honoured", "old"])
def test_where_it_does_not_that_is_seen_and_not_tried_again(clock: Any, kind: str) -> None:
    bench = Bench(Reality(clock=clock, **KINDS[kind]))
    pictures = [bench.picture() for _ in range(6)]
    assert not bench.mats.borrows
    assert [number(picture) for picture in pictures] == list(range(6))


def test_another_size_gets_other_memory(bench: Bench) -> None:
    before = [bench.picture() for _ in range(3)]
    bench.size = (32, 20)
    after = [bench.picture() for _ in range(3)]
    assert [picture.shape for picture in after] == [(20, 32, 4)] * 3
    assert [number(picture) for picture in (*before, *after)] == list(range(6))


def test_it_outlives_the_camera_and_the_mats(bench: Bench) -> None:
    pictures = [bench.picture() for _ in range(3)]
    bench.camera.close()
    del bench.mats
    gc.collect()
    for place, picture in enumerate(pictures):
        assert number(picture) == place
        assert (picture[:, :, 3] == 255).all()


def test_the_sdks_memory_is_given_without_a_copy(bench: Bench) -> None:
    for place in range(3):
        picture = bench.picture()
        assert picture.shape == (HEIGHT, WIDTH, 4)
        assert picture.flags.c_contiguous
        assert not picture.flags.owndata
        assert bench.reality.written == (place + 1) * picture.nbytes


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("padding", [1, 7, 64])
def test_padded_rows_do_not_shear_the_picture(clock: Any, padding: int, kind: str) -> None:
    padded = Bench(Reality(clock=clock, padding=padding, **KINDS[kind]))
    plain = Bench(Reality(clock=clock))
    for _ in range(3):
        picture = padded.picture()
        assert np.array_equal(picture, plain.picture())
        assert picture.flags.c_contiguous


def test_a_retrieve_that_fails_gives_its_code_and_keeps_the_mat(bench: Bench) -> None:
    failed = code("FAILURE", 1)
    assert bench.mats.retrieved(lambda _: failed) is failed
    assert number(bench.picture()) == 0
    assert len(bench.mats._slots) <= 1


def test_pixels_of_another_kind_are_refused(lending: Bench) -> None:
    bench = lending
    bench.camera.grab(bench.sl.RuntimeParameters())

    def depth(mat: Any) -> Code:
        bench.camera.retrieve_image(mat, bench.sl.VIEW.LEFT, bench.sl.MEM.CPU, bench.sl.Resolution(WIDTH, HEIGHT))
        return WELL

    mats = LentMats(bench.sl.Mat, bench.borrow, bench.sl.MEM.CPU, "uint8", 1)
    with pytest.raises(NasionError, match="expected pixels of 1 bytes"):
        mats.retrieved(depth)
