"""What all folders of numbered files have in common: which files make a frame, and playing them once in order."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Dict, List, Mapping, Optional, Sequence, Tuple

from nasion.core.calibration import Calibration
from nasion.errors import InputError
from nasion.sources.clock import stamp_now
from nasion.sources.frame import Clock, CorruptFrame, DepthAccessor, End, Frame, Grab
from nasion.sources.pictures import DamagedPictureError, Picture, read_picture
from nasion.sources.timestamps import read_times

CALIBRATION_NAME = "calibration.json"

#: From a file name without ending to (number, kind), e.g. ("007", "left"); None for a file of no frame.
Splitter = Callable[[str], Optional[Tuple[str, str]]]


@dataclass(frozen=True)
class Numbered:
    """The files of one frame, by kind."""

    number: str
    files: Mapping[str, Path]


def find_numbered(folder: Path, split: Splitter, kinds: Mapping[str, Sequence[str]], expected: str) -> List[Numbered]:
    """The frames of a folder in rising order.

    ``kinds``: each kind of file that a frame needs, with the endings it may have; ``expected``: how the
    files are to be named, for the message. InputError: no such folder, no frames, a file whose partner is missing, two
    for one place.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder" if folder.exists() else f"{folder} does not exist")
    found: Dict[str, Dict[str, Path]] = {}
    for path in sorted(folder.iterdir()):
        number, kind = split(path.stem) or ("", "")
        if path.suffix.lower() not in kinds.get(kind, ()):
            continue
        files = found.setdefault(number, {})
        if kind in files:
            raise InputError(f"{files[kind]} and {path.name} are both the {kind} file of frame {number}; remove one")
        files[kind] = path
    if not found:
        raise InputError(f"{folder} holds no frames; expected files named {expected}")
    for files in found.values():
        for kind in kinds:
            if kind not in files:
                raise InputError(
                    f"{next(iter(files.values()))} has no {kind} file beside it; add it or remove this one"
                )
    return [
        Numbered(number, files) for number, files in sorted(found.items(), key=lambda item: (int(item[0]), item[0]))
    ]


class FolderSource(ABC):
    """Plays numbered frames once, at the speed they are asked for."""

    live = False

    def __init__(
        self, uri: str, folder: Path, frames: List[Numbered], calibration: Calibration, fps: float, clock: Clock
    ) -> None:
        """InputError: ``timestamps.csv`` is wrong, or not a single frame can be decoded."""
        self.uri = uri
        self.fps = fps
        self.calibration = calibration
        self._frames, self._clock = frames, clock
        self._times = read_times(folder, [frame.number for frame in frames], fps)
        self._next = 0

    @abstractmethod
    def _decode(self, files: Mapping[str, Path]) -> Tuple[Picture, DepthAccessor]:
        """Rectified left picture and depth of one frame; DamagedPictureError."""

    def read(self) -> Grab:
        """Next frame, or CorruptFrame where one of its files is damaged."""
        if self._next >= len(self._frames):
            return End()
        index, self._next = self._next, self._next + 1
        try:
            picture, depth = self._decode(self._frames[index].files)
        except DamagedPictureError as damage:
            return CorruptFrame(stamp_now(self._clock), str(damage), self._times[index])
        return Frame(picture, depth, self.calibration, stamp_now(self._clock), self._times[index])

    def close(self) -> None:
        """Nothing is held between reads; no frame follows."""
        self._next = len(self._frames)

    def _require_decodable(self, folder: Path) -> None:
        """InputError where every frame is damaged."""
        damage = ""
        for frame in self._frames:
            try:
                self._decode(frame.files)
            except DamagedPictureError as error:
                damage = damage or str(error)
            else:
                return
        raise InputError(f"{folder} holds no frame that can be decoded ({damage})")


def read_calibrated(path: Path, width: int, height: int) -> Picture:
    """The picture of a file, (height, width, 3) BGR uint8; DamagedPictureError names the file."""
    try:
        picture = read_picture(path)
    except DamagedPictureError as damage:
        raise DamagedPictureError(f"{path.name}: {damage}") from None
    if picture.shape[:2] != (height, width):
        size = f"{picture.shape[1]}x{picture.shape[0]}"
        raise DamagedPictureError(f"{path.name} is {size}, but the calibration is for {width}x{height}")
    return picture
