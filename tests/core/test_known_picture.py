"""The drawn head is the same everywhere, and the released networks find it."""

from typing import Optional

import numpy as np
import pytest
from nasion.core.known_picture import Answer, answer_of, differs, known_picture, known_tensor

EXPECTED = Answer(0.9, 100.0, 60.0)


@pytest.mark.parametrize(("height", "width"), [(224, 224), (288, 480), (544, 960), (32, 32), (64, 96)])
def test_it_can_be_had_in_every_size(height: int, width: int) -> None:
    picture = known_picture(height, width)
    assert picture.shape == (height, width, 3)
    assert picture.dtype == np.uint8
    tensor = known_tensor(height, width)
    assert tensor.shape == (1, 3, height, width)
    assert tensor.dtype == np.float32
    assert np.array_equal(tensor[0].transpose(1, 2, 0)[..., ::-1], picture)
    assert np.array_equal(picture, known_picture(height, width))


def test_the_answer_is_the_highest_cell() -> None:
    heat = np.zeros((20, 30), np.float32)
    heat[7, 11] = 0.75
    assert answer_of(heat, 4) == Answer(0.75, 46.0, 30.0)


@pytest.mark.parametrize(
    ("found", "wrong"),
    [
        (EXPECTED, None),
        (Answer(0.78, 104.0, 63.0), None),
        (Answer(0.7, 100.0, 60.0), "high"),
        (Answer(0.0, 2.0, 2.0), "high"),
        (Answer(float("nan"), 100.0, 60.0), "high"),
        (Answer(0.9, 110.0, 60.0), "at"),
        (Answer(0.9, float("nan"), 60.0), "at"),
    ],
)
def test_what_differs(found: Answer, wrong: Optional[str]) -> None:
    told = differs(found, EXPECTED, stride=4)
    assert (told is None) if wrong is None else ((told is not None and f"is {wrong}" in told) or wrong in str(told))


def test_a_map_without_a_peak_has_no_place_to_compare() -> None:
    assert differs(Answer(0.01, 300.0, 200.0), Answer(0.02, 2.0, 2.0), stride=4) is None
