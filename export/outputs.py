"""The files of a release appear together or not at all, and replace none that they were not told to."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from nasion.errors import InputError
from nasion.files import require_new

Force = Annotated[bool, typer.Option("--force", help="Replace files that are there already.")]


def require_outputs(files: Sequence[Path], *, reads: Sequence[Path], force: bool) -> None:
    """InputError before anything is done: one of ``files`` is among those that are read, or is there already.

    A file that is read is not replaced even with ``force``.
    """
    read = [path for path in reads if path.exists()]
    for file in files:
        if file.exists() and any(file.samefile(path) for path in read):
            raise InputError(f"{file} is read by this command; name another --out")
        if not force:
            require_new(file, what="--out", force="--force")


@contextmanager
def written_together(files: Sequence[Path]) -> Iterator[Path]:
    """A folder beside ``files``, which are all in one folder; what it holds of their names at the end replaces them.

    Where the body fails, ``files`` are as they were.
    """
    folder = files[0].parent
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".export-", dir=folder) as stage:
        yield Path(stage)
        for file in files:
            made = Path(stage) / file.name
            if made.exists():
                os.replace(made, file)
