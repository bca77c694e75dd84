"""A depth patch is one depth, or one reason: NaN, +inf and -inf are told apart, and never averaged."""

import warnings
from typing import List

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from nasion.core.depth import reduce_patch
from nasion.core.results import DepthReading, PersonReason
from nasion.settings import DepthSettings
from numpy.typing import NDArray

DEFAULT = DepthSettings()
NAN, FAR, NEAR = float("nan"), float("inf"), float("-inf")


def patch_of(*runs: object) -> NDArray[np.float32]:
    """``patch_of(2.0, 5, NAN, 20)``: five values of 2 m and twenty unknown ones, as 5 x 5."""
    values: List[object] = []
    for value, times in zip(runs[::2], runs[1::2]):
        values += [value] * int(str(times))
    return np.array(values, np.float32).reshape(5, 5)


def read(patch: NDArray[np.float32], settings: DepthSettings = DEFAULT) -> DepthReading:
    """``reduce_patch``, with every warning of NumPy an error."""
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        return reduce_patch(patch, settings)


@pytest.mark.parametrize(
    ("patch", "reason"),
    [
        (patch_of(NAN, 25), "no_depth"),
        (patch_of(FAR, 25), "too_far"),
        (patch_of(NEAR, 25), "too_near"),
        # Finite, but beyond the limits.
        (patch_of(0.699, 25), "too_near"),
        (patch_of(0.0, 25), "too_near"),
        (patch_of(-1.0, 25), "too_near"),
        (patch_of(10.01, 25), "too_far"),
        # Under a fifth is accepted: the majority of the others answers.
        (patch_of(2.0, 4, NAN, 11, FAR, 10), "no_depth"),
        (patch_of(2.0, 4, FAR, 11, NAN, 10), "too_far"),
        (patch_of(2.0, 4, NEAR, 11, NAN, 10), "too_near"),
        (patch_of(2.0, 4, 0.5, 6, NEAR, 5, NAN, 10), "too_near"),
        # What is at a limit is within it, and speaks for no class.
        (patch_of(0.7, 4, NEAR, 10, NAN, 11), "no_depth"),
        (patch_of(10.0, 4, FAR, 10, NAN, 11), "no_depth"),
        # Of equally many, the safer.
        (patch_of(2.0, 1, NEAR, 12, NAN, 12), "too_near"),
        (patch_of(2.0, 1, FAR, 12, NEAR, 12), "too_near"),
        (patch_of(2.0, 1, FAR, 12, NAN, 12), "no_depth"),
        (patch_of(2.0, 1, FAR, 8, NAN, 8, NEAR, 8), "too_near"),
    ],
)
def test_what_is_no_depth_says_why(patch: NDArray[np.float32], reason: str) -> None:
    reading = read(patch)
    assert reading.value is None
    assert reading.reason == PersonReason(reason)
    assert reading.of == 25


@pytest.mark.parametrize(
    ("patch", "value", "count", "spread"),
    [
        (patch_of(2.0, 25), 2.0, 25, 0.0),
        (patch_of(2.0, 5, NAN, 20), 2.0, 5, 0.0),
        (patch_of(2.0, 5, FAR, 20), 2.0, 5, 0.0),
        (patch_of(2.0, 20, NEAR, 5), 2.0, 20, 0.0),
        (patch_of(0.7, 25), 0.7, 25, 0.0),
        (patch_of(10.0, 25), 10.0, 25, 0.0),
        # The wall behind a few pixels does not move the median, and finite values out of limits do not count.
        (patch_of(1.5, 13, 9.0, 12), 1.5, 13 + 12, 0.0),
        (patch_of(1.5, 10, 0.3, 8, 11.0, 7), 1.5, 10, 0.0),
        (patch_of(1.0, 5, 1.1, 5, 1.2, 5, 1.3, 5, 1.4, 5), 1.2, 25, 0.1),
    ],
)
def test_a_fifth_of_finite_depths_is_enough(
    patch: NDArray[np.float32], value: float, count: int, spread: float
) -> None:
    reading = read(patch)
    assert reading.reason is None
    assert reading.value == pytest.approx(value, abs=1e-6)
    assert (reading.count, reading.of) == (count, 25)
    assert reading.spread == pytest.approx(spread, abs=1e-6)


