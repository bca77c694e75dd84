"""The INT8 twin of a released float file: ``python -m export.int8 MODEL --data FOLDER --out FILE``."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from nasion.locating import PictureLocator

from export.release import release_int8
from training.command import run
from training.data.table import read_table


def int8(
    model: Annotated[Path, typer.Argument(help="Float ONNX file of `python -m export`.")],
    data: Annotated[Path, typer.Option(help="Folder with labels.csv, all_faces.csv and images/.")],
    out: Annotated[Path, typer.Option(help="The INT8 file to write.")],
    activations: Annotated[
        Literal["uint8", "int8"], typer.Option(help="uint8 for processors, int8 (symmetric) for TensorRT.")
    ] = "uint8",
) -> None:
    """Quantise on training pictures, judge on the validation pictures; refuse what loses too much."""
    threshold = PictureLocator(model).metadata.threshold
    result = release_int8(model, threshold, read_table(data), out, activations)
    typer.echo(f"{out}: loses {100 * result.lost:.2f} points, moves peaks by {result.shift_px:.3f} px in the middle")


if __name__ == "__main__":
    run(int8)
