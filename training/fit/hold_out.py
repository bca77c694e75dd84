"""How right a network is on the pictures that choose checkpoints, both ways of being right, at its best threshold."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torchmetrics import Metric

from training.data.table import Picture
from training.judging.answer import Answer, is_in_place

#: Thresholds a run may be given.
THRESHOLDS = torch.linspace(0.05, 0.95, 91)


def peaks(heat: Tensor, stride: int) -> tuple[Tensor, Tensor]:
    """Height (N,) and place (N, 2: u, v in pixels of the input) of the strongest cell of each map (N, 1, h, w)."""
    heights, cells = heat.flatten(1).max(1)
    columns, rows = cells % heat.shape[-1], cells // heat.shape[-1]
    return heights, (torch.stack((columns, rows), dim=1) + 0.5) * stride - 0.5


def in_place(picture: Picture, height: float, place: Sequence[float]) -> bool:
    """Whether a peak at ``place`` (u, v) lies on a listed face of ``picture``."""
    return is_in_place(Answer(picture, height, (float(place[0]), float(place[1]))))


class BestRight(Metric):
    """Shares of right answers at the threshold where most are right, anywhere in the picture or in place.

    ``right``: a positive with a peak over the threshold, or a negative without. ``right_in_place``: the peak must
    also lie on a listed face. States are sums over all processes.
    """

    full_state_update = False

    def __init__(self) -> None:
        super().__init__()
        for name in ("found", "found_in_place", "silent"):
            self.add_state(name, torch.zeros(len(THRESHOLDS)), dist_reduce_fx="sum")
        self.add_state("pictures", torch.zeros(()), dist_reduce_fx="sum")

    found: Tensor
    found_in_place: Tensor
    silent: Tensor
    pictures: Tensor

    def update(self, heights: Tensor, positive: Tensor, places_right: Tensor) -> None:
        """``heights`` (N,) float, ``positive`` and ``places_right`` (N,) bool."""
        over = heights[:, None] >= THRESHOLDS.to(heights.device)
        self.found += (over & positive[:, None]).sum(0)
        self.found_in_place += (over & (positive & places_right)[:, None]).sum(0)
        self.silent += (~over & ~positive[:, None]).sum(0)
        self.pictures += len(heights)

    def compute(self) -> dict[str, Tensor]:
        """``right``, ``right_in_place``, each the best over the thresholds."""
        return {
            "right": ((self.found + self.silent) / self.pictures).max(),
            "right_in_place": ((self.found_in_place + self.silent) / self.pictures).max(),
        }
