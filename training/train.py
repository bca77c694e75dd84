"""Train a network of the family: ``python -m training.train --data FOLDER --out FOLDER``."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import typer

from training.check import require_sound
from training.command import run
from training.data.table import read_table
from training.errors import WorkshopError
from training.fit.presets import PRESETS, Preset
from training.fit.run import Machine, Start, fit
from training.fit.schedule import Budget
from training.network.unet import FAMILY
from training.network.weights import load_weights

Known = TypeVar("Known")

DataFolder = Annotated[Path, typer.Option("--data", help="Folder with labels.csv, all_faces.csv and images/.")]
OutFolder = Annotated[Path, typer.Option("--out", help="Folder for checkpoints, TensorBoard files and run.json.")]
Minutes = Annotated[float | None, typer.Option(min=0, help="Wall-clock budget; replaces the preset's epochs.")]
Epochs = Annotated[int | None, typer.Option(min=1, help="Epochs; replaces the preset's minutes.")]
Rate = Annotated[float | None, typer.Option("--learning-rate", min=0, help="Peak learning rate; default: the preset's")]
Pairs = Annotated[int | None, typer.Option(min=1, help="Positive-negative pairs in a batch; default: the preset's.")]
EpochPairs = Annotated[int | None, typer.Option("--epoch-pairs", min=1, help="Pairs between checkpoints.")]
Workers = Annotated[int, typer.Option(min=0, help="Processes that prepare crops.")]
Devices = Annotated[int | None, typer.Option(min=1, help="Processes (CPU) or GPUs on this machine. Default: 1.")]
Nodes = Annotated[int, typer.Option(min=1, help="Machines; Lightning's documentation says how they find each other.")]
Precision = Annotated[
    Literal["auto", "32-true", "bf16-mixed", "16-mixed"],
    typer.Option(help="auto: bf16; on older GPUs fp16, on older CPUs float."),
]
Seed = Annotated[int, typer.Option(help="Seed of weights and crops.")]
SkipCheck = Annotated[
    bool, typer.Option("--skip-check", help="Do not look at all pictures first; see python -m training check.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on from out/last.ckpt, learning rate included.")]


def overridden(
    preset: Preset,
    minutes: float | None,
    epochs: int | None,
    learning_rate: float | None,
    pairs: int | None,
    epoch_pairs: int | None,
) -> Preset:
    """``preset`` with what the command line says otherwise."""
    if minutes is not None or epochs is not None:
        preset = replace(preset, budget=Budget(minutes, epochs))
    if learning_rate is not None:
        preset = replace(preset, schedule=replace(preset.schedule, learning_rate=learning_rate))
    return replace(preset, pairs=pairs or preset.pairs, pairs_per_epoch=epoch_pairs or preset.pairs_per_epoch)


def _presets(wanted: bool) -> None:
    if wanted:
        for name, preset in PRESETS.items():
            typer.echo(f"{name:6} {preset.about}")
        raise typer.Exit


def _chosen(kind: str, name: str, known: Mapping[str, Known]) -> Known:
    """What is called ``name`` among the ``known``; WorkshopError names them all."""
    if name not in known:
        raise WorkshopError(f"{kind} {name} is not known; there are {', '.join(known)}")
    return known[name]


def train(
    data: DataFolder,
    out: OutFolder,
    preset: Annotated[str, typer.Option(help=f"Recipe of the run: {', '.join(PRESETS)}.")] = "lite",
    network: Annotated[str | None, typer.Option(help=f"Another member of the family: {', '.join(FAMILY)}.")] = None,
    width: Annotated[int | None, typer.Option(min=1, help="Channels of the first level.")] = None,
    minutes: Minutes = None,
    epochs: Epochs = None,
    learning_rate: Rate = None,
    pairs: Pairs = None,
    epoch_pairs: EpochPairs = None,
    hard_cells: Annotated[float | None, typer.Option(min=0, help="Weight of each crop's worst cells; 0: none.")] = None,
    average: Annotated[float | None, typer.Option(help="Decay of the averaged weights; 0: none.")] = None,
    start: Annotated[
        Path | None, typer.Option(help="Checkpoint or float ONNX file whose weights to begin with; default: random.")
    ] = None,
    teacher: Annotated[Path | None, typer.Option(help="Checkpoint or ONNX file to learn from as well.")] = None,
    distil: Annotated[float, typer.Option(min=0, help="Weight of the teacher's heat map.")] = 1.0,
    restart_rate: Annotated[
        bool, typer.Option("--restart-rate", help="Resume at the full learning rate: the original's mistake.")
    ] = False,
    workers: Workers = 2,
    devices: Devices = None,
    nodes: Nodes = 1,
    precision: Precision = "auto",
    seed: Seed = 1,
    resume: Resume = False,
    skip_check: SkipCheck = False,
    list_presets: Annotated[
        bool, typer.Option("--presets", callback=_presets, is_eager=True, help="List the presets and end.")
    ] = False,
) -> None:
    """Train until the budget is used.

    out/best.ckpt is the network most right on the held-out tenth of the training pictures, out/last.ckpt the newest;
    both hold the averaged weights. `--resume` goes on from the newest. Look on with `tensorboard --logdir OUT`.
    """
    del list_presets
    recipe = overridden(_chosen("preset", preset, PRESETS), minutes, epochs, learning_rate, pairs, epoch_pairs)
    if network is not None:
        recipe = replace(recipe, network=_chosen("network", network, FAMILY))
    if width is not None:
        recipe = replace(recipe, network=replace(recipe.network, width=width))
    if hard_cells is not None:
        recipe = replace(recipe, loss=replace(recipe.loss, hard_cells=hard_cells))
    if average is not None:
        recipe = replace(recipe, average=average or None)
    recipe = replace(recipe, loss=replace(recipe.loss, distil=distil))
    pictures = read_table(data)
    taught = load_weights(teacher, pictures) if teacher is not None else None
    begun = load_weights(start, pictures) if start is not None else None
    if begun is not None and begun.config != recipe.network:
        raise WorkshopError(f"--start {start}: holds another network ({begun.config}) than the run ({recipe.network})")
    # Other processes of the same run are started by the first one, which has looked.
    if not (skip_check or resume or "LOCAL_RANK" in os.environ):
        require_sound(data, pictures)
    machine = Machine(workers, devices, nodes, precision)
    files = tuple(path for path in (start, teacher) if path is not None)
    begin = Start(resume=resume, weights=begun, teacher=taught, restart_rate=restart_rate, files=files)
    best = fit(recipe, pictures, out, seed, machine, begin)
    typer.echo(f"{best}: export it with python -m export {best} --data {data} --out weights/NAME.onnx")


if __name__ == "__main__":
    run(train)
