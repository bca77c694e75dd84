"""A model file of either kind, opened so that it sees pictures exactly as `nasion locate` does."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from nasion.files import read_limited
from nasion.locating import ONE_LOOK, Finding, PictureLocator

from export.metadata import draft_metadata
from export.to_onnx import export_onnx
from training.command import progress
from training.data.pixels import read_bgr
from training.data.table import Picture, Split, of_split
from training.errors import WorkshopError
from training.judging.answer import Answer
from training.judging.figures import choose_threshold
from training.network.checkpoint import load_network

#: Larger than any file of either kind.
_MAX_BYTES = 4 << 30


@dataclass(frozen=True)
class OpenModel:
    """A model and its file's name and SHA-256; ``threshold`` is None for a checkpoint, which has none."""

    name: str
    digest: str
    threshold: float | None
    locator: PictureLocator

    def find(self, picture: Picture) -> Finding:
        """Heat map and highest peak of a picture, whatever its probability."""
        return self.locator.find(read_bgr(picture.path), threshold=0.0)

    def answer(self, picture: Picture) -> Answer:
        """What the model says of a picture, whatever its probability."""
        finding = self.find(picture)
        located, geometry = finding.located, finding.geometry
        place = (located.keypoints[0].u, located.keypoints[0].v) if located.keypoints else None
        longest = max(geometry.frame_width, geometry.frame_height)
        return Answer(picture, located.peak or 0.0, place, scale=ONE_LOOK[0] / longest)

    def answers(self, pictures: Sequence[Picture]) -> list[Answer]:
        """The answers to all pictures, in their order; a progress bar on stderr where somebody watches."""
        return [self.answer(picture) for picture in progress(pictures, f"judging {self.name}")]


@contextmanager
def open_model(path: Path, *, threads: int = 2, looks: Sequence[int] | None = None) -> Iterator[OpenModel]:
    """Open an ONNX file, or a checkpoint (``.ckpt``) through a temporary ONNX file.

    ``looks``: how pictures are searched; by default as `nasion locate` does, ``ONE_LOOK`` as a stream has it.

    InputError or TableError (both one line for the person at the terminal): the file is neither.
    """
    if path.suffix != ".ckpt":
        locator = PictureLocator(path, threads=threads, looks=looks)
        yield OpenModel(path.name, file_digest(path), locator.threshold, locator)
        return
    network = load_network(path)
    metadata = draft_metadata(path.stem, "draft", network, "none")
    with TemporaryDirectory() as folder:
        draft = Path(folder) / "draft.onnx"
        export_onnx(network, metadata, draft)
        yield OpenModel(path.name, file_digest(path), None, PictureLocator(draft, threads=threads, looks=looks))


def answers_of(
    model: Path, pictures: Sequence[Picture], *, threads: int = 2, looks: Sequence[int] | None = None
) -> list[Answer]:
    """What the model file (ONNX or checkpoint) says of each picture, whatever its probability; see `open_model`."""
    with open_model(model, threads=threads, looks=looks) as opened:
        return opened.answers(pictures)


def threshold_of(model: OpenModel, pictures: Iterable[Picture], given: float | None = None) -> tuple[float, str]:
    """The threshold to judge with, and where it comes from: ``given``, the ``model``'s own, or the ``hold_out``."""
    if given is not None:
        return given, "given"
    if model.threshold is not None:
        return model.threshold, "model"
    return choose_threshold(model.answers(of_split(pictures, "hold_out"))), "hold_out"


def pictures_of(pictures: Sequence[Picture], split: Split, data: Path) -> list[Picture]:
    """The pictures of ``split``; WorkshopError where there is none."""
    chosen = of_split(pictures, split)
    if not chosen:
        counts = ", ".join(f"{name} {sum(p.split == name for p in pictures)}" for name in ("train", "hold_out", "val"))
        raise WorkshopError(f"{data}: no picture is in the split {split!r} (there are: {counts}); take another --split")
    return chosen


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    content = read_limited(path, _MAX_BYTES, what="file", too_large="4 GB")
    return hashlib.sha256(content).hexdigest()


def data_digest(data: Path) -> str:
    """SHA-256 of the two label tables one after the other, hexadecimal: as `export` writes it into a model."""
    tables = b"".join((data / name).read_bytes() for name in ("labels.csv", "all_faces.csv"))
    return hashlib.sha256(tables).hexdigest()
