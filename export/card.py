"""The model card: what a released model is, how good it is, where it may be used. Written from measured figures."""

from pathlib import Path
from typing import Any

from nasion.core.views import INPUT_SIZES
from nasion.engine.metadata import ModelMetadata

from export.release import Int8Figures
from training.judging.metres import metres_of_bins
from training.judging.opened import file_digest

_TERMS = """\
> **Research use only.** Several of the picture sets behind these weights (300-W with HELEN and AFW, Leeds Sports Pose,
> LFW, ImageNet samples, BSDS, CamVid) allow research use only. Do not ship these weights in a commercial product:
> retrain on your own pictures with the command at the end of this page.
"""


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _figures(figures: dict[str, Any]) -> str:
    error, human = figures["error"], figures["error_human_marked"]
    rows = [
        ("right, anywhere in the picture", _percent(figures["right_location_free"])),
        ("recall, anywhere", _percent(figures["recall"])),
        ("recall in place", _percent(figures["recall_in_place"])),
        ("specificity", _percent(figures["specificity"])),
        ("precision", _percent(figures["precision"])),
        ("keypoint error, median", f"{_percent(error.get('median_eye_distances'))} of the eye distance"),
        ("keypoint error, 95 %", f"{_percent(error.get('p95_eye_distances'))} of the eye distance"),
        (
            f"keypoint error on the {human['pictures']} found that people marked, median",
            f"{_percent(human.get('median_eye_distances'))} of the eye distance",
        ),
    ]
    return "\n".join(["| figure | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _bins(figures: dict[str, Any]) -> str:
    lines = [
        f"| eye distance, px | {' | '.join(f'metres, {view}' for view in INPUT_SIZES)} | pictures | recall | in place "
        "| median error |",
        "|---" * (5 + len(INPUT_SIZES)) + "|",
    ]
    for row, metres in zip(figures["by_eye_distance"], metres_of_bins(figures["by_eye_distance"]), strict=True):
        low, high = row["eye_distance_px"]
        span = f"{low:g}–{high:g}" if high is not None else f"{low:g} and more"
        shares = (row["recall"], row["recall_in_place"], row["median_eye_distances"])
        spans = " | ".join(_span(metres["metres"][view]["1080p"]) for view in INPUT_SIZES)
        lines.append(f"| {span} | {spans} | {row['pictures']} | {' | '.join(map(_percent, shares))} |")
    return "\n".join(lines)


def _span(ends: list[float | None]) -> str:
    near, far = (None if end is None else f"{end:.1f}" for end in ends)
    if near is None:
        return f"below {far}"
    return f"from {near}" if far is None else f"{near}–{far}"


def _twin_digest(small: Int8Figures | None) -> str:
    return "" if small is None else f"\nSHA-256 of its INT8 twin: `{file_digest(small.file)}`\n\n"


def _int8(small: Int8Figures | None) -> str:
    if small is None:
        return "No INT8 twin was made of it."
    figures = small.figures
    return f"""\
The INT8 twin (`-int8` in the file's name) on the same pictures at its own threshold, {figures["threshold"]:g}:
right anywhere {_percent(figures["right_location_free"])} ({100 * small.lost:+.2f} points lost), recall in place
{_percent(figures["recall_in_place"])}, specificity {_percent(figures["specificity"])}; its peaks lie
{small.shift_px:.3f} px in the middle from the float file's (longest side 320 px)."""


def _sources(figures: dict[str, Any]) -> str:
    lines = ["| source | pictures | right |", "|---|---|---|"]
    for source, row in figures["by_source"].items():
        lines.append(f"| {source} | {row['pictures']} | {_percent(row['right'])} |")
    return "\n".join(lines)


def write_card(
    path: Path,
    model: Path,
    metadata: ModelMetadata,
    figures: dict[str, Any],
    small: Int8Figures | None,
    command: str,
    remarks: str,
) -> None:
    """Write the card of ``model`` to ``path``.

    ``figures`` are `judge`'s of the validation split, ``small`` those of the INT8 twin; ``command`` trained the
    network; ``remarks``, Markdown, says what else there is to say of the run.
    """
    path.write_text(
        f"""# {metadata.name} {metadata.version}

{_TERMS}
The point between the eyes as a heat map; the point is {metadata.keypoint}.

| | |
|---|---|
| input | `input`, float32, RGB 0..255, height and width any multiple of 32; checked at {metadata.sizes} |
| output | `heat_map`, 0..1, one cell for {metadata.stride} x {metadata.stride} pixels |
| drawn | a Gaussian of {metadata.sigma_px:.2g} pixels |
| threshold | {metadata.threshold:g}, chosen on a held-out tenth of the training pictures |

SHA-256 of the file: `{file_digest(model)}`
{_twin_digest(small)}SHA-256 of the label tables: `{metadata.data_digest}`

## On the validation pictures

{figures["positives"]} pictures with people and {figures["negatives"]} without, judged as `nasion locate` sees them.
*In place* means within half an eye distance (at least 2 px) of a listed face. The labels themselves are about 5-7 % of
the eye distance off where a detector made them.

{_figures(figures)}

By the distance between the eyes in the searched picture (longest side 320 px), and how far away a person is who looks
into a ZED camera at 1080p and has it in the network's input at each view (63 mm between the eyes):

{_bins(figures)}

By source:

{_sources(figures)}

## INT8

{_int8(small)}

## Limits

* Both eyes must be in view; full profiles and people from behind are meant to be nobody.
* The smallest faces are missed most, and placed worst; see the table. Use the view `fine` for people far away.
* Few pictures are from indoors at a robot's height; people in the training pictures are not a fair sample of mankind.
  Measure on your own pictures before you rely on it.

## How it was made

    {command}
    python -m export RUN/best.ckpt --data DATA --out weights/{metadata.name}.onnx

on the label tables named above. {remarks}

To make one from your own pictures, write the same two tables (`labels.csv`, `all_faces.csv`) for them, or let
`python -m training import` write them from LabelImg or COCO labels, and give their folder as `--data`. With few
pictures go on from these weights: `python -m training.finetune {model.name} --data YOURS --out RUN` (the terms above
then hold on).
"""
    )
