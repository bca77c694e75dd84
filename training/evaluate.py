"""Judge a model on labelled pictures: ``python -m training.evaluate MODEL DATA``.

The pictures are judged exactly as `nasion locate` sees them: by the run time's own code, whole, looked at in the sizes
that the model names. With ``--one-look`` as a stream sees its frames: once, at 320 px. Both hold for a
checkpoint too: it is written as ONNX first.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from nasion.locating import ONE_LOOK
from rich.console import Console

from training.command import progress, run
from training.data.pixels import read_bgr
from training.data.table import Picture, Split, read_table
from training.judging.answer import Answer, error_in_eye_distances
from training.judging.files import check_report_path, write_report
from training.judging.mistakes import Mistakes, mistakes
from training.judging.opened import (
    OpenModel,
    data_digest,
    file_digest,
    open_model,
    pictures_of,
    threshold_of,
)
from training.judging.report import PER_SHEET, Sheets, report_page
from training.judging.sheets import Thumbnail, thumbnail
from training.judging.summary import Subject, summarise
from training.judging.terminal import show_evaluation
from training.judging.yunet import YuNet, compare_keypoints, is_human_marked, yunet_answers


def _beside_yunet(file: Path, answers: Sequence[Answer], threshold: float) -> dict[str, Any]:
    chosen = [answer for answer in answers if is_human_marked(answer.picture)]
    theirs = yunet_answers(file, [answer.picture for answer in chosen])
    return {"file": file.name, "sha256": file_digest(file), **compare_keypoints(chosen, threshold, theirs)}


def _sheets(model: OpenModel, wrong: Mistakes) -> Sheets:
    """The pictures are searched once more, because not all heat maps are kept while judging."""

    def sheet(answers: Sequence[Answer]) -> list[Thumbnail]:
        shown = progress(answers[:PER_SHEET], "drawing")
        return [thumbnail(read_bgr(a.picture.path), a, model.find(a.picture)) for a in shown]

    return Sheets(
        sheet(wrong.false_positives),
        sheet(wrong.false_negatives),
        sheet(wrong.wrong_places),
        sheet(wrong.worst_placed),
    )


def _errors(answers: Sequence[Answer], threshold: float) -> list[float]:
    found = (error_in_eye_distances(a) for a in answers if a.probability >= threshold)
    return [error for error in found if error is not None]


def evaluate(
    model: Annotated[Path, typer.Argument(help="ONNX file, or checkpoint (.ckpt) of training.train.")],
    data: Annotated[Path, typer.Argument(help="Folder with labels.csv, all_faces.csv and images/.")],
    split: Annotated[Split, typer.Option(help="Which pictures.")] = "val",
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Default: the model's own; for a checkpoint the best on the hold-out."),
    ] = None,
    one_look: Annotated[
        bool, typer.Option("--one-look", help="Look once at each picture, as a stream does, instead of several times.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as one JSON object.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write a page (.html) with curves and pictures, and all of it as .json.")
    ] = None,
    yunet: Annotated[
        Path | None, typer.Option(help="ONNX file of OpenCV's YuNet, to compare keypoints on what people marked.")
    ] = None,
    written: Annotated[str | None, typer.Option(help="Date for the page's foot; none by default.")] = None,
) -> None:
    """Print how good the model is, over all, by eye distance (in pixels and metres) and by source."""
    check_report_path(report)
    if yunet is not None:
        YuNet(yunet)  # A file that cannot be used is told before the judging.
    table: list[Picture] = read_table(data)
    pictures = pictures_of(table, split, data)
    with open_model(model, looks=ONE_LOOK if one_look else None) as opened:
        used, origin = threshold_of(opened, table, threshold)
        answers = opened.answers(pictures)
        wrong = mistakes(answers, used)
        beside = None if yunet is None else _beside_yunet(yunet, answers, used)
        subject = Subject(opened.name, opened.digest, used, origin, data_digest(data), split, opened.locator.looks)
        summary = summarise(subject, answers, wrong, beside)
        if report is not None:
            page = report_page(summary, _sheets(opened, wrong), _errors(answers, used), written)
            write_report(report, page, summary)
    if as_json:
        figures = summary["figures"]
        typer.echo(json.dumps(figures if beside is None else {**figures, "yunet": beside}))
        return
    show_evaluation(summary, Console())
    if report is not None:
        typer.echo(f"{report}: the report; {report.with_suffix('.json')}: the same as JSON")


if __name__ == "__main__":
    run(evaluate)