def test_the_mean_is_over_finite_values_only() -> None:
    patch = patch_of(1.0, 5, 2.0, 10, NAN, 4, FAR, 3, NEAR, 3)
    assert read(patch, DepthSettings(reducer="mean")).value == pytest.approx(25 / 15)
    assert read(patch, DepthSettings(reducer="median")).value == pytest.approx(2.0)


def test_what_was_seen_is_kept_where_it_is_refused() -> None:
    reading = read(patch_of(2.0, 2, 3.0, 2, NAN, 21))
    assert (reading.value, reading.count, reading.spread) == (None, 4, 0.5)


def test_limits_and_share_are_settings() -> None:
    patch = patch_of(0.5, 5, NAN, 20)
    assert read(patch).reason is PersonReason.NO_DEPTH
    assert read(patch, DepthSettings(near_m=0.4)).value == pytest.approx(0.5)
    assert read(patch, DepthSettings(near_m=0.4, min_share=0.21)).reason is PersonReason.NO_DEPTH
    assert read(patch_of(NAN, 25), DepthSettings(min_share=0)).reason is PersonReason.NO_DEPTH


@pytest.mark.parametrize("side", range(5, 64, 10))
def test_exactly_a_fifth_is_enough_in_a_patch_of_any_size(side: int) -> None:
    patch = np.full((side, side), np.nan, np.float32)
    patch.flat[: side * side // 5] = 2.0
    assert read(patch).value == 2.0
    patch.flat[0] = np.nan
    assert read(patch).reason is PersonReason.NO_DEPTH


def test_a_share_that_no_float_holds_exactly_is_met_exactly() -> None:
    assert 0.28 * 25 > 7
    assert read(patch_of(2.0, 7, NAN, 18), DepthSettings(min_share=0.28)).value == 2.0
    assert read(patch_of(2.0, 6, NAN, 19), DepthSettings(min_share=0.28)).value is None


@given(
    patch=npst.arrays(np.float32, (5, 5), elements=st.floats(width=32) | st.sampled_from([1.5, 2.5, NAN, FAR, NEAR])),
    reducer=st.sampled_from(["median", "mean"]),
    min_share=st.floats(0, 1),
)
def test_any_patch_is_a_value_within_the_limits_or_a_reason(
    patch: NDArray[np.float32], reducer: str, min_share: float
) -> None:
    settings = DepthSettings.model_validate({"reducer": reducer, "min_share": min_share})
    reading = read(patch, settings)
    assert (reading.value is None) != (reading.reason is None)
    assert 0 <= reading.count <= reading.of == 25
    assert (reading.spread is None) == (reading.count == 0)
    if reading.value is not None:
        assert settings.near_m - 1e-6 <= reading.value <= settings.far_m + 1e-6
        assert reading.count >= min_share * 25 - 1e-9


@pytest.mark.parametrize("shape", [(0, 5), (25,), (5, 5, 1)])
def test_a_patch_that_is_none_is_an_error(shape: tuple) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match="two-dimensional"):
        reduce_patch(np.ones(shape, np.float32), DepthSettings())


@given(
    patch=npst.arrays(
        np.float32,
        (5, 5),
        elements=st.floats(0.25, 12, width=32) | st.sampled_from([float(np.float32(0.7)), 10.0, NAN, FAR, NEAR]),
    ),
    reducer=st.sampled_from(["median", "mean"]),
)
def test_a_reading_is_what_numpy_makes_of_the_accepted_values(patch: NDArray[np.float32], reducer: str) -> None:
    settings = DepthSettings.model_validate({"reducer": reducer})
    accepted = patch[(patch >= settings.near_m) & (patch <= settings.far_m)].astype(np.float64)

    reading = read(patch, settings)

    assert reading.count == accepted.size
    if reading.count:
        assert reading.spread == np.median(np.abs(accepted - np.median(accepted)))
    if reading.value is not None:
        assert reading.value == (np.median(accepted) if reducer == "median" else np.mean(accepted))
