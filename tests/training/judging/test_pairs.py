"""Two models on the same five pictures."""

import pytest

from tests.training.judging.made import FIVE
from training.judging.answer import Answer
from training.judging.figures import judge
from training.judging.pairs import Judged, differences, discordant, keypoint_shift

#: The second puts `elsewhere` right, is 3 px further at `in_place`, finds `missed`, and is quiet at `alarm`.
SECOND = [
    Answer(FIVE[0].picture, 0.5, (52, 53)),
    Answer(FIVE[1].picture, 0.5, (50, 50)),
    Answer(FIVE[2].picture, 0.5, (50, 51)),
    Answer(FIVE[3].picture, 0.2, (1, 1)),
    Answer(FIVE[4].picture, 0.45, None),
]
A, B = Judged(FIVE, 0.6), Judged(SECOND, 0.45)


def test_each_is_judged_at_its_own_threshold() -> None:
    free = discordant(A, B, in_place=False)
    assert free["only_a_right"] == ["quiet.jpg"]
    assert free["only_b_right"] == ["missed.jpg", "alarm.jpg"]
    assert (free["both_right"], free["both_wrong"]) == (2, 0)
    assert free["mcnemar_p"] == 1.0


def test_in_place_a_wrong_place_is_wrong() -> None:
    placed = discordant(A, B, in_place=True)
    assert placed["only_a_right"] == ["quiet.jpg"]
    assert placed["only_b_right"] == ["elsewhere.jpg", "missed.jpg", "alarm.jpg"]
    assert placed["mcnemar_p"] == pytest.approx(2 * (1 + 4) / 16)


def test_keypoints_are_compared_where_both_found_somebody() -> None:
    shift = keypoint_shift(A, B)
    assert shift["pictures"] == 2
    assert shift["median_px"] == pytest.approx((3 + 40) / 2)
    assert shift["median_eye_distances"] == pytest.approx((3 + 40) / 2 / 20)
    assert keypoint_shift(A, Judged(SECOND, 0.9)) == {"pictures": 0}


def test_differences_are_the_second_less_the_first() -> None:
    difference = differences(judge(FIVE, 0.6), judge(SECOND, 0.45))
    assert difference["recall"] == pytest.approx(1 / 3)
    assert difference["specificity"] == pytest.approx(0)
    assert difference["recall_in_place"] == pytest.approx(2 / 3)


def test_there_is_no_difference_to_nothing() -> None:
    assert differences(judge(FIVE, 0.6), judge(FIVE[3:], 0.6))["recall"] is None
