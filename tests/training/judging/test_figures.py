"""Two ways to be right, counted by hand."""

import pytest

from tests.training.judging.made import FIVE, with_person, without
from training.data.table import Face
from training.errors import WorkshopError
from training.judging.answer import Answer, is_in_place
from training.judging.figures import choose_threshold, judge


@pytest.mark.parametrize(
    ("place", "eyes", "expected"),
    [
        ((59.0, 50.0), 20, True),
        ((61.0, 50.0), 20, False),
        ((51.9, 50.0), 3, True),
        ((52.1, 50.0), 3, False),
        (None, 20, False),
    ],
)
def test_in_place_is_half_an_eye_distance_but_at_least_two_pixels(
    place: tuple[float, float] | None, eyes: float, expected: bool
) -> None:
    assert is_in_place(Answer(with_person("p.jpg", Face(50, 50, eyes, "human")), 0.9, place)) is expected


def test_a_peak_on_any_listed_face_is_in_place() -> None:
    crowd = with_person("p.jpg", Face(50, 50, 20, "human"), Face(150, 50, 20, "teacher"))
    assert is_in_place(Answer(crowd, 0.9, (149, 51)))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("right_location_free", 3 / 5),
        ("right_in_place", 2 / 5),
        ("recall", 2 / 3),
        ("recall_in_place", 1 / 3),
        ("specificity", 1 / 2),
        ("precision", 2 / 3),
        ("precision_in_place", 1 / 3),
        ("negative_predictive_value", 1 / 2),
        # Of the 3 x 2 pairs only (missed, alarm) has the negative on top.
        ("roc_auc", 5 / 6),
        # Precision at each positive, from the top: 1/1, 2/2, and 3/4 below the alarm.
        ("average_precision", (1 + 1 + 3 / 4) / 3),
    ],
)
def test_the_shares_are_those_counted_by_hand(name: str, expected: float) -> None:
    assert judge(FIVE, 0.6)[name] == pytest.approx(expected)


def test_the_confusion_tells_found_in_place_from_found_elsewhere() -> None:
    confusion = judge(FIVE, 0.6)["confusion"]
    assert confusion["location_free"] == {"tp": 2, "fp": 1, "fn": 1, "tn": 1}
    assert confusion["in_place"] == {"tp": 1, "elsewhere": 1, "fp": 1, "fn": 1, "tn": 1}


def test_a_probability_at_the_threshold_is_found() -> None:
    assert judge(FIVE, 0.8)["recall"] == pytest.approx(2 / 3)
    assert judge(FIVE, 0.81)["recall"] == pytest.approx(1 / 3)


def test_errors_are_told_with_and_without_those_found_elsewhere() -> None:
    figures = judge(FIVE, 0.6)
    assert figures["error"]["median_eye_distances"] == pytest.approx((0.1 + 2.0) / 2)
    assert figures["error"]["median_px"] == pytest.approx((2 + 40) / 2)
    assert figures["error_in_place"] == pytest.approx(
        {"pictures": 1, "median_px": 2, "p95_px": 2, "median_eye_distances": 0.1, "p95_eye_distances": 0.1}
    )
    assert figures["error_human_marked"]["pictures"] == 2


def test_a_face_is_as_large_as_the_network_sees_it() -> None:
    """Stored at half the size it is searched at, the eyes 20 px apart are 40 px apart."""
    for scale, expected in ((1.0, [16.0, 24.0]), (2.0, [24.0, 48.0])):
        answers = [Answer(a.picture, a.probability, a.place, scale) for a in FIVE]
        (row,) = [r for r in judge(answers, 0.6)["by_eye_distance"] if r["pictures"]]
        assert row["eye_distance_px"] == expected
        assert row["pictures"] == 3
        assert row["recall_in_place"] == pytest.approx(1 / 3)


def test_each_source_has_its_own_figures_and_none_where_it_lacks_a_kind() -> None:
    sources = judge(FIVE, 0.6)["by_source"]
    assert sources["bsds"] == {
        "pictures": 2,
        "right": 0.5,
        "right_in_place": 0.5,
        "positives": 0,
        "negatives": 2,
        "recall": None,
        "recall_in_place": None,
        "specificity": 0.5,
    }
    assert sources["helen"]["recall"] == pytest.approx(2 / 3)
    assert sources["helen"]["right_in_place"] == sources["helen"]["recall_in_place"] == pytest.approx(1 / 3)
    assert sources["helen"]["specificity"] is None


def test_no_positives_gives_no_recall_rather_than_zero() -> None:
    figures = judge([Answer(without(), 0.1, None)], 0.5)
    for name in ("recall", "recall_in_place", "precision", "roc_auc", "average_precision"):
        assert figures[name] is None, name
    assert figures["error"] == {"pictures": 0}


def test_the_threshold_keeps_the_specificity_and_gets_most_right() -> None:
    negatives = [Answer(without(), 0.2, (1, 1))] * 98 + [Answer(without(), 0.9, (1, 1))] * 2
    positives = [Answer(with_person(), p, (50, 50)) for p in (0.45, 0.5, 0.5, 0.95)]
    assert 0.2 < choose_threshold([*negatives, *positives]) <= 0.45
    assert choose_threshold([*negatives, *positives], specificity=0.995) > 0.9


@pytest.mark.parametrize(("lowest", "highest", "middle"), [(0.5, 0.6, 0.56), (0.5, 0.51, 0.51), (0.5, 0.52, 0.52)])
def test_of_equally_good_thresholds_the_middle_one_is_taken(lowest: float, highest: float, middle: float) -> None:
    """A coat stand below, a person above; of two the higher, which leaves more of nobody alone."""
    answers = [Answer(without(), lowest, (1, 1)), Answer(with_person(), highest, (50, 50))]
    assert choose_threshold(answers) == middle


@pytest.mark.parametrize("answers", [[], FIVE[:3], FIVE[3:]], ids=["none", "people only", "nobody only"])
def test_a_threshold_is_not_chosen_without_both_kinds(answers: list[Answer]) -> None:
    with pytest.raises(WorkshopError, match="with people and others without"):
        choose_threshold(answers)
