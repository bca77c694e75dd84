"""What the network is punished for: squared distance from the heat map to be drawn, and more where it is worst."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class LossConfig:
    """``hard_cells`` = 0 is the thesis' loss (with `TargetConfig.peak_weight` = 0)."""

    #: Weight of the mean over each crop's worst cells: a missed face and a false one are a few cells among thousands.
    hard_cells: float = 0.0
    #: How many cells those are, counted in heat-map cells of a stride-4 map (16 input pixels square each).
    worst: int = 4
    #: Weight of the squared distance from a teacher's heat map, where there is a teacher.
    distil: float = 1.0


def squared_errors(heat: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Weighted squared error of each cell, (N, 1, h, w)."""
    return (heat - target) ** 2 * weight


def _of_class(errors: Tensor, cells: int, config: LossConfig) -> Tensor:
    """Mean over all cells, plus the weighted mean over each picture's ``cells`` worst ones."""
    total = errors.mean()
    if config.hard_cells > 0:
        total = total + config.hard_cells * errors.flatten(1).topk(cells, dim=1).values.mean()
    return total


def losses(errors: Tensor, positive: Tensor, stride: int, config: LossConfig) -> dict[str, Tensor]:
    """``positive``, ``negative`` and ``loss``, their sum: both kinds count the same, however many there are of each.

    ``errors`` (N, 1, h, w) from `squared_errors`; ``positive`` (N,) bool. A kind that is not in the batch counts 0.
    """
    cells = max(config.worst * (4 // stride) ** 2, 1)
    zero = errors.new_zeros(())
    kinds = {
        name: _of_class(errors[members], cells, config) if bool(members.any()) else zero
        for name, members in (("positive", positive), ("negative", ~positive))
    }
    return {**kinds, "loss": torch.stack(tuple(kinds.values())).sum()}
