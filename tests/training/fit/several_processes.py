"""A run of a few steps on fixed pairs in as many processes as asked: PROCESSES PAIRS_PER_PROCESS OUT.json.

Writes the loss of each step, averaged over the processes. Lightning's DDP starts this program again for each process.
"""

import json
import sys
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch.utils.data import DataLoader, Dataset, DistributedSampler

from training.data.pairs import Batch, flatten
from training.fit.module import HeatMapRegression
from training.fit.schedule import Budget, ScheduleConfig
from training.network.unet import UNetConfig


class FixedPairs(Dataset[Batch]):
    """Sixteen pairs, the same in every process."""

    def __len__(self) -> int:
        return 16

    def __getitem__(self, index: int) -> Batch:
        noise = torch.Generator().manual_seed(index)
        target = torch.zeros(2, 1, 16, 16)
        target[0, 0, 4 + index % 8, 5] = 1.0
        return {
            "picture": torch.randint(0, 256, (2, 3, 64, 64), generator=noise, dtype=torch.uint8),
            "target": target,
            "weight": torch.ones_like(target),
            "positive": torch.tensor([True, False]),
        }


class InOrder(L.LightningDataModule):
    """The pairs in order: of each step's pairs every process gets every so-manieth."""

    def __init__(self, pairs: int) -> None:
        super().__init__()
        self.pairs = pairs

    def train_dataloader(self) -> DataLoader[Batch]:
        assert self.trainer is not None
        share: DistributedSampler[Batch] = DistributedSampler(
            FixedPairs(), self.trainer.world_size, self.trainer.global_rank, shuffle=False
        )
        return DataLoader(FixedPairs(), batch_size=self.pairs, sampler=share, collate_fn=flatten)


class Losses(L.Callback):
    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Batch, batch_idx: int
    ) -> None:
        del batch, batch_idx
        gathered = pl_module.all_gather(outputs["loss"].detach())
        assert isinstance(gathered, torch.Tensor)
        if trainer.is_global_zero:
            self.losses.append(float(gathered.float().mean()))


if __name__ == "__main__":
    processes, pairs, out = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    torch.set_num_threads(1)
    L.seed_everything(1, verbose=False)
    module = HeatMapRegression(UNetConfig(4, norm="instance"), ScheduleConfig(1e-3), [], budget=Budget(epochs=2))
    losses = Losses()
    trainer = L.Trainer(
        accelerator="cpu",
        devices=processes,
        strategy="ddp" if processes > 1 else "auto",
        max_epochs=2,
        use_distributed_sampler=False,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[losses],
    )
    trainer.fit(module, InOrder(pairs))
    if trainer.is_global_zero:
        out.write_text(json.dumps(losses.losses))
