"""The curve is the figures at each threshold; the areas are those that a count of pairs gives."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.judging.made import FIVE, with_person, without
from training.judging.answer import Answer
from training.judging.curve import THRESHOLDS, areas, threshold_curve
from training.judging.figures import judge


def test_it_goes_from_0_to_1_in_hundredths() -> None:
    assert len(THRESHOLDS) == 101
    assert (THRESHOLDS[0], THRESHOLDS[7], THRESHOLDS[-1]) == (0.0, 0.07, 1.0)


def test_at_each_threshold_it_says_what_the_figures_say() -> None:
    for row in threshold_curve(FIVE):
        figures = judge(FIVE, row["threshold"])
        assert row == {name: figures[name] for name in row}


def test_above_every_probability_there_is_no_precision() -> None:
    last = threshold_curve(FIVE)[-1]
    assert (last["recall"], last["specificity"], last["precision"]) == (0, 1, None)


@given(
    st.lists(st.integers(0, 20), min_size=1, max_size=12),
    st.lists(st.integers(0, 20), min_size=1, max_size=12),
)
def test_the_area_under_roc_is_the_share_of_pairs_in_the_right_order(above: list[int], below: list[int]) -> None:
    answers = [Answer(with_person(), p / 20, (50, 50)) for p in above] + [
        Answer(without(), p / 20, None) for p in below
    ]
    pairs = list(itertools.product(above, below))
    expected = sum(1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs) / len(pairs)
    assert areas(answers)["roc_auc"] == pytest.approx(expected, abs=1e-6)
