"""What TensorBoard shows beside the curves: what the network is given, what it draws, how it errs over thresholds."""

from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from nasion.core.results import Located
from nasion.core.views import whole_picture
from nasion.show.overlay import draw_located
from torch import Tensor

from training.data.pairs import Batch

#: Pictures side by side in a grid.
SHOWN = 8


def overlaid(picture: Tensor, heat: Tensor) -> Tensor:
    """Heat map (h, w) in colour over the picture (3, H, W) uint8 RGB; (3, H, W) uint8."""
    bgr = np.ascontiguousarray(picture.permute(1, 2, 0).cpu().numpy()[..., ::-1])
    height, width = bgr.shape[:2]
    values = heat.float().clamp(0, 1).cpu().numpy()
    place = whole_picture(width, height, longest=max(width, height))
    drawn = draw_located(bgr, Located((), None, None), heat=values, geometry=place)
    return torch.from_numpy(np.ascontiguousarray(drawn[..., ::-1])).permute(2, 0, 1)


def grid(pictures: list[Tensor]) -> Tensor:
    """Pictures (3, H, W) side by side in rows of four."""
    rows = [torch.cat(pictures[start : start + 4], dim=2) for start in range(0, len(pictures) - len(pictures) % 4, 4)]
    return torch.cat(rows or [torch.cat(pictures, dim=2)], dim=1)


class Board(L.Callback):
    """Logs, at each judging, the crops just learnt from and the first hold-out pictures, with the drawn heat maps."""

    def __init__(self) -> None:
        self._heights: list[Tensor] = []
        self._positive: list[Tensor] = []

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        del outputs
        if batch_idx == 0:
            self._show(trainer, pl_module, "train", batch)

    def on_validation_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Batch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        del dataloader_idx
        if batch_idx == 0:
            self._show(trainer, pl_module, "hold_out", batch)
        self._heights.append(outputs.flatten().cpu())
        self._positive.append(batch["positive"].cpu())

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        del pl_module
        writer = _writer(trainer)
        if writer is not None and self._heights:
            writer.add_pr_curve(
                "hold_out/precision_recall", torch.cat(self._positive), torch.cat(self._heights), trainer.global_step
            )
        self._heights.clear()
        self._positive.clear()

    @staticmethod
    def _show(trainer: L.Trainer, module: L.LightningModule, kind: str, batch: Batch) -> None:
        writer = _writer(trainer)
        if writer is None:
            return
        pictures = batch["picture"][:SHOWN]
        with torch.inference_mode():
            training = module.training
            heat = module.eval()(pictures)[:, 0]
            module.train(training)
        writer.add_image(f"{kind}/pictures", grid(list(pictures.cpu())), trainer.global_step)
        drawn = [overlaid(picture, one) for picture, one in zip(pictures, heat, strict=True)]
        writer.add_image(f"{kind}/heat_maps", grid(drawn), trainer.global_step)


def _writer(trainer: L.Trainer) -> Any | None:
    """The TensorBoard writer of the process that writes; None in the others, and before a run has begun in earnest."""
    logger = trainer.logger
    return logger.experiment if isinstance(logger, TensorBoardLogger) and trainer.is_global_zero else None
