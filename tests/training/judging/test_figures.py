"""Two ways to be right, counted by hand."""

from pathlib import Path

import pytest

from training.data.table import Face, Picture
from training.judging.figures import Answer, choose_threshold, is_in_place, judge


def positive(*faces: Face) -> Picture:
    return Picture(Path("p.jpg"), "helen", "val", faces or (Face(50, 50, 20, "human"),))


NEGATIVE = Picture(Path("n.jpg"), "bsds", "val")


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
    assert is_in_place(Answer(positive(Face(50, 50, eyes, "human")), 0.9, place)) is expected


def test_a_peak_on_any_listed_face_is_in_place() -> None:
    crowd = positive(Face(50, 50, 20, "human"), Face(150, 50, 20, "teacher"))
    assert is_in_place(Answer(crowd, 0.9, (149, 51)))


def test_the_figures_are_those_counted_by_hand() -> None:
    answers = [
        Answer(positive(), 0.9, (52, 50)),  # found, in place, 0.1 eye distances off
        Answer(positive(), 0.8, (90, 50)),  # found somewhere else
        Answer(positive(), 0.4, (50, 50)),  # missed
        Answer(NEGATIVE, 0.7, (1, 1)),  # false alarm
        Answer(NEGATIVE, 0.1, None),
    ]
    figures = judge(answers, 0.6)
    assert figures["right_location_free"] == pytest.approx(3 / 5)
    assert figures["recall"] == pytest.approx(2 / 3)
    assert figures["recall_in_place"] == pytest.approx(1 / 3)
    assert figures["specificity"] == pytest.approx(1 / 2)
    assert figures["precision"] == pytest.approx(2 / 3)
    assert figures["error"]["median_eye_distances"] == pytest.approx((0.1 + 2.0) / 2)
    assert figures["error_human_marked"]["pictures"] == 2
    (row,) = [r for r in figures["by_eye_distance"] if r["pictures"]]
    assert row["eye_distance_px"] == [16.0, 24.0]
    assert row["recall_in_place"] == pytest.approx(1 / 3)
    assert figures["by_source"]["bsds"]["right"] == pytest.approx(1 / 2)


def test_no_positives_gives_no_recall_rather_than_zero() -> None:
    assert judge([Answer(NEGATIVE, 0.1, None)], 0.5)["recall"] is None


def test_the_threshold_keeps_the_specificity_and_gets_most_right() -> None:
    negatives = [Answer(NEGATIVE, 0.2, (1, 1))] * 98 + [Answer(NEGATIVE, 0.9, (1, 1))] * 2
    positives = [Answer(positive(), p, (50, 50)) for p in (0.45, 0.5, 0.95)]
    assert 0.2 < choose_threshold([*negatives, *positives]) <= 0.45
    assert choose_threshold([*negatives, *positives], specificity=0.995) > 0.9
