"""A thumbnail shows the marks where they are."""

from pathlib import Path

import cv2
import numpy as np
from nasion.locating import PictureLocator
from numpy.typing import NDArray

from tests.training.judging.made import with_person
from training.data.table import Face
from training.judging.answer import Answer
from training.judging.sheets import FOUND, LONGEST, MARKED, facts, marked_jpeg, thumbnail

GREY = np.full((90, 120, 3), 90, np.uint8)
#: A picture of 120 px is shown three times as large: (20, 30) is at (61, 91).
ANSWER = Answer(with_person("p.jpg", Face(20, 30, 8, "human")), 0.8, (80, 60))


def decoded(jpeg: bytes) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def nearest_to(picture: NDArray[np.uint8], colour: tuple[int, int, int]) -> tuple[float, float]:
    """Middle (u, v) of what has about this colour, BGR."""
    rows, columns = np.nonzero(np.abs(picture.astype(int) - colour).max(axis=2) < 60)
    assert len(rows)
    return float(columns.mean()), float(rows.mean())


def test_the_ring_is_at_the_mark_and_the_cross_at_the_answer() -> None:
    picture = decoded(marked_jpeg(GREY, ANSWER, [ANSWER.place]))
    assert picture.shape == (270, LONGEST, 3)
    assert np.hypot(*np.subtract(nearest_to(picture, MARKED), (61, 91))) < 2
    assert np.hypot(*np.subtract(nearest_to(picture, FOUND[0]), (241, 181))) < 2


def test_two_models_have_two_colours_and_one_without_a_place_has_none() -> None:
    picture = decoded(marked_jpeg(GREY, ANSWER, [None, (40, 60)]))
    assert np.hypot(*np.subtract(nearest_to(picture, FOUND[1]), (121, 181))) < 2
    assert not (np.abs(picture.astype(int) - FOUND[0]).max(axis=2) < 60).any()


def test_the_heat_map_colours_what_is_hot(spot_model: Path) -> None:
    red = GREY.copy()
    cv2.circle(red, (80, 60), 8, (0, 0, 255), -1)
    finding = PictureLocator(spot_model).find(red, threshold=0.0)
    shown = decoded(thumbnail(red, ANSWER, finding).jpeg).astype(int)
    plain = decoded(marked_jpeg(red, ANSWER, [ANSWER.place])).astype(int)
    changed = np.abs(shown - plain).max(axis=2) > 40
    assert changed[160:200, 220:262].any()
    assert not changed[:, :150].any()


def test_the_caption_says_what_applies() -> None:
    assert facts(ANSWER) == ("p 0.80", "eyes 8.0 px apart", "8.39 eye distances off")
    assert facts(Answer(with_person(), 0.1, None)) == ("p 0.10", "eyes 20.0 px apart")
