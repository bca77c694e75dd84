"""The INT8 twin of a released float file: ``python -m export.int8 MODEL --data FOLDER --out FILE``."""

from pathlib import Path
from typing import Annotated

import typer
from nasion.locating import PictureLocator

from export.outputs import Force, require_outputs, written_together
from export.quantise import Activations
from export.release import DEFAULT_SPECIFICITY, Specificity, release_int8
from training.command import run
from training.data.table import of_split, read_table
from training.judging.opened import answers_of
from training.judging.pairs import Judged


def int8(
    model: Annotated[Path, typer.Argument(help="Float ONNX file of `python -m export`.")],
    data: Annotated[Path, typer.Option(help="Folder with labels.csv, all_faces.csv and images/.")],
    out: Annotated[Path, typer.Option(help="The INT8 file to write.")],
    activations: Annotated[
        Activations, typer.Option(help="uint8 for processors, int8 (symmetric) for TensorRT.")
    ] = "uint8",
    specificity: Specificity = DEFAULT_SPECIFICITY,
    force: Force = False,
) -> None:
    """Quantise on training pictures, judge on the validation pictures; refuse what loses too much."""
    require_outputs([out], reads=[model], force=force)
    threshold, pictures = PictureLocator(model).threshold, read_table(data)
    expected = Judged(answers_of(model, of_split(pictures, "val")), threshold)
    with written_together([out]) as stage:
        result = release_int8(model, expected, pictures, specificity, stage / out.name, activations)
    typer.echo(f"{out}: loses {100 * result.lost:.2f} points, {result.moves}")


if __name__ == "__main__":
    run(int8)
