"""McNemar's exact test against values worked out by hand."""

import pytest

from training.judging.mcnemar import mcnemar_p


@pytest.mark.parametrize(
    ("only_first", "only_second", "p"),
    [
        (0, 0, 1.0),
        (0, 1, 1.0),
        (0, 5, 2 / 32),
        # 2 * (1 + 8) / 2^8
        (1, 7, 18 / 256),
        # 2 * (1 + 10 + 45) / 2^10
        (2, 8, 112 / 1024),
        (8, 2, 112 / 1024),
        # The two tails overlap in the middle: not above 1.
        (4, 4, 1.0),
    ],
)
def test_it_is_twice_the_smaller_tail_of_a_fair_coin(only_first: int, only_second: int, p: float) -> None:
    assert mcnemar_p(only_first, only_second) == pytest.approx(p)


def test_thousands_of_differing_pictures_are_no_trouble() -> None:
    """Here the normal approximation holds: 2 standard deviations of 5000, with continuity, are p = 0.0466."""
    assert mcnemar_p(5100, 4900) == pytest.approx(0.0466, abs=5e-4)
    assert mcnemar_p(9000, 1000) < 1e-300


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        mcnemar_p(-1, 3)
