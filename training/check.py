"""Check a data folder before training on it: ``python -m training.check DATA``."""

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.command import BAD_INPUT, progress, run
from training.data.check import Finding, findings
from training.data.picture_file import Sight, look
from training.data.table import Picture, read_table
from training.errors import WorkshopError

#: So many examples of each kind are shown; all of them with --json.
EXAMPLES = 3


def look_at_all(paths: list[Path]) -> dict[Path, Sight]:
    """A look at every file, with a progress bar; decoding frees the interpreter, so two are looked at at a time."""
    with ThreadPoolExecutor(2) as pool:
        sights = progress(pool.map(look, paths), "looking", len(paths))
        return dict(zip(paths, sights, strict=True))


def show(found: Iterable[Finding]) -> None:
    """One line for each kind, with the first examples."""
    console = Console(soft_wrap=True, highlight=False)
    colours = {"ok": "green", "warn": "yellow", "fail": "red"}
    for finding in found:
        examples = "".join(f" | {example}" for example in finding.examples[:EXAMPLES])
        more = " | …" if len(finding.examples) > EXAMPLES else ""
        console.print(f"{finding.level:<4}", style=colours[finding.level], end="  ")
        console.print(f"{finding.kind:<16}  {finding.text}{examples}{more}", markup=False)


def findings_of(data: Path, pictures: Sequence[Picture]) -> list[Finding]:
    """What there is to say of the table's ``pictures`` and of the folder ``data`` that they lie in."""
    paths = list(dict.fromkeys(picture.path for picture in pictures))
    sights = look_at_all(paths)
    folder = data / "images"
    there = set(folder.iterdir()) if folder.is_dir() else set()
    return list(findings(pictures, sights, there - set(paths)))


def require_sound(data: Path, pictures: Sequence[Picture]) -> None:
    """Before a run: what is wrong is shown; WorkshopError where something fails, before hours go into it."""
    wrong = [finding for finding in findings_of(data, pictures) if finding.level != "ok"]
    show(wrong)
    if any(finding.level == "fail" for finding in wrong):
        raise WorkshopError(
            f"{data} fails its check (above; all of it: python -m training check {data}); correct the pictures or "
            "their labels, or train on them as they are with --skip-check"
        )


def check(
    data: Annotated[Path, typer.Argument(help="Folder with labels.csv, all_faces.csv and images/.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print all findings as one JSON list.")] = False,
) -> None:
    """Tell what is wrong with labelled pictures; exit code 2 if anything fails."""
    pictures = read_table(data)
    found = findings_of(data, pictures)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in found]))
    else:
        show(found)
    if any(finding.level == "fail" for finding in found):
        raise typer.Exit(BAD_INPUT)


if __name__ == "__main__":
    run(check)
