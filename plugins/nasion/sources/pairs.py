"""Folders of left and right pictures.

Three layouts, with ``calibration.json`` (see ``calibration_files``) in the same folder:

* rectified: ``NNN_left.jpg`` and ``NNN_right.jpg``;
* unrectified: ``left_NN.png`` and ``right_NN.png``; they are rectified as they are read;
* as the ZED SDK's export names them, rectified: ``leftNNNNNN.png`` and ``rightNNNNNN.png``.

What the calibration says decides whether pictures are rectified; the names only tell which pictures belong together.
JPEG and PNG are read in both. ``timestamps.csv`` may say when each was taken (see ``timestamps``); else they count as
stills one second apart.
"""

import re
from pathlib import Path
from typing import List, Mapping, Optional, Tuple

from nasion.core.calibration import Calibration
from nasion.errors import InputError
from nasion.settings import DepthSettings
from nasion.sources.calibration_files import read_calibration_json, require_size
from nasion.sources.folder import CALIBRATION_NAME, FolderSource, Numbered, find_numbered, read_calibrated
from nasion.sources.frame import Clock, DepthAccessor
from nasion.sources.pictures import ENDINGS, Picture, picture_size
from nasion.sources.rectify import Rectifier
from nasion.sources.stereo_depth import StereoDepth

#: Pairs without times are stills, not a film: far enough apart that no gate compares one with the next.
_PAIRS_PER_SECOND = 1.0
_NUMBER_FIRST = re.compile(r"(\d+)_(left|right)", re.ASCII)
_EYE_FIRST = re.compile(r"(left|right)_?(\d+)", re.ASCII)


class PairsSource(FolderSource):
    """Plays a folder of pairs."""

    def __init__(self, uri: str, folder: Path, depth: DepthSettings, clock: Clock) -> None:
        """InputError: no folder, no pairs, a partner missing, sizes that differ, calibration, nothing to decode."""
        pairs = find_numbered(
            folder,
            split_name,
            {"left": ENDINGS, "right": ENDINGS},
            "000_left.jpg and 000_right.jpg, or left_00.png and right_00.png",
        )
        for pair in pairs:
            _require_equal_sizes(pair)
        path = folder / CALIBRATION_NAME
        calibration = read_calibration_json(path)
        first, size = _first_size(folder, pairs)
        require_size(path, calibration, *size, pictures=first)
        self._rectifier: Optional[Rectifier] = None
        if not isinstance(calibration, Calibration):
            self._rectifier = Rectifier(calibration)
            calibration = self._rectifier.calibration
        self._limits = depth
        super().__init__(uri, folder, pairs, calibration, _PAIRS_PER_SECOND, clock)
        self._require_decodable(folder)

    def _decode(self, files: Mapping[str, Path]) -> Tuple[Picture, DepthAccessor]:
        lens = self.calibration.left
        left, right = (read_calibrated(files[eye], lens.width, lens.height) for eye in ("left", "right"))
        if self._rectifier is not None:
            left = self._rectifier.left(left)
        return left, StereoDepth(left, right, self.calibration, self._limits, self._rectifier)


def split_name(stem: str) -> Optional[Tuple[str, str]]:
    """(number, eye) of a picture's name without ending; None where it is named otherwise."""
    match = _NUMBER_FIRST.fullmatch(stem)
    if match:
        return match[1], match[2]
    match = _EYE_FIRST.fullmatch(stem)
    return (match[2], match[1]) if match else None


def _require_equal_sizes(pair: Numbered) -> None:
    left, right = (picture_size(pair.files[eye]) for eye in ("left", "right"))
    if left and right and left != right:
        raise InputError(
            f"{pair.files['left']} is {left[0]}x{left[1]} but {pair.files['right'].name} is {right[0]}x{right[1]}; "
            "both eyes need the same size"
        )


def _first_size(folder: Path, pairs: List[Numbered]) -> Tuple[str, Tuple[int, int]]:
    """Name and size of the first picture whose header can be read."""
    for pair in pairs:
        size = picture_size(pair.files["left"])
        if size is not None:
            return pair.files["left"].name, size
    raise InputError(f"{folder} holds no picture that can be decoded ({pairs[0].files['left'].name} is none)")
