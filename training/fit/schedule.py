"""How long a run lasts and how its learning rate falls: pure functions of how far it has come."""

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ScheduleConfig:
    """The learning rate over a run.

    ``cosine``: warm-up, then half a cosine down to ``final`` of the rate. ``halving``: halved every ``halve_every``
    epochs, as the original did; no warm-up.
    """

    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    shape: Literal["cosine", "halving"] = "cosine"
    warm_up: float = 0.02
    final: float = 0.005
    halve_every: int = 100

    def factor(self, progress: float, epoch: int) -> float:
        """Learning-rate factor at ``progress`` of the run, 0..1, in ``epoch``, from 0."""
        if self.shape == "halving":
            return 0.5 ** (epoch // self.halve_every)
        if progress < self.warm_up:
            return max(progress / self.warm_up, 1e-2)
        done = min((progress - self.warm_up) / (1 - self.warm_up), 1.0)
        return self.final + (1 - self.final) * 0.5 * (1 + math.cos(math.pi * done))


@dataclass(frozen=True)
class Budget:
    """A run ends after ``minutes`` of training or after ``epochs``, whichever it is given (both: the first)."""

    minutes: float | None = None
    epochs: int | None = None

    def __post_init__(self) -> None:
        if self.minutes is None and self.epochs is None:
            raise ValueError("a run needs minutes or epochs to end by")

    def progress(self, spent_s: float, epochs_done: float) -> float:
        """Share of the run that is done, 0..1."""
        shares = [0.0]
        if self.minutes is not None:
            shares.append(spent_s / (60 * self.minutes))
        if self.epochs is not None:
            shares.append(epochs_done / self.epochs)
        return min(max(shares), 1.0)
