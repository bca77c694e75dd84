"""Where a network's weights come from: the pictures it was taught from, the weights it began with, the command.

A run writes it beside its checkpoints before its first step; a release puts it into the card and the terms. Whatever a
network learnt from has its terms: its own pictures, and those of the weights that it began with or learnt from.
"""

import json
import shlex
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from nasion.files import write_whole
from pydantic import BaseModel, ConfigDict, ValidationError

from training.data.table import Picture, of_split
from training.errors import WorkshopError
from training.network.weights import read_released

FILE = "origin.json"


class Weights(BaseModel):
    """A network that another one began with, or learnt from. ``licence``: what its file says; None: it says nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    licence: str | None


class Origin(BaseModel):
    """``commands``: those of the run, a resumed one has several; ``sources``: of the training pictures, and how
    many.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    commands: tuple[str, ...]
    sources: dict[str, int]
    weights: tuple[Weights, ...] = ()

    def after(self, earlier: "Origin | None") -> "Origin":
        """This run as the resumption of an ``earlier`` one."""
        if earlier is None:
            return self
        return Origin(
            commands=tuple(dict.fromkeys((*earlier.commands, *self.commands))),
            sources={**earlier.sources, **self.sources},
            weights=tuple(dict.fromkeys((*earlier.weights, *self.weights))),
        )


def origin_of_run(pictures: Sequence[Picture], begun_with: Sequence[Path]) -> Origin:
    """Of a run on the training part of ``pictures``; ``begun_with``: files of weights, and of a teacher, if any."""
    sources = Counter(picture.source for picture in of_split(pictures, "train"))
    return Origin(
        commands=(command_line(),),
        sources=dict(sorted(sources.items())),
        weights=tuple(weights for path in begun_with for weights in _lineage(path)),
    )


def command_line() -> str:
    """What was typed to start this process, without the place of the interpreter."""
    return shlex.join(["python", *sys.orig_argv[1:]])


def write_origin(run: Path, origin: Origin) -> None:
    """Write it into the folder of a run. OSError."""
    run.mkdir(parents=True, exist_ok=True)
    write_whole(run / FILE, (origin.model_dump_json(indent=2) + "\n").encode())


def read_origin(run: Path) -> Origin | None:
    """Of a run's folder; None where it has none. WorkshopError: it is damaged."""
    path = run / FILE
    if not path.exists():
        return None
    try:
        return Origin.model_validate(json.loads(path.read_bytes()))
    except (ValidationError, ValueError) as error:
        raise WorkshopError(f"{path}: is no origin of a run ({str(error).splitlines()[0]}); remove it") from None


def _lineage(path: Path) -> list[Weights]:
    """A file of weights, and what its run began with."""
    if path.suffix == ".onnx":
        _, metadata = read_released(path)
        return [Weights(name=f"{metadata.name} {metadata.version}", licence=metadata.licence)]
    origin = read_origin(path.parent)
    if origin is None:
        return [Weights(name=path.name, licence=None)]
    return [Weights(name=path.name, licence=f"pictures of {', '.join(origin.sources)}"), *origin.weights]
