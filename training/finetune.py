"""Go on from released weights on your own pictures: ``python -m training.finetune WEIGHTS --data DATA --out RUN``."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from training.check import require_sound
from training.command import run
from training.data.table import read_table
from training.fit.presets import PRESETS
from training.fit.run import Machine, Start, fit
from training.network.weights import load_weights
from training.train import (
    DataFolder,
    EpochPairs,
    Epochs,
    Minutes,
    OutFolder,
    Pairs,
    Precision,
    Rate,
    Resume,
    Seed,
    SkipCheck,
    Workers,
    overridden,
)

#: Released weights know most already; a tenth of the usual rate keeps it.
GENTLE = 0.1


def finetune(
    weights: Annotated[Path, typer.Argument(help="A released float ONNX file, or a checkpoint.")],
    data: DataFolder,
    out: OutFolder,
    freeze_encoder: Annotated[
        bool, typer.Option("--freeze-encoder", help="Leave stem and way down as they are: for few pictures.")
    ] = False,
    minutes: Minutes = None,
    epochs: Epochs = None,
    learning_rate: Rate = None,
    pairs: Pairs = None,
    epoch_pairs: EpochPairs = None,
    workers: Workers = 2,
    precision: Precision = "auto",
    seed: Seed = 1,
    resume: Resume = False,
    skip_check: SkipCheck = False,
) -> None:
    """Teach a finished network your own pictures, at a tenth of the learning rate it was made with.

    Mix in pictures without people as they look where the robot works: they teach it what is nobody.
    """
    pictures = read_table(data)
    network = load_weights(weights, pictures)
    if not (skip_check or resume):
        require_sound(data, pictures)
    gentle = replace(PRESETS["lite"], network=network.config)
    gentle = replace(gentle, schedule=replace(gentle.schedule, learning_rate=GENTLE * gentle.schedule.learning_rate))
    gentle = replace(gentle, phases=gentle.phases[-1:], pairs_per_epoch=None)
    if minutes is None and epochs is None:
        epochs = 10
    recipe = overridden(gentle, minutes, epochs, learning_rate, pairs, epoch_pairs)
    start = Start(resume=resume, weights=network, freeze_encoder=freeze_encoder, files=(weights,))
    best = fit(recipe, pictures, out, seed, Machine(workers, precision=precision), start)
    typer.echo(f"{best}: export it with python -m export {best} --data {data} --out NAME.onnx")


if __name__ == "__main__":
    run(finetune)
