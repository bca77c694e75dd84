"""One training step, one judging step, and a learning rate that follows the run's progress."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torchmetrics.classification import BinaryAccuracy, BinaryAUROC

from training.data.pairs import Batch
from training.data.table import Picture
from training.fit.hold_out import BestRight, in_place, peaks
from training.fit.loss import LossConfig, losses, squared_errors
from training.fit.schedule import Budget, ScheduleConfig
from training.network.unet import UNet, UNetConfig

#: The longest time between two steps that counts as training, seconds: a pause (judging, a checkpoint, a laptop that
#: sleeps) does not use up the budget.
LONGEST_STEP_S = 30.0


class HeatMapRegression(L.LightningModule):
    """Regression of the heat map, learning from pairs, judged on whole pictures of ``hold_out``.

    The learning rate follows the share of ``budget`` that is done. Checkpoints carry that share, so a resumed run goes
    on where it was; with ``restart_rate`` it starts at the full rate again: the original's mistake, kept for
    comparison. ``sigma_px`` is that of the targets, for who judges and exports the network. ``teacher``: a network to
    learn from as well, see `LossConfig.distil`. ``clock`` is in seconds.
    """

    def __init__(
        self,
        network: UNetConfig,
        schedule: ScheduleConfig,
        hold_out: Sequence[Picture],
        *,
        budget: Budget,
        loss: LossConfig | None = None,
        sigma_px: float = UNet.sigma_px,
        threshold: float = 0.5,
        restart_rate: bool = False,
        teacher: UNet | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        loss = loss or LossConfig()
        self.save_hyperparameters("network", "schedule", "budget", "loss", "sigma_px", "threshold", "restart_rate")
        self.network = UNet(network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.network.sigma_px = sigma_px
        self.schedule, self.budget, self.loss, self.hold_out = schedule, budget, loss, hold_out
        self.restart_rate, self.clock = restart_rate, clock
        # Not a sub-module: its weights belong in no checkpoint of this run.
        self._teacher = [teacher.eval().requires_grad_(False)] if teacher else []
        self.spent_s = 0.0
        self._tick: float | None = None
        #: Where the rate starts anew, with ``restart_rate``: share of the run, and epoch.
        self._rate_from, self._rate_from_epoch = 0.0, 0
        self.accuracy = BinaryAccuracy(threshold)
        self.auroc = BinaryAUROC()
        self.best = BestRight()

    @property
    def progress(self) -> float:
        """Share of the budget used, 0..1; the same in all processes of a run."""
        done = 0.0
        if self._trainer is not None and self.trainer.num_training_batches not in (0, float("inf")):
            batch = self.trainer.fit_loop.epoch_loop.batch_progress.current.completed
            done = self.current_epoch + min(batch / self.trainer.num_training_batches, 1.0)
        return self.budget.progress(self.spent_s, done)

    def forward(self, picture: Tensor) -> Tensor:
        picture = picture.float().contiguous(memory_format=torch.channels_last)
        heat: Tensor = self.network(picture)
        return heat

    def _count_time(self) -> None:
        """Add the time since the last step; in a run of several processes the first one's clock counts for all."""
        now = self.clock()
        if self._tick is not None:
            self.spent_s += min(now - self._tick, LONGEST_STEP_S)
        self._tick = now
        if self.trainer.world_size > 1:
            self.spent_s = float(self.trainer.strategy.broadcast(self.spent_s))

    def _step(self, batch: Batch, kind: str) -> tuple[Tensor, Tensor]:
        """Heat maps and total loss; both kinds' losses are logged under ``kind``."""
        heat = self(batch["picture"]).float()
        errors = squared_errors(heat, batch["target"], batch["weight"])
        for teacher in self._teacher if kind == "train" else ():
            with torch.no_grad():
                taught = teacher.to(heat.device)(batch["picture"].float()).float().clamp(0, 1)
            errors = errors + self.loss.distil * squared_errors(heat, taught, (batch["weight"] > 0).float())
        parts = losses(errors, batch["positive"], self.network.config.head_stride, self.loss)
        for name, value in parts.items():
            self.log(
                f"{kind}/{name}",
                value,
                prog_bar=name == "loss" and kind == "train",
                batch_size=len(heat),
                sync_dist=kind != "train",
            )
        return heat, parts["loss"]

    def training_step(self, batch: Batch, _index: int) -> Tensor:
        self._count_time()
        heat, loss = self._step(batch, "train")
        heights = heat.detach().flatten(1).amax(1).clamp(0, 1)
        self.log("train/accuracy", self.accuracy(heights, batch["positive"].int()), batch_size=len(heat))
        self.log("progress", self.progress, prog_bar=True)
        if self.progress >= 1.0:
            self.trainer.should_stop = True
        return loss

    def validation_step(self, batch: Batch, _index: int) -> Tensor:
        """Heights of the highest cells (N,), for whoever draws curves of them; of the map as it is released."""
        heat, _ = self._step(batch, "hold_out")
        heat = self.network.smoothed(heat)
        heights, places = peaks(heat.clamp(0, 1), self.network.config.head_stride)
        right = [
            in_place(self.hold_out[index], height, place)
            for index, height, place in zip(batch["index"].tolist(), heights.tolist(), places.tolist(), strict=True)
        ]
        positive = batch["positive"]
        self.best.update(heights, positive, torch.tensor(right, device=positive.device))
        self.auroc.update(heights, positive.int())
        return heights

    def on_validation_epoch_end(self) -> None:
        for name, value in self.best.compute().items():
            self.log(f"hold_out/{name}", value, prog_bar=True)
        self.log("hold_out/auroc", self.auroc.compute())
        self.best.reset()
        self.auroc.reset()
        self._tick = self.clock()

    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = torch.optim.AdamW(
            [p for p in self.network.parameters() if p.requires_grad],
            lr=self.schedule.learning_rate,
            weight_decay=self.schedule.weight_decay,
        )
        scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, self._rate_factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "interval": "step"}}

    def _rate_factor(self, _step: int) -> float:
        epoch = self.current_epoch if self._trainer is not None else 0
        progress = (self.progress - self._rate_from) / max(1 - self._rate_from, 1e-9)
        return self.schedule.factor(progress, epoch - self._rate_from_epoch)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["spent_s"] = self.spent_s

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.spent_s = checkpoint["spent_s"]
        if self.restart_rate:
            # A checkpoint is written at the end of the epoch it names.
            self._rate_from_epoch = checkpoint["epoch"] + 1
            self._rate_from = self.budget.progress(self.spent_s, checkpoint["epoch"] + 1)
