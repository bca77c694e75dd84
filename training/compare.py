"""Two models on the same pictures, each at its own threshold: ``python -m training.compare A B DATA``.

Figures side by side, how far their keypoints lie apart, the pictures where exactly one is right, and whether that is
more than chance. ONNX files and checkpoints may be mixed.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from training.command import run
from training.data.pixels import read_bgr
from training.data.table import Picture, Split, read_table
from training.judging.comparison import WAYS, comparison_page
from training.judging.figures import judge
from training.judging.files import check_report_path, write_report
from training.judging.opened import OpenModel, data_digest, open_model, pictures_of, threshold_of
from training.judging.pairs import Judged, differences, discordant, keypoint_shift
from training.judging.report import PER_SHEET
from training.judging.sheets import Thumbnail, marked_jpeg, verdict
from training.judging.summary import Subject
from training.judging.terminal import show_comparison


def _judged(model: OpenModel, table: Sequence[Picture], split: Split, data: Path) -> tuple[Judged, dict[str, Any]]:
    """The answers, and what the report says of the model."""
    threshold, origin = threshold_of(model, table)
    answers = model.answers(pictures_of(table, split, data))
    subject = Subject(model.name, model.digest, threshold, origin, data_digest(data), split, model.locator.looks)
    return Judged(answers, threshold), {**subject.facts(len(answers)), "figures": judge(answers, threshold)}


def _compared(a: Judged, b: Judged, about_a: dict[str, Any], about_b: dict[str, Any]) -> dict[str, Any]:
    parts = ("model", "figures")
    return {
        "data": about_a["data"],
        "a": {part: about_a[part] for part in parts},
        "b": {part: about_b[part] for part in parts},
        "difference": differences(about_a["figures"], about_b["figures"]),
        "keypoint_shift": keypoint_shift(a, b),
        "pairs": {way: discordant(a, b, in_place=way == "in_place") for way in WAYS},
    }


def _thumbnails(names: Sequence[str], a: Judged, b: Judged) -> list[Thumbnail]:
    """The named pictures with A's place, then B's, whatever their probability."""
    places = {x.picture.path.name: (x, y) for x, y in zip(a.answers, b.answers, strict=True)}
    made = []
    for name in names[:PER_SHEET]:
        x, y = places[name]
        jpeg = marked_jpeg(read_bgr(x.picture.path), x, [x.place, y.place])
        lines = (f"{who}: {', '.join(verdict(answer))}" for who, answer in (("A", x), ("B", y)))
        made.append(Thumbnail(jpeg, (name, *lines)))
    return made


def compare(
    a: Annotated[Path, typer.Argument(help="ONNX file or checkpoint (.ckpt).")],
    b: Annotated[Path, typer.Argument(help="The other one.")],
    data: Annotated[Path, typer.Argument(help="Folder with labels.csv, all_faces.csv and images/.")],
    split: Annotated[Split, typer.Option(help="Which pictures.")] = "val",
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as one JSON object.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write a page (.html) with pictures, and the comparison as .json beside it.")
    ] = None,
) -> None:
    """Print two models' figures side by side, their differences, and whether those are more than chance."""
    check_report_path(report)
    table = read_table(data)
    # Both are opened first: that the second is no model is told before the first is judged.
    with open_model(a) as model_a, open_model(b) as model_b:
        first, about_first = _judged(model_a, table, split, data)
        second, about_second = _judged(model_b, table, split, data)
    comparison = _compared(first, second, about_first, about_second)
    if report is not None:
        only = [comparison["pairs"]["in_place"][f"only_{name}_right"] for name in ("a", "b")]
        write_report(
            report, comparison_page(comparison, *(_thumbnails(names, first, second) for names in only)), comparison
        )
    if as_json:
        typer.echo(json.dumps(comparison))
        return
    show_comparison(comparison, Console())
    if report is not None:
        typer.echo(f"{report}: the report; {report.with_suffix('.json')}: the same as JSON")


if __name__ == "__main__":
    run(compare)
