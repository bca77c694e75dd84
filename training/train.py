"""Train a network of the family: ``python -m training.train --data FOLDER --out FOLDER --minutes 75``."""

from pathlib import Path
from typing import Annotated

import lightning as L
import torch
import typer
from lightning.pytorch.callbacks import (
    EMAWeightAveraging,
    LearningRateMonitor,
    ModelCheckpoint,
)
from lightning.pytorch.loggers import TensorBoardLogger

from training.command import run
from training.data.augment import CropRange
from training.data.loading import Phase, Pictures, phase_at
from training.data.table import of_split, read_table
from training.data.target import TargetConfig
from training.errors import WorkshopError
from training.fit.module import HeatMapRegression, ScheduleConfig
from training.network.unet import UNetConfig

#: Small crops show more faces a minute, large ones more of what surrounds them. Heavy peaks make the network draw them
#: early; lighter ones at the end bring the heights down to how often a peak is right, and count false ones in full.
#: At last, many of the people are far away: their few pixels need the most practice.
PHASES = (
    Phase(until=0.53, crop=160, target=TargetConfig(peak_weight=9.0), reach=CropRange()),
    Phase(until=0.85, crop=256, target=TargetConfig(peak_weight=3.0), reach=CropRange()),
    Phase(until=1.0, crop=224, target=TargetConfig(peak_weight=3.0), reach=CropRange(far=0.15)),
)


def train(
    data: Annotated[Path, typer.Option(help="Folder with labels.csv, all_faces.csv and images/.")],
    out: Annotated[Path, typer.Option(help="Folder for checkpoints and TensorBoard logs.")],
    minutes: Annotated[float, typer.Option(help="Wall-clock budget of training.")] = 75.0,
    width: Annotated[int, typer.Option(help="Channels of the first level.")] = 16,
    pairs: Annotated[int, typer.Option(help="Positive-negative pairs in a batch.")] = 16,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 2e-3,
    epoch: Annotated[int, typer.Option(help="Batches between checkpoints.")] = 400,
    workers: Annotated[int, typer.Option(help="Processes that prepare crops.")] = 2,
    seed: Annotated[int, typer.Option(help="Seed of weights and crops.")] = 1,
    resume: Annotated[bool, typer.Option(help="Go on from out/last.ckpt.")] = False,
) -> None:
    """Train until the budget is used; out/last.ckpt holds the averaged weights, `--resume` continues it."""
    pictures = read_table(data)
    checkpoint = out / "last.ckpt"
    if resume and not checkpoint.exists():
        raise WorkshopError(f"--resume needs {checkpoint}, which is not there")
    L.seed_everything(seed, workers=True)
    torch.set_float32_matmul_precision("high")
    network, hold_out = UNetConfig(width=width), of_split(pictures, "hold_out")
    module = HeatMapRegression(
        network,
        ScheduleConfig(learning_rate=learning_rate),
        hold_out,
        budget_s=60 * minutes,
    )
    datamodule = Pictures(
        of_split(pictures, "train"),
        hold_out,
        stride=network.head_stride,
        phase=lambda: phase_at(PHASES, module.progress),
        pairs_per_batch=pairs,
        batches_per_epoch=epoch,
        workers=workers,
    )
    trainer = L.Trainer(
        accelerator="auto",
        precision="bf16-mixed",
        max_epochs=-1,
        reload_dataloaders_every_n_epochs=1,
        check_val_every_n_epoch=4,
        num_sanity_val_steps=0,
        gradient_clip_val=1.0,
        callbacks=[
            EMAWeightAveraging(decay=0.998),
            ModelCheckpoint(
                dirpath=out,
                filename=checkpoint.stem,
                enable_version_counter=False,
                every_n_epochs=1,
                save_on_train_epoch_end=True,
            ),
            LearningRateMonitor(),
        ],
        logger=TensorBoardLogger(out, name="", version=""),
    )
    trainer.fit(module, datamodule, ckpt_path=checkpoint if resume else None, weights_only=False)


if __name__ == "__main__":
    run(train)
