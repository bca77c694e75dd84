"""What is wrong stands worst first."""

from tests.training.judging.made import FIVE, with_person, without
from training.judging.answer import Answer
from training.judging.mistakes import mistakes


def names(answers: list[Answer]) -> list[str]:
    return [a.picture.path.name for a in answers]


def test_each_answer_stands_where_it_belongs() -> None:
    wrong = mistakes(FIVE, 0.6)
    assert names(wrong.false_positives) == ["alarm.jpg"]
    assert names(wrong.false_negatives) == ["missed.jpg"]
    assert names(wrong.wrong_places) == ["elsewhere.jpg"]
    assert names(wrong.worst_placed) == ["in_place.jpg"]


def test_the_surest_alarm_the_least_probable_person_and_the_farthest_place_come_first() -> None:
    wrong = mistakes(
        [
            *(Answer(without(f"n{p}.jpg"), p / 10, (1, 1)) for p in (7, 9, 8)),
            *(Answer(with_person(f"m{p}.jpg"), p / 10, None) for p in (3, 1, 2)),
            *(Answer(with_person(f"w{d}.jpg"), 0.9, (50 + d, 50)) for d in (20, 30, 25)),
            *(Answer(with_person(f"e{d}.jpg"), 0.9, (50 + d, 50)) for d in (2, 9, 5)),
        ],
        0.6,
    )
    assert names(wrong.false_positives) == ["n9.jpg", "n8.jpg", "n7.jpg"]
    assert names(wrong.false_negatives) == ["m1.jpg", "m2.jpg", "m3.jpg"]
    assert names(wrong.wrong_places) == ["w30.jpg", "w25.jpg", "w20.jpg"]
    assert names(wrong.worst_placed) == ["e9.jpg", "e5.jpg", "e2.jpg"]


def test_the_equally_bad_stand_by_name_however_they_came() -> None:
    alike = [Answer(without(name), 0.9, (1, 1)) for name in ("c.jpg", "a.jpg", "b.jpg")]
    assert names(mistakes(alike, 0.5).false_positives) == ["a.jpg", "b.jpg", "c.jpg"]
