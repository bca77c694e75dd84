"""A camera that repeats its picture to the bit is noticed; one whose noise lives never is."""

from typing import List

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.core.frozen import RepeatDetector
from numpy.typing import NDArray

MS = 1_000_000


def picture(seed: int, channels: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (72, 128, channels)).astype(np.uint8)


def repeated_ms(pictures: List[NDArray[np.uint8]], period_ms: int = 33) -> List[int]:
    detector = RepeatDetector()
    return [detector.repeated_ns(shown, n * period_ms * MS) // MS for n, shown in enumerate(pictures)]


@pytest.mark.parametrize("channels", [3, 4])
def test_the_time_is_counted_from_the_first_of_a_row(channels: int) -> None:
    assert repeated_ms([picture(1, channels), *[picture(2, channels)] * 5]) == [0, 0, 0, 66, 99, 132]


def test_another_picture_ends_it_and_a_new_row_begins_anew() -> None:
    assert repeated_ms([picture(1)] * 4 + [picture(2)] * 4) == [0, 0, 66, 99, 0, 0, 66, 99]


def test_pictures_that_differ_in_one_bit_off_the_sparse_sample_are_different() -> None:
    shown = []
    for n in range(6):
        shown.append(picture(1).copy())
        shown[-1][1, 1, 0] = n
    assert repeated_ms(shown) == [0] * 6


@given(seeds=st.lists(st.integers(0, 2), max_size=30))
def test_never_longer_than_the_row_of_equal_pictures(seeds: List[int]) -> None:
    found = repeated_ms([picture(seed) for seed in seeds])
    for n, repeated in enumerate(found):
        row = 0
        while row < n and seeds[n - row - 1] == seeds[n]:
            row += 1
        assert repeated in (0, row * 33)
        assert repeated == row * 33 or row < 2


def test_a_picture_that_its_owner_writes_over_is_not_mistaken() -> None:
    """A camera's ring of buffers gives the same memory with another picture in it."""
    detector, memory = RepeatDetector(), picture(1).copy()
    for n in range(6):
        memory[:] = picture(n)
        assert detector.repeated_ns(memory, n * 33 * MS) == 0


def test_a_time_that_goes_back_is_a_change() -> None:
    detector = RepeatDetector()
    assert [detector.repeated_ns(picture(1), t * MS) for t in (100, 133, 166, 50, 83, 116)] == [
        0,
        0,
        66 * MS,
        0,
        0,
        66 * MS,
    ]
