"""The model card: what a released model is, how good it is, where it may be used. Written from measured figures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nasion.core.views import INPUT_SIZES
from nasion.engine.metadata import ModelMetadata
from nasion.locating import LOOKS, ONE_LOOK

from export.release import Int8Figures
from training.judging.metres import metres_of_bins
from training.judging.opened import file_digest
from training.judging.wording import agreeing, listed


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _number(looks: Sequence[int]) -> str:
    return {2: "two", 3: "three"}.get(len(looks), str(len(looks)))


def _thresholds(metadata: ModelMetadata) -> str:
    agreed = metadata.agreed_threshold or metadata.threshold
    return f"{metadata.threshold:g} for one look, {agreed:g} where two must agree"


def _figures(figures: dict[str, Any], looks: Sequence[int]) -> str:
    ways = (figures, figures["one_look"])
    rows = [
        (name, *(_percent(way[key]) for way in ways))
        for name, key in (
            ("right, anywhere in the picture", "right_location_free"),
            ("recall, anywhere", "recall"),
            ("recall in place", "recall_in_place"),
            ("specificity", "specificity"),
            ("precision", "precision"),
        )
    ]
    rows += [
        (name, *(_percent(way[kind].get(share)) for way in ways))
        for name, kind, share in (
            ("keypoint error of the eye distance, median", "error", "median_eye_distances"),
            ("the same, 95 %", "error", "p95_eye_distances"),
            ("the same where people marked the eyes, median", "error_human_marked", "median_eye_distances"),
        )
    ]
    lines = [f"| figure | {_number(looks)} looks, as `nasion locate` | one look, as a stream |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


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
    return "\n" if small is None else f"\nSHA-256 of its INT8 twin: `{file_digest(small.file)}`\n\n"


def _int8(small: Int8Figures | None, looks: Sequence[int]) -> str:
    if small is None:
        return "No INT8 twin was made of it."
    figures, one_look, many = small.figures, small.figures["one_look"], _number(looks)
    least = f"{figures['threshold']:g}"
    return f"""\
The INT8 twin (`-int8` in the file's name) on the same pictures at its own threshold, {least} for {many}
looks: right anywhere {_percent(figures["right_location_free"])} ({100 * small.lost:+.2f} points lost), recall in place
{_percent(figures["recall_in_place"])}, specificity {_percent(figures["specificity"])}; with one look
{_percent(one_look["right_location_free"])}, {_percent(one_look["recall_in_place"])} and
{_percent(one_look["specificity"])}. Its peaks lie {small.shift_px:.3f} px in the middle from the float file's,
in pixels of the pictures."""


def _sources(figures: dict[str, Any]) -> str:
    lines = ["| source | pictures | right |", "|---|---|---|"]
    for source, row in figures["by_source"].items():
        lines.append(f"| {source} | {row['pictures']} | {_percent(row['right'])} |")
    return "\n".join(lines)


def _options(metadata: ModelMetadata, small: Int8Figures | None) -> str:
    looks = "" if metadata.looks is None else f" --looks {','.join(map(str, metadata.looks))}"
    return f"{' --no-int8' if small is None else ''}{looks}"


def _commands(commands: Sequence[str]) -> str:
    return "\n".join(f"    {command}" for command in commands) or "    (the command is not known)"


def _paragraphs(markdown: str) -> str:
    """Between blank lines, or nothing: a heading stands on its own line."""
    return f"\n{markdown.strip()}\n" if markdown.strip() else ""


def write_card(
    path: Path,
    model: Path,
    metadata: ModelMetadata,
    figures: dict[str, Any],
    small: Int8Figures | None,
    commands: Sequence[str],
    notice: str,
    remarks: str,
) -> None:
    """Write the card of ``model`` to ``path``.

    ``figures`` are `released_figures`, ``small`` those of the INT8 twin; ``commands`` trained the network; ``notice``,
    Markdown, says its terms; ``remarks``, Markdown, what else there is to say of the run.
    """
    looks = metadata.looks or LOOKS
    sizes = listed(*(f"at {size}" for size in looks))
    path.write_text(
        f"""# {metadata.name} {metadata.version}

{notice}
The point between the eyes as a heat map; the point is {metadata.keypoint}.

| | |
|---|---|
| input | `input`, float32, RGB 0..255, height and width any multiple of 32; checked at {metadata.sizes} |
| output | `heat_map`, 0..1, one cell for {metadata.stride} x {metadata.stride} pixels |
| drawn | a Gaussian of {metadata.sigma_px:.2g} pixels |
| thresholds | {_thresholds(metadata)}, chosen on a held-out tenth of the training pictures |

SHA-256 of the file: `{file_digest(model)}`
{_twin_digest(small)}SHA-256 of the label tables: `{metadata.data_digest}`

## On the validation pictures

{figures["positives"]} pictures with people and {figures["negatives"]} without, judged as `nasion locate` sees them:
by {_number(looks)} looks {agreeing(looks)}, with the longest side {sizes} px; and as streams see their frames:
by one look at {ONE_LOOK[0]} px. *In place* means within half an eye distance (at least 2 px) of a listed face. The
labels themselves are about 5-7 % of the eye distance off where a detector made them.

{_figures(figures, looks)}

With one look, by the distance between the eyes in the searched picture (longest side {ONE_LOOK[0]} px), and how far
away a person is who looks into a ZED camera at 1080p and has it in the network's input at each view (63 mm between the
eyes):

{_bins(figures["one_look"])}

By source, with {_number(looks)} looks:

{_sources(figures)}

## INT8

{_int8(small, looks)}

## Limits

* Both eyes must be in view; full profiles and people from behind are meant to be nobody.
* The smallest faces are missed most, and placed worst; see the table. Use the view `fine` for people far away.
* Few pictures are from indoors at a robot's height; people in the training pictures are not a fair sample of mankind.
  Measure on your own pictures before you rely on it.

## How it was made

{_commands(commands)}
    python -m export RUN/best.ckpt --data DATA --out weights/{metadata.name}.onnx{_options(metadata, small)}

on the label tables named above.
{_paragraphs(remarks)}
To make one from your own pictures, write the same two tables (`labels.csv`, `all_faces.csv`) for them, or let
`python -m training import` write them from LabelImg or COCO labels, and give their folder as `--data`. With few
pictures go on from these weights: `python -m training.finetune {model.name} --data YOURS --out RUN` (the terms above
then hold on).
"""
    )
