"""Make a data folder of one's own labels: ``python -m training.import_pictures labelimg|coco|table … --out OUT``.

What comes out is the format of ``training.data.table``. Every picture is looked at first; nothing is written while one
of them is refused.
"""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, get_args

import typer
from rich.console import Console
from rich.table import Table

from training.command import guarded, progress
from training.data import import_sources
from training.data.coco import Visibility
from training.data.import_sources import GroupBy
from training.data.importing import Found, Refusal, refuse_filled, splits_of, survey, write
from training.data.table import Picture, Split
from training.data.voc import EYE_DISTANCE_PER_FACE_WIDTH, VocRule
from training.errors import WorkshopError

Folder = Annotated[Path, typer.Argument(exists=True, file_okay=False)]
Out = Annotated[Path, typer.Option(help="The data folder to make; new or empty.")]
Source = Annotated[
    str, typer.Option(help="Where the pictures come from: their column `source`, and their names begin so.")
]
Share = Annotated[float, typer.Option(help="Share of the groups that becomes val.")]
Seed = Annotated[int, typer.Option(help="Draws the groups that become val or are held out, and the cuts of --prepare.")]
Prepare = Annotated[
    bool, typer.Option("--prepare", help="Bring the pictures to 320x240, as PNG; else they are copied.")
]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave out what cannot be imported instead of refusing all.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as one JSON object.")]

app = typer.Typer(
    help="Make a data folder of labelled pictures.",
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)


@app.command()
@guarded
def labelimg(
    folder: Folder,
    out: Out,
    pictures: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Where the pictures are, if not beside the XML.")
    ] = None,
    box: Annotated[str, typer.Option(help="The box whose upper left corner is the point between the eyes.")] = "hm",
    face_box: Annotated[
        str | None, typer.Option(help="The box around a face, if labelled: the eye distance comes from its width.")
    ] = None,
    ratio: Annotated[
        float, typer.Option(min=0.01, max=1, help="Eye distance as a share of the width of --face-box.")
    ] = EYE_DISTANCE_PER_FACE_WIDTH,
    interocular_px: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            help="Eye distance in pixels of every face without a --face-box: your estimate, as LabelImg's files have "
            "none. Such faces are marked `given`.",
        ),
    ] = None,
    other_box: Annotated[
        list[str] | None,
        typer.Option(help="A name of boxes that are no persons; may be repeated. Any other unknown name is refused."),
    ] = None,
    one_based: Annotated[
        bool, typer.Option("--one-based", help="The first pixel is 1, as in true Pascal VOC; LabelImg's is 0.")
    ] = False,
    group_by: Annotated[
        GroupBy, typer.Option(help="What stays in one split: each picture alone, or all of a folder (a series).")
    ] = "picture",
    source: Source = "labelimg",
    share: Share = 0.1,
    seed: Seed = 0,
    prepare: Prepare = False,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """From LabelImg's Pascal VOC XML files: a picture without a box `hm` is a negative."""
    refuse_filled(out)
    rule = VocRule(box, face_box, ratio, interocular_px, int(one_based), frozenset(other_box or ()))
    found = import_sources.labelimg(folder, pictures, rule, source=_word(source), group_by=group_by)
    _import(found, out, share, seed, prepared=prepare, skip_bad=skip_bad, as_json=as_json)


@app.command()
@guarded
def coco(
    annotations: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="person_keypoints_*.json")],
    images: Annotated[Path, typer.Option(exists=True, file_okay=False, help="Folder with the pictures.")],
    out: Out,
    visibility: Annotated[
        int, typer.Option(min=1, max=2, help="An eye counts from this mark on: 2 visible, 1 labelled but hidden.")
    ] = 2,
    eyeless_are_negative: Annotated[
        bool,
        typer.Option(
            "--eyeless-are-negative", help="Pictures of people of whom nobody has both eyes: negatives, not left out."
        ),
    ] = False,
    source: Source = "coco",
    share: Share = 0.1,
    seed: Seed = 0,
    prepare: Prepare = False,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """From COCO key points: the middle of both visible eyes; a picture without people is a negative."""
    refuse_filled(out)
    mark: Visibility = 2 if visibility == 2 else 1
    found = import_sources.coco(
        annotations, images, source=_word(source), visibility=mark, eyeless_are_negative=eyeless_are_negative
    )
    _import(found, out, share, seed, prepared=prepare, skip_bad=skip_bad, as_json=as_json)


@app.command()
@guarded
def table(
    folder: Folder,
    out: Out,
    split_again: Annotated[
        bool, typer.Option("--split-again", help="Draw val and hold_out anew by --seed; else the table's own are kept.")
    ] = False,
    share: Share = 0.1,
    seed: Seed = 0,
    prepare: Prepare = False,
    skip_bad: SkipBad = False,
    as_json: AsJson = False,
) -> None:
    """From a folder in the workshop's own format (labels.csv, all_faces.csv, images/)."""
    refuse_filled(out)
    found = import_sources.table(folder, split_again=split_again)
    _import(found, out, share, seed, prepared=prepare, skip_bad=skip_bad, as_json=as_json)


def _word(source: str) -> str:
    if not source.replace("_", "").isalnum():
        raise WorkshopError(f"--source {source!r}: expected one word of letters, digits and _; name another")
    return source


def _import(found: Found, out: Path, share: float, seed: int, *, prepared: bool, skip_bad: bool, as_json: bool) -> None:
    entries = import_sources.named_for_preparing(found.entries) if prepared else found.entries
    good, faulty = survey(progress(entries, "looking"))
    refusals = [*found.refusals, *faulty]
    for refusal in refusals:
        typer.echo(refusal, err=True)
    if refusals and not skip_bad:
        raise WorkshopError(
            f"{len(refusals)} of {len(good) + len(refusals)} pictures cannot be imported, nothing was written; "
            "correct them, or leave them out with --skip-bad"
        )
    if not good:
        raise WorkshopError("no picture is left to import, nothing was written; the labels named none")
    splits = splits_of(good, share, seed)
    written = write(out, progress(good, "writing"), splits, prepared=prepared, seed=seed)
    _report(written, out, {**found.left_out, "refused": len(refusals)}, refusals, as_json=as_json)


def _report(
    pictures: Sequence[Picture], out: Path, left_out: dict[str, int], refusals: Sequence[Refusal], *, as_json: bool
) -> None:
    kinds = Counter((picture.split, "positive" if picture.positive else "negative") for picture in pictures)
    splits = {split: {kind: kinds[split, kind] for kind in ("positive", "negative")} for split in get_args(Split)}
    if as_json:
        refused = [{"what": refusal.what, "why": refusal.why} for refusal in refusals]
        typer.echo(json.dumps({"out": str(out), "splits": splits, "left_out": left_out, "refused": refused}))
        return
    shown = Table("split", "positives", "negatives")
    for split, row in splits.items():
        shown.add_row(split, str(row["positive"]), str(row["negative"]))
    Console().print(shown)
    for reason, count in left_out.items():
        typer.echo(f"left out: {count} ({reason})")
    typer.echo(f"{len(pictures)} pictures in {out}")


if __name__ == "__main__":
    app(prog_name="python -m training.import_pictures")
