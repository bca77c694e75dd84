"""``nasion locate``: who is in still pictures."""

import sys
from pathlib import Path
from typing import Iterable, Iterator, List, NamedTuple, Optional, Sequence

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from pydantic import Field
from rich.console import Console
from rich.progress import Progress
from typing_extensions import Annotated

from nasion.cli.output import Lines, readable, tell
from nasion.config.nvinfer import default_nvinfer_file, read_nvinfer
from nasion.core.results import FrameReason
from nasion.errors import InputError, NasionError
from nasion.locating import Finding, PictureLocator
from nasion.messages import Finite, Message, Pair
from nasion.show.overlay import draw_located

#: What a folder is searched for; a file named by itself may be called anything.
SUFFIXES = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
#: Annotated pictures end so, and are not searched when a folder is read again.
ANNOTATED = ".located.jpg"
#: A larger file is no picture that can be held in memory.
MAX_BYTES = 512 << 20


class PictureMessage(Message):
    """What is said of one picture."""

    image: str = Field(description="Path of the picture.")
    probability: Optional[Finite] = Field(description="Height of the heat map's peak; null where it was not read.")
    pixel: Optional[Pair] = Field(description="[u, v] of the point between the eyes; null where nobody was found.")
    reason: Optional[FrameReason] = Field(description="Why nobody was found; null where somebody was.")


class _Entry(NamedTuple):
    """A picture to be searched; ``name``: its path below the folder that was given."""

    path: Path
    name: Path


def locate(
    paths: Annotated[List[Path], typer.Argument(metavar="PATH...", help="Pictures, or folders of pictures.")],
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object a picture on stdout, and nothing else.")
    ] = False,
    threshold: Annotated[
        Optional[float],
        typer.Option(min=0, max=1, help="Probability from which on a person is there; default: the model's own."),
    ] = None,
    save: Annotated[
        Optional[Path],
        typer.Option(metavar="DIR", help=f"Write each picture with heat map and keypoint there, as NAME{ANNOTATED}."),
    ] = None,
    model: Annotated[
        Optional[Path], typer.Option(metavar="FILE", help="An ONNX file instead of the one that is shipped.")
    ] = None,
) -> None:
    """Find the point between the eyes of the most probable person in still pictures."""
    entries = list(_entries(paths))
    locator = PictureLocator(model or read_nvinfer(default_nvinfer_file("full")).onnx_file)
    shelf = None if save is None else _Shelf(save, entries)
    unread, lines = 0, Lines(json=json)
    for entry in _with_progress(entries):
        if not lines.wanted:
            break
        try:
            picture = read_picture(entry.path)
        except InputError as error:
            tell(str(error))
            unread += 1
            lines.write(_said(entry, None, json))
            continue
        finding = locator.find(picture, threshold=threshold)
        lines.write(_said(entry, finding, json))
        if shelf is not None:
            shelf.put(entry, picture, finding)
    if unread:
        raise InputError(f"{unread} of {len(entries)} could not be read as pictures, see above; the others are done")


def read_picture(path: Path) -> NDArray[np.uint8]:
    """The picture as it is meant to be looked at (turned as its EXIF data says), (H, W, 3) BGR; InputError."""
    try:
        if not path.is_file():
            path.stat()
            raise InputError(f"{path}: is no file; expected a picture")
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path}: is larger than {MAX_BYTES >> 20} MiB; expected a picture")
        picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except cv2.error:
        picture = None
    if picture is None:
        raise InputError(f"{path}: is not a picture that OpenCV can decode")
    return picture.astype(np.uint8, copy=False)


def _entries(paths: Iterable[Path]) -> Iterator[_Entry]:
    for path in paths:
        if not path.is_dir():
            yield _Entry(path, Path(path.name))
            continue
        inside = [file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file()]
        pictures = sorted(file for file in inside if not file.name.endswith(ANNOTATED))
        if not pictures:
            raise InputError(f"{path}: this folder holds no pictures ({' '.join(SUFFIXES)})")
        for file in pictures:
            yield _Entry(file, file.relative_to(path))


def _with_progress(entries: Sequence[_Entry]) -> Iterator[_Entry]:
    """A bar on stderr where somebody looks at it and the results go elsewhere; otherwise they are the sign of life."""
    shown = len(entries) > 1 and sys.stderr.isatty() and not sys.stdout.isatty()
    with Progress(console=Console(stderr=True), disable=not shown, redirect_stdout=False) as progress:
        yield from progress.track(entries, description="searching pictures")


def _said(entry: _Entry, finding: Optional[Finding], json: bool) -> str:
    """What was found, in one line; ``finding`` is None where there was no picture to search."""
    located = None if finding is None else finding.located
    best = located.keypoints[0] if located and located.keypoints else None
    message = PictureMessage(
        image=readable(entry.path),
        probability=best.probability if best else located.peak if located else None,
        pixel=[best.u, best.v] if best else None,
        reason=FrameReason.CORRUPT_FRAME if located is None else located.reason,
    )
    if json:
        return message.to_json()
    verdict = "person" if message.reason is None else message.reason.value
    probability = "" if message.probability is None else f"{message.probability:.2f}"
    pixel = "" if message.pixel is None else "({:.1f}, {:.1f})".format(*message.pixel)
    return f"{verdict:<15}  {probability:>4}  {pixel:>16}  {message.image}"


class _Shelf:
    """The folder of annotated pictures. It overwrites nothing that is read and nothing of its own."""

    def __init__(self, folder: Path, inputs: Iterable[_Entry]) -> None:
        self._folder = folder
        self._taken = {entry.path.resolve() for entry in inputs}
        _make_folder(folder)

    def put(self, entry: _Entry, picture: NDArray[np.uint8], finding: Finding) -> None:
        target = self._free_name(self._folder / entry.name)
        _make_folder(target.parent)
        annotated = draw_located(picture, finding.located, heat=finding.heat, geometry=finding.geometry)
        try:
            written = cv2.imwrite(str(target), annotated)
        except cv2.error:
            written = False
        if not written:
            raise NasionError(f"{target}: could not be written; is the folder writable and the disk not full?")

    def _free_name(self, wanted: Path) -> Path:
        number = 1
        target = wanted.with_name(wanted.stem + ANNOTATED)
        while target.resolve() in self._taken:
            number += 1
            target = wanted.with_name(f"{wanted.stem}-{number}{ANNOTATED}")
        self._taken.add(target.resolve())
        return target


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: the folder cannot be made: {error.strerror}; name another --save DIR") from None
