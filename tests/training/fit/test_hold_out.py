"""The figures that choose checkpoints, by hand."""

from pathlib import Path

import pytest
import torch

from training.data.table import Face, Picture
from training.fit.hold_out import BestRight, in_place, peaks


def test_a_peak_is_the_middle_of_the_strongest_cell() -> None:
    heat = torch.zeros(2, 1, 4, 6)
    heat[0, 0, 2, 5] = 0.8
    heat[1, 0, 0, 1] = 0.3
    heights, places = peaks(heat, stride=4)
    assert heights.tolist() == pytest.approx([0.8, 0.3])
    assert places.tolist() == [[21.5, 9.5], [5.5, 1.5]]


def test_in_place_is_judged_as_everywhere_else() -> None:
    picture = Picture(Path("a"), "x", "hold_out", (Face(20, 10, 8, "human"),))
    assert in_place(picture, 0.9, (23.9, 10.0))
    assert not in_place(picture, 0.9, (24.1, 10.0))
    assert not in_place(Picture(Path("a"), "x", "hold_out"), 0.9, (20, 10))


def test_the_best_threshold_is_found_for_each_way_to_be_right() -> None:
    metric = BestRight()
    # At 0.5 everything is right but the place of the second; batches add up.
    metric.update(torch.tensor([0.9, 0.6]), torch.tensor([True, True]), torch.tensor([True, False]))
    metric.update(torch.tensor([0.4, 0.1]), torch.tensor([False, False]), torch.tensor([False, False]))
    figures = metric.compute()
    assert float(figures["right"]) == 1.0
    assert float(figures["right_in_place"]) == 0.75
