"""``nasion locate``: who is in still pictures."""

import sys
from pathlib import Path
from typing import ClassVar, Dict, FrozenSet, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

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
from nasion.files import require_new, write_whole
from nasion.locating import Finding, PictureLocator
from nasion.messages import Finite, Message, Pair
from nasion.settings import MOST_PERSONS
from nasion.show.overlay import draw_located
from nasion.sources.picture_limits import DamagedPictureError
from nasion.sources.still_folders import look_through
from nasion.sources.stills import STILL_ENDINGS, NoPictureError, read_still

#: Annotated pictures end so, and are not searched when a folder is read again.
ANNOTATED = ".located.jpg"


class FoundPerson(Message):
    """One of several who were found in a picture."""

    probability: Finite = Field(description="Height of the heat map's peak.")
    pixel: Pair = Field(description="[u, v] of the point between the eyes.")


class PictureMessage(Message):
    """What is said of one picture."""

    left_out_when_none: ClassVar[FrozenSet[str]] = frozenset({"persons"})

    image: str = Field(description="Path of the picture.")
    probability: Optional[Finite] = Field(description="Height of the heat map's peak; null where it was not read.")
    pixel: Optional[Pair] = Field(description="[u, v] of the point between the eyes; null where nobody was found.")
    reason: Optional[FrameReason] = Field(description="Why nobody was found; null where somebody was.")
    persons: Optional[List[FoundPerson]] = Field(
        default=None, description="With --max-persons: everybody who was found, strongest first."
    )


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
    max_persons: Annotated[
        Optional[int],
        typer.Option(
            metavar="N",
            min=1,
            max=MOST_PERSONS,
            help="How many persons are located, strongest first: a line each, and `persons` in JSON. Default: 1.",
        ),
    ] = None,
    save: Annotated[
        Optional[Path],
        typer.Option(metavar="DIR", help=f"Write each picture with heat map and keypoint there, as NAME{ANNOTATED}."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="--save: replace files that are there already.")] = False,
    model: Annotated[
        Optional[Path], typer.Option(metavar="FILE", help="An ONNX file instead of the one that is shipped.")
    ] = None,
) -> None:
    """Find the point between the eyes of the most probable person in still pictures.

    Folders are searched with all below them. Reads JPEG, PNG, BMP, PNM, TIFF and WebP. A picture that is damaged or of
    another kind is named, its reason is corrupt_frame, and the others are done; the exit code then is 2.
    """
    entries = list(_entries(paths))
    locator = PictureLocator(model or read_nvinfer(default_nvinfer_file("full")).onnx_file)
    shelf = None if save is None else _Shelf(save, entries, force)
    unread, lines = 0, Lines(json=json)
    for entry in _with_progress(entries):
        if not lines.wanted:
            break
        try:
            picture = read_picture(entry.path)
        except InputError as error:
            tell(str(error))
            unread += 1
            lines.write(*_said(entry, None, json, max_persons))
            continue
        finding = locator.find(picture, threshold=threshold, max_persons=max_persons or 1)
        lines.write(*_said(entry, finding, json, max_persons))
        if shelf is not None:
            shelf.put(entry, picture, finding)
    if shelf is not None:
        tell(f"wrote {shelf.written} annotated pictures in {save}")
    if unread:
        others = "; the others are done" if unread < len(entries) else ""
        raise InputError(f"{unread} of {len(entries)} could not be read as pictures, see above{others}")


def read_picture(path: Path) -> NDArray[np.uint8]:
    """The picture as it is meant to be looked at (turned as its EXIF data says), (H, W, 3) BGR; InputError."""
    try:
        path.stat()
        return read_still(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from None
    except NoPictureError as error:
        raise InputError(f"{path}: {error}") from None
    except DamagedPictureError as error:
        raise InputError(f"{path}: is not a whole picture: {error}") from None


def _entries(paths: Iterable[Path]) -> Iterator[_Entry]:
    for path in paths:
        if not path.is_dir():
            yield _Entry(path, Path(path.name))
            continue
        inside = look_through(path, own=ANNOTATED)
        left_out = inside.left_out_in_words()
        for closed in inside.closed:
            tell(f"{closed}; what is in it is left out")
        if not inside.pictures:
            also = f"; {left_out}" if left_out else ""
            raise InputError(f"{path}: this folder holds no pictures ({' '.join(STILL_ENDINGS)}){also}")
        if left_out:
            tell(f"{path}: {left_out}")
        for file in inside.pictures:
            yield _Entry(file, file.relative_to(path))


def _with_progress(entries: Sequence[_Entry]) -> Iterator[_Entry]:
    """A bar on stderr where somebody looks at it and the results go elsewhere; otherwise they are the sign of life.

    No thread refreshes it: what libraries print on stderr is caught while a picture is decoded.
    """
    shown = len(entries) > 1 and sys.stderr.isatty() and not sys.stdout.isatty()
    with Progress(
        console=Console(stderr=True), disable=not shown, redirect_stdout=False, auto_refresh=False
    ) as progress:
        yield from progress.track(entries, description="searching pictures")


def _said(entry: _Entry, finding: Optional[Finding], json: bool, max_persons: Optional[int]) -> List[str]:
    """What was found, a line a person; ``finding`` is None where there was no picture to search."""
    located = None if finding is None else finding.located
    keypoints = located.keypoints if located else ()
    best = keypoints[0] if keypoints else None
    persons = [FoundPerson(probability=each.probability, pixel=[each.u, each.v]) for each in keypoints]
    message = PictureMessage(
        image=readable(entry.path),
        probability=best.probability if best else located.peak if located else None,
        pixel=[best.u, best.v] if best else None,
        reason=FrameReason.CORRUPT_FRAME if located is None else located.reason,
        persons=None if max_persons is None else persons,
    )
    if json:
        return [message.to_json()]
    if message.reason is not None:
        return [_line(message.reason.value, message.probability, None, message.image)]
    return [_line("person", each.probability, (each.u, each.v), message.image) for each in keypoints]


def _line(verdict: str, probability: Optional[float], pixel: Optional[Tuple[float, float]], image: str) -> str:
    height = "" if probability is None else f"{probability:.2f}"
    place = "" if pixel is None else f"({pixel[0]:.1f}, {pixel[1]:.1f})"
    return f"{verdict:<15}  {height:>4}  {place:>16}  {image}"


class _Shelf:
    """The folder of annotated pictures. Nothing that is read is written over, and nothing else without being told."""

    def __init__(self, folder: Path, inputs: Sequence[_Entry], force: bool) -> None:
        """InputError, before anything is written, where a picture is there already and ``force`` is not given."""
        self._taken = {entry.path.resolve() for entry in inputs}
        #: One for each time that a picture is named.
        self._targets: Dict[_Entry, List[Path]] = {}
        for entry in inputs:
            target = self._free_name(folder / entry.name)
            self._targets.setdefault(entry, []).append(target)
            if not force:
                require_new(target, what="--save DIR", force="--force")
        _make_folder(folder)
        self.written = 0

    def put(self, entry: _Entry, picture: NDArray[np.uint8], finding: Finding) -> None:
        target = self._targets[entry].pop(0)
        _make_folder(target.parent)
        annotated = draw_located(picture, finding.located, heat=finding.heat, geometry=finding.geometry)
        encoded, stream = cv2.imencode(".jpg", annotated)
        try:
            if not encoded:
                raise NasionError(f"{target}: OpenCV could not encode it as JPEG")
            write_whole(target, stream.tobytes())
        except OSError:
            raise NasionError(
                f"{target}: could not be written; is the folder writable and the disk not full?"
            ) from None
        self.written += 1

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
