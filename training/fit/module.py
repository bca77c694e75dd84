"""One training step, one judging step, and a learning rate that follows the run's progress."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torchmetrics import MeanMetric, MetricCollection
from torchmetrics.classification import BinaryAccuracy, BinaryAUROC, BinarySpecificity

from training.data.loading import Batch
from training.data.table import Picture
from training.judging.figures import in_place_tolerance
from training.network.unet import UNet, UNetConfig


@dataclass(frozen=True)
class ScheduleConfig:
    """Warm-up, then half a cosine down to ``final`` of the learning rate."""

    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    warm_up: float = 0.02
    final: float = 0.005

    def factor(self, progress: float) -> float:
        """Learning-rate factor at ``progress`` of the run, 0..1."""
        if progress < self.warm_up:
            return max(progress / self.warm_up, 1e-2)
        done = min((progress - self.warm_up) / (1 - self.warm_up), 1.0)
        return self.final + (1 - self.final) * 0.5 * (1 + math.cos(math.pi * done))


class HeatMapRegression(L.LightningModule):
    """Weighted MSE of the heat map on positives plus the same on negatives.

    The run ends after ``budget_s`` seconds of training; the learning rate follows the share of the budget used,
    which checkpoints carry, so that a resumed run goes on where it was. ``clock`` is in seconds.
    """

    def __init__(
        self,
        network: UNetConfig,
        schedule: ScheduleConfig,
        hold_out: Sequence[Picture],
        *,
        budget_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.save_hyperparameters("network", "schedule", "budget_s")
        self.network = UNet(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.schedule, self.hold_out = schedule, hold_out
        self.budget_s, self.clock = budget_s, clock
        self.spent_s = 0.0
        self._tick: float | None = None
        self.in_place = MeanMetric()
        threshold = 0.5
        self.metrics = MetricCollection(
            {
                "accuracy": BinaryAccuracy(threshold),
                "specificity": BinarySpecificity(threshold),
                "auroc": BinaryAUROC(),
            },
            prefix="hold_out/",
        )

    @property
    def progress(self) -> float:
        """Share of the budget used, 0..1."""
        return min(self.spent_s / self.budget_s, 1.0)

    def forward(self, picture: Tensor) -> Tensor:
        picture = picture.float().contiguous(memory_format=torch.channels_last)
        heat: Tensor = self.network(picture)
        return heat

    def training_step(self, batch: Batch, _index: int) -> Tensor:
        now = self.clock()
        if self._tick is not None:
            # A pause (judging, a checkpoint, a sleeping laptop) is not training.
            self.spent_s += min(now - self._tick, 5.0)
        self._tick = now
        error = (self(batch["picture"]).float() - batch["target"]) ** 2 * batch["weight"]
        positive = batch["positive"]
        losses = {
            "train/positive": error[positive].mean(),
            "train/negative": error[~positive].mean(),
        }
        total = torch.stack(tuple(losses.values())).sum()
        self.log_dict(losses)
        self.log("train/loss", total, prog_bar=True)
        self.log("progress", self.progress, prog_bar=True)
        if self.progress >= 1.0:
            self.trainer.should_stop = True
        return total

    def validation_step(self, batch: Batch, _index: int) -> None:
        heat = self(batch["picture"]).float().clamp(0, 1)
        scores, cells = heat.flatten(1).max(1)
        self.metrics.update(scores, batch["positive"].int())
        stride, width = self.network.config.head_stride, heat.shape[-1]
        for picture_index, score, cell in zip(batch["index"].tolist(), scores.tolist(), cells.tolist(), strict=True):
            faces = self.hold_out[picture_index].faces
            if faces:
                u = (cell % width + 0.5) * stride - 0.5
                v = (cell // width + 0.5) * stride - 0.5
                near = any(math.hypot(u - f.u, v - f.v) <= in_place_tolerance(f.interocular_px) for f in faces)
                self.in_place.update(float(near and score >= 0.5))

    def on_validation_epoch_end(self) -> None:
        self.log_dict(self.metrics.compute(), prog_bar=True)
        self.log("hold_out/recall_in_place", self.in_place.compute(), prog_bar=True)
        self.metrics.reset()
        self.in_place.reset()
        self._tick = None

    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = torch.optim.AdamW(
            self.network.parameters(),
            lr=self.schedule.learning_rate,
            weight_decay=self.schedule.weight_decay,
        )
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _step: self.schedule.factor(self.progress))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["spent_s"] = self.spent_s

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.spent_s = checkpoint["spent_s"]
