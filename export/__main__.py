"""Release a trained network: ``python -m export CHECKPOINT --data FOLDER --out weights/nasion-lite.onnx``.

Writes the float file with threshold and figures inside, its INT8 twin (``-int8`` in the name), the figures of both as
JSON, and the model card. The threshold is chosen on the held-out tenth of the training pictures; the validation
pictures only judge. A float file of an earlier release may stand in the checkpoint's place: its weights stay, its
thresholds are chosen anew.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from nasion.engine.metadata import LARGEST_LOOK, Looks
from nasion.files import text_of
from nasion.locating import LOOKS
from pydantic import TypeAdapter, ValidationError

from export.card import write_card
from export.metadata import draft_metadata, released_metadata
from export.outputs import Force, require_outputs, written_together
from export.release import DEFAULT_SPECIFICITY, Int8Figures, Specificity, release_again, release_float, release_int8
from export.terms import licence_of, notice_of, notice_of_licence
from training.command import run
from training.data.table import read_table
from training.errors import WorkshopError
from training.fit.origin import read_origin
from training.judging.opened import data_digest
from training.network.checkpoint import load_network

_LISTED = ",".join(map(str, LOOKS))


def twin(out: Path) -> Path:
    """Where the INT8 file of the float file ``out`` stands."""
    return out.with_name(f"{out.stem}-int8.onnx")


def export(
    checkpoint: Annotated[
        Path, typer.Argument(help="Checkpoint of training.train, e.g. RUN/best.ckpt, or a released float file.")
    ],
    data: Annotated[Path, typer.Option(help="The folder it was trained on.")],
    out: Annotated[Path, typer.Option(help="The ONNX file to write; twin, card and figures go beside it.")],
    version: Annotated[str, typer.Option(help="Version of the weights.")] = "1",
    specificity: Specificity = DEFAULT_SPECIFICITY,
    looks: Annotated[
        str | None,
        typer.Option(
            help=f"Longest sides of the looks at a still, of which two neighbours must agree; default: {_LISTED}."
        ),
    ] = None,
    int8: Annotated[bool, typer.Option(help="Write the INT8 twin too.")] = True,
    trained_with: Annotated[
        str | None, typer.Option(help="The command that trained it, for the card; default: as the run noted it.")
    ] = None,
    notes: Annotated[Path | None, typer.Option(help="Markdown file that goes into the card: what was tried.")] = None,
    force: Force = False,
) -> None:
    """Export, choose the thresholds, judge, quantise, judge again, and write files, figures and card.

    All of them appear at the end, or none. Files that are there already are replaced with --force only.
    """
    sizes = sizes_of(looks)
    files = [out, out.with_suffix(".json"), out.with_suffix(".md")]
    twins = [twin(out), twin(out).with_suffix(".json")]
    reads = [checkpoint] if notes is None else [checkpoint, notes]
    require_outputs(files, reads=reads, force=force)
    # Without INT8 an old twin would stand beside a new float file.
    require_outputs(twins, reads=reads, force=force and int8)
    pictures = read_table(data)
    remarks = text_of(notes.read_bytes()) if notes is not None else ""
    commands: tuple[str, ...] = ()
    with written_together([*files, *twins] if int8 else files) as stage:
        staged = stage / out.name
        if checkpoint.suffix == ".onnx":
            changed = {"name": out.stem, "version": version, "looks": sizes}
            earlier = released_metadata(checkpoint).model_copy(update=changed)
            metadata, figures, answers = release_again(checkpoint, earlier, pictures, specificity, staged)
            notice = notice_of_licence(earlier.name, earlier.licence)
        else:
            network = load_network(checkpoint)
            origin = read_origin(checkpoint.parent)
            draft = draft_metadata(out.stem, version, network, data_digest(data), sizes, licence_of(origin))
            notice, commands = notice_of(origin), origin.commands if origin else ()
            metadata, figures, answers = release_float(network, draft, pictures, specificity, staged)
        _write_figures(staged, figures)
        small = release_int8(staged, answers, pictures, specificity, twin(staged)) if int8 else None
        if small is not None:
            _write_figures(twin(staged), small.figures)
        told = (trained_with,) if trained_with is not None else commands
        write_card(staged.with_suffix(".md"), staged, metadata, figures, small, told, notice, remarks)
    typer.echo(f"{out}: {_line(figures, small)}")


def sizes_of(looks: str | None) -> tuple[int, ...] | None:
    """What ``--looks`` names, pixels; None where it is not given. WorkshopError where they are no sizes of looks."""
    if looks is None:
        return None
    try:
        sizes: tuple[int, ...] = TypeAdapter(Looks).validate_python(looks)
    except ValidationError:
        raise WorkshopError(
            f"--looks: expected two or more multiples of 32 up to {LARGEST_LOOK}, smallest first, such as {_LISTED}; "
            f"came: {looks!r}"
        ) from None
    return sizes


def _write_figures(model: Path, figures: dict[str, Any]) -> None:
    model.with_suffix(".json").write_text(json.dumps(figures, indent=2) + "\n")


def _line(figures: dict[str, Any], small: Int8Figures | None) -> str:
    right, in_place, specificity = (figures[k] for k in ("right_location_free", "recall_in_place", "specificity"))
    line = (
        f"threshold {figures['threshold']:g}, right anywhere {right:.4f}, recall in place {in_place:.4f}, "
        f"specificity {specificity:.4f}"
    )
    if small is not None:
        line += f"; INT8 loses {100 * small.lost:.2f} points, moves peaks by {small.shift_px:.3f} px in the middle"
    return line


if __name__ == "__main__":
    run(export)
