"""A whole run: loaders, module, Lightning's loop, checkpoints, and the summary of what it cost and reached."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, EMAWeightAveraging, LearningRateMonitor
from lightning.pytorch.loggers import TensorBoardLogger

from training.data.loading import Pictures, phase_at
from training.data.table import Picture, of_split
from training.errors import WorkshopError
from training.fit.board import Board
from training.fit.energy import EnergyEstimate
from training.fit.module import HeatMapRegression
from training.fit.origin import origin_of_run, read_origin, write_origin
from training.fit.presets import Preset
from training.fit.saving import SafeCheckpointIO, checkpoints
from training.network.checkpoint import load_network
from training.network.unet import UNet

#: What CPUs that compute in bf16 call that (x86, x86 with matrix units, ARM).
_BF16_OF_CPUS = ("avx512_bf16", "amx_bf16", "bf16")


@dataclass(frozen=True)
class Machine:
    """Where a run computes."""

    workers: int = 2
    devices: int | None = None
    nodes: int = 1
    precision: str = "auto"

    def trainer_options(self) -> dict[str, Any]:
        """Lightning's arguments; several processes or machines talk by its DDP (gloo on CPUs, NCCL on GPUs)."""
        gpu = torch.cuda.is_available()
        precision = _quickest(gpu) if self.precision == "auto" else self.precision
        several = (self.devices or 1) * self.nodes > 1
        return {
            "accelerator": "gpu" if gpu else "cpu",
            "devices": self.devices or 1,
            "num_nodes": self.nodes,
            "precision": precision,
            "strategy": "ddp" if several else "auto",
        }


def _quickest(gpu: bool) -> str:
    """The quickest precision that this machine computes in, as Lightning names it."""
    if gpu:
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
    # Elsewhere a convolution in bf16 is emulated, and takes six times as long as in float32 (measured with AVX2).
    able = torch.cpu.get_capabilities()
    return "bf16-mixed" if any(able.get(name) for name in _BF16_OF_CPUS) else "32-true"


@dataclass(frozen=True)
class Start:
    """What a run begins with, if not with random weights and alone."""

    resume: bool = False
    weights: UNet | None = None
    freeze_encoder: bool = False
    teacher: UNet | None = None
    restart_rate: bool = False
    #: Where ``weights`` and ``teacher`` come from.
    files: tuple[Path, ...] = ()


def fit(preset: Preset, pictures: Sequence[Picture], out: Path, seed: int, machine: Machine, start: Start) -> Path:
    """Train and return the checkpoint of the best hold-out result.

    ``out`` receives last.ckpt, best.ckpt, TensorBoard's files and run.json. WorkshopError: nothing to resume, a run
    that is there and not resumed, a checkpoint of another network, no pictures of a kind, a full disk.
    """
    last = out / "last.ckpt"
    held = [name for name in ("best.ckpt", "last.ckpt", "run.json") if (out / name).exists()]
    if held and not start.resume:
        raise WorkshopError(f"{out} holds a run already ({held[0]}); go on with it by --resume, or name another --out")
    if start.resume and not last.exists():
        raise WorkshopError(f"--resume needs {last}, which is not there")
    hold_out = of_split(pictures, "hold_out")
    if not hold_out:
        raise WorkshopError("no picture is held out to choose checkpoints by; the table has too few groups (about 10)")
    L.seed_everything(seed, workers=True, verbose=False)
    torch.set_float32_matmul_precision("high")
    module = HeatMapRegression(
        preset.network,
        preset.schedule,
        hold_out,
        budget=preset.budget,
        loss=preset.loss,
        sigma_px=preset.phases[-1].crops.target.sigma_px,
        threshold=preset.threshold,
        restart_rate=start.restart_rate,
        teacher=start.teacher,
    )
    if start.weights is not None:
        module.network.load_state_dict(start.weights.state_dict())
    if start.freeze_encoder:
        module.network.freeze_encoder()
    # Before the first step: whatever comes of the run, what it was made of is known.
    write_origin(out, origin_of_run(pictures, start.files).after(read_origin(out) if start.resume else None))
    loaders = Pictures(
        of_split(pictures, "train"),
        hold_out,
        stride=preset.network.head_stride,
        phase=lambda: phase_at(preset.phases, module.progress),
        sampling=preset.sampling,
        pairs_per_batch=preset.pairs,
        pairs_per_epoch=preset.pairs_per_epoch,
        workers=machine.workers,
    )
    averaging: list[Callback] = [EMAWeightAveraging(decay=preset.average)] if preset.average is not None else []
    trainer = L.Trainer(
        max_epochs=preset.budget.epochs or -1,
        reload_dataloaders_every_n_epochs=1,
        check_val_every_n_epoch=preset.epochs_between_judgements,
        num_sanity_val_steps=0,
        gradient_clip_val=1.0,
        log_every_n_steps=10,
        callbacks=[*averaging, *checkpoints(out), LearningRateMonitor(), Board()],
        plugins=[SafeCheckpointIO()],
        logger=TensorBoardLogger(out, name="", version="", default_hp_metric=False),
        **machine.trainer_options(),
    )
    trainer.fit(module, loaders, ckpt_path=_matching(last, preset) if start.resume else None, weights_only=False)
    best = out / "best.ckpt"
    if trainer.is_global_zero:
        _summarise(out, preset, seed, module, trainer)
    return best if best.exists() else last


def _matching(path: Path, preset: Preset) -> Path:
    """``path``, once it is known to hold the preset's network."""
    found = load_network(path).config
    if found != preset.network:
        raise WorkshopError(
            f"{path}: holds another network ({found}) than the run's ({preset.network}); "
            "resume with the options it was begun with"
        )
    return path


def _summarise(out: Path, preset: Preset, seed: int, module: HeatMapRegression, trainer: L.Trainer) -> None:
    gpus = trainer.world_size if torch.cuda.is_available() else 0
    energy = EnergyEstimate(module.spent_s, cores=os.cpu_count() or 1, gpus=gpus)
    figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
    summary = {
        "preset": preset.about,
        "network": asdict(preset.network),
        "seed": seed,
        "steps": trainer.global_step,
        "epochs": trainer.current_epoch,
        "pairs": trainer.global_step * preset.pairs * trainer.world_size,
        "minutes": module.spent_s / 60,
        "figures": figures,
        "energy": energy.as_dict(),
    }
    (out / "run.json").write_text(json.dumps(summary, indent=2) + "\n")
    print(f"{out}: {trainer.global_step} steps in {module.spent_s / 60:.1f} min; {energy}")
