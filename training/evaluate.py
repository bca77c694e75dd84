"""Judge a model file on labelled pictures: ``python -m training.evaluate MODEL DATA``.

The pictures are judged exactly as `nasion locate` sees them: by the run time's own code, whole, longest side 320 px.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from nasion.locating import PictureLocator
from rich.console import Console
from rich.progress import track
from rich.table import Table

from training.command import run
from training.data.loading import read_bgr
from training.data.table import Picture, Split, of_split, read_table
from training.judging.figures import Answer, judge


def answers_of(model: Path, pictures: Sequence[Picture], *, threads: int = 2) -> list[Answer]:
    """What the ONNX file says of each picture, whatever its probability."""
    locator = PictureLocator(model, threads=threads)
    answers = []
    for picture in track(pictures, "judging", console=Console(stderr=True), transient=True):
        located = locator.find(read_bgr(picture.path), threshold=0.0).located
        place = (located.keypoints[0].u, located.keypoints[0].v) if located.keypoints else None
        answers.append(Answer(picture, located.peak or 0.0, place))
    return answers


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f} %"


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures as tables."""
    whole = Table("figure", "value", title=f"{figures['positives']} positives, {figures['negatives']} negatives")
    for name in ("right_location_free", "recall", "recall_in_place", "specificity", "precision"):
        whole.add_row(name, _percent(figures[name]))
    for name in ("error", "error_human_marked"):
        for part in ("median_eye_distances", "p95_eye_distances"):
            whole.add_row(f"{name} {part}", _percent(figures[name].get(part)))
    console.print(whole)
    sizes = Table("eye distance px", "pictures", "recall", "in place", "median error", title="by size")
    for row in figures["by_eye_distance"]:
        low, high = row["eye_distance_px"]
        shares = (row["recall"], row["recall_in_place"], row["median_eye_distances"])
        sizes.add_row(f"{low:g}–{'' if high is None else f'{high:g}'}", str(row["pictures"]), *map(_percent, shares))
    console.print(sizes)
    sources = Table("source", "pictures", "right", title="by source")
    for source, row in figures["by_source"].items():
        sources.add_row(source, str(row["pictures"]), _percent(row["right"]))
    console.print(sources)


def evaluate(
    model: Annotated[Path, typer.Argument(help="ONNX file.")],
    data: Annotated[Path, typer.Argument(help="Folder with labels.csv, all_faces.csv and images/.")],
    split: Annotated[Split, typer.Option(help="Which pictures.")] = "val",
    threshold: Annotated[float | None, typer.Option(min=0, max=1, help="Default: the model's own.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
) -> None:
    """Print how good the model is, over all, by eye distance and by source."""
    if threshold is None:
        threshold = PictureLocator(model).metadata.threshold
    figures = judge(answers_of(model, of_split(read_table(data), split)), threshold)
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        show(figures, Console())


if __name__ == "__main__":
    run(evaluate)
