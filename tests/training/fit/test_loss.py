"""The loss, counted by hand on small maps."""

import pytest
import torch

from training.fit.loss import LossConfig, losses, squared_errors

TARGET = torch.zeros(2, 1, 8, 8)
WEIGHT = torch.ones(2, 1, 8, 8)
POSITIVE = torch.tensor([True, False])


def test_both_kinds_count_the_same_however_many_there_are() -> None:
    heat = torch.zeros(3, 1, 4, 4)
    heat[0] = 0.5
    heat[1:] = 0.1
    errors = squared_errors(heat, torch.zeros_like(heat), torch.ones_like(heat))
    parts = losses(errors, torch.tensor([True, False, False]), 4, LossConfig())
    assert float(parts["positive"]) == pytest.approx(0.25)
    assert float(parts["negative"]) == pytest.approx(0.01)
    assert float(parts["loss"]) == pytest.approx(0.26)


def test_a_cell_of_weight_nothing_counts_nothing() -> None:
    heat, weight = torch.ones(2, 1, 8, 8), WEIGHT.clone()
    weight[0] = 0
    parts = losses(squared_errors(heat, TARGET, weight), POSITIVE, 4, LossConfig(hard_cells=1.0))
    assert float(parts["positive"]) == 0
    assert float(parts["negative"]) == pytest.approx(2.0)


@pytest.mark.parametrize(("stride", "cells"), [(4, 4), (2, 16), (1, 64)])
def test_the_worst_cells_cover_the_same_part_of_the_picture_at_every_stride(stride: int, cells: int) -> None:
    heat = torch.zeros(2, 1, 16, 16)
    heat[1].flatten()[: cells // 2] = 1.0
    errors = squared_errors(heat, torch.zeros_like(heat), torch.ones_like(heat))
    plain = losses(errors, POSITIVE, stride, LossConfig())
    hard = losses(errors, POSITIVE, stride, LossConfig(hard_cells=1.0))
    assert float(hard["negative"] - plain["negative"]) == pytest.approx(0.5)
    assert float(hard["positive"]) == 0


def test_a_kind_that_is_not_there_costs_nothing() -> None:
    errors = torch.ones(2, 1, 4, 4)
    parts = losses(errors, torch.tensor([True, True]), 4, LossConfig())
    assert float(parts["negative"]) == 0
    assert float(parts["loss"]) == 1
