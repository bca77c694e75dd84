"""Two pictures tell how far their rows are apart, and what is wrong with them; where they cannot tell, they say so."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nasion.core.eyes import look_at_eyes, rows_limit_px
from nasion.core.results import EyesFault, EyesLook, EyesUnknown

from tests.eyes_made import FAULTS, HEIGHT, WIDTH, Pair, Picture, good_pair, lowered, noisy, rolled

#: How well a row offset of a made pair is measured, of its picture's width: corners lie on whole pixels.
EXACT = 0.6 / WIDTH


def bgrx(picture: Picture) -> Picture:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA), np.uint8)


def look(pair: Pair) -> EyesLook:
    return look_at_eyes(*pair)


@pytest.mark.parametrize(
    ("width", "height"), [(320, 240), (WIDTH, HEIGHT), (672, 376), (1280, 720), (1920, 1080), (2208, 1242)]
)
def test_eyes_that_fit_are_told_as_such_in_every_size(width: int, height: int) -> None:
    found = look(good_pair(3, width, height))
    assert (found.fault, found.unknown) == (None, None)
    assert found.rows_px == pytest.approx(0.0, abs=EXACT * max(width, WIDTH))
    assert found.limit_px == rows_limit_px(width)


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("seed", [1, 2])
def test_each_fault_is_found(kind: str, seed: int) -> None:
    fault, spoilt = FAULTS[kind]
    found = look(spoilt(good_pair(seed)))
    assert (found.fault, found.unknown) == (EyesFault(fault), None)


@settings(max_examples=15)
@given(rows=st.floats(-25, 25), seed=st.integers(0, 20))
def test_the_row_offset_is_measured_and_the_limit_decides(rows: float, seed: int) -> None:
    pair = good_pair(seed)
    found = look(Pair(pair.left, lowered(pair.right, rows)))
    assert found.rows_px == pytest.approx(abs(rows), abs=EXACT * WIDTH)
    unsure = 0.8
    if abs(rows) >= found.limit_px + unsure:
        assert found.fault is EyesFault.ROWS
    if abs(rows) <= found.limit_px - unsure:
        assert found.fault is None


@pytest.mark.parametrize("degrees", [-3.0, -1.0, 0.4, 0.5, 2.0])
def test_a_roll_counts_as_what_it_costs_at_the_sides(degrees: float) -> None:
    pair = good_pair(4)
    found = look(Pair(pair.left, rolled(pair.right, degrees)))
    # 80 % of the columns are nearer to the middle than 0.8 of the half width.
    assert found.rows_px == pytest.approx(0.8 * WIDTH / 2 * np.sin(np.radians(abs(degrees))), rel=0.15, abs=0.3)


def test_rows_are_counted_in_the_pixels_of_the_pictures_as_they_came() -> None:
    pair = good_pair(5, 1920, 1080)
    found = look(Pair(pair.left, lowered(pair.right, 12.0)))
    assert found.rows_px == pytest.approx(12.0, abs=EXACT * 1920)


def test_bgrx_tells_what_bgr_does_and_each_pair_always_the_same() -> None:
    pair = good_pair(6)
    first = look(pair)
    assert look(pair) == first
    assert look_at_eyes(bgrx(pair.left), bgrx(pair.right)) == first


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "spoilt",
    [
        lambda pair: Pair(noisy(pair.left, 15, 1), noisy(pair.right, 15, 2)),
        lambda pair: Pair(pair.left, (0.6 * pair.right).astype(np.uint8)),
        lambda pair: Pair(pair.left, np.clip(pair.right.astype(int) + 30, 0, 255).astype(np.uint8)),
        lambda pair: Pair(pair.left, np.asarray(cv2.GaussianBlur(pair.right, (0, 0), 1.0), np.uint8)),
    ],
    ids=["noise", "a darker eye", "a brighter eye", "a duller eye"],
)
def test_what_eyes_that_fit_may_have_is_no_fault(spoilt: object, seed: int) -> None:
    found = look(spoilt(good_pair(seed)))  # type: ignore[operator]
    assert found.fault is None
    assert found.unknown is None


def chessboard() -> Picture:
    """Wherever one looks, the same again."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH] // 20
    return np.repeat(np.where((rows + columns) % 2, 200, 60).astype(np.uint8)[..., None], 3, axis=2)


FLAT = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
GOOD = good_pair(8)


def dark(picture: Picture, seed: int) -> Picture:
    return noisy((picture * 0.03).astype(np.uint8), 2.0, seed)


@pytest.mark.parametrize(
    "pair",
    {
        "nothing at all": Pair(FLAT, FLAT),
        "noise alone": Pair(noisy(FLAT, 12, 1), noisy(FLAT, 12, 2)),
        "night": Pair(dark(GOOD.left, 1), dark(GOOD.right, 2)),
        "a covered right eye": Pair(GOOD.left, np.zeros_like(GOOD.right)),
        "a covered left eye": Pair(np.zeros_like(GOOD.left), GOOD.right),
        "a pattern that repeats": Pair(chessboard(), lowered(np.roll(chessboard(), -7, axis=1), 10.0)),
        "a few corners in one place": Pair(
            *(np.where(np.mgrid[:HEIGHT, :WIDTH][1][..., None] < 60, one, FLAT).astype(np.uint8) for one in GOOD)
        ),
        "one column of pixels": Pair(FLAT[:, :1], FLAT[:, :1]),
    }.values(),
    ids=lambda _: "",
)
def test_pictures_that_cannot_tell_say_so_and_accuse_nobody(pair: Pair) -> None:
    found = look(pair)
    assert found.fault is None
    assert found.rows_px is None
    assert isinstance(found.unknown, EyesUnknown)


def test_eyes_of_two_sizes_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="expected the same"):
        look_at_eyes(FLAT, FLAT[:-1])


@pytest.mark.parametrize(("width", "limit"), [(320, 2.0), (672, 2.0), (1280, 2.816), (1920, 4.224)])
def test_wider_pictures_may_have_rows_that_are_further_apart(width: int, limit: float) -> None:
    assert rows_limit_px(width) == pytest.approx(limit)
