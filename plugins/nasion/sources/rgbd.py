"""Folders of left pictures with a metric depth map each: what a ZED gives, without its SDK having to be there.

Files of frame NNNNNN (any number of digits):

* ``NNNNNN_left.png`` (or ``.jpg``): the rectified left picture;
* ``NNNNNN_depth.npy``: NumPy array (H, W) of little-endian float32, z in metres for each pixel of that picture; NaN
  unknown, -inf too near and +inf too far for the camera, as ``sl.Mat.get_data`` of ``MEASURE.DEPTH`` gives it;
* ``calibration.json``: the rectified layout of ``calibration_files`` (the baseline says how exact depth can be);
* optionally ``timestamps.csv`` (see ``timestamps``); without it the frames are 1/30 s apart.
"""

import re
from pathlib import Path
from typing import Mapping, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from nasion.core.calibration import Calibration
from nasion.errors import InputError
from nasion.settings import DepthSettings
from nasion.sources.calibration_files import read_calibration_json, require_size
from nasion.sources.depth_map import DepthMap
from nasion.sources.folder import CALIBRATION_NAME, FolderSource, find_numbered, read_calibrated
from nasion.sources.frame import Clock, DepthAccessor
from nasion.sources.pictures import ENDINGS, DamagedPictureError, Picture, picture_size

_FPS = 30.0
_NAME = re.compile(r"(\d+)_(left|depth)", re.ASCII)


class RgbdSource(FolderSource):
    """Plays a folder of pictures with depth."""

    def __init__(self, uri: str, folder: Path, depth: DepthSettings, clock: Clock) -> None:
        """InputError: no such folder, nothing in it, a partner missing, calibration, nothing that can be decoded."""
        frames = find_numbered(
            folder, split_name, {"left": ENDINGS, "depth": (".npy",)}, "000000_left.png and 000000_depth.npy"
        )
        path = folder / CALIBRATION_NAME
        calibration = read_calibration_json(path)
        if not isinstance(calibration, Calibration):
            raise InputError(
                f"{path} describes unrectified pictures, but a depth map belongs to a rectified one; "
                "give width, height, fx, fy, cx, cy, baseline_m"
            )
        sizes = ((frame.files["left"].name, picture_size(frame.files["left"])) for frame in frames)
        name, size = next(((name, size) for name, size in sizes if size), ("", None))
        if size is not None:
            require_size(path, calibration, *size, pictures=name)
        self._limits = depth
        super().__init__(uri, folder, frames, calibration, _FPS, clock)
        self._require_decodable(folder)

    def _decode(self, files: Mapping[str, Path]) -> Tuple[Picture, DepthAccessor]:
        lens = self.calibration.left
        picture = read_calibrated(files["left"], lens.width, lens.height)
        return picture, DepthMap(read_depth(files["depth"], (lens.height, lens.width)), self._limits)


def split_name(stem: str) -> Optional[Tuple[str, str]]:
    """(number, kind) of a file's name without ending; None where it is named otherwise."""
    match = _NAME.fullmatch(stem)
    return (match[1], match[2]) if match else None


def read_depth(path: Path, shape: Tuple[int, int]) -> NDArray[np.float32]:
    """The depth map of a file; DamagedPictureError where it is none of that ``shape`` (H, W)."""
    try:
        # Never a pickle: that would run whatever is in it.
        depth = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DamagedPictureError(f"{path.name} is not a readable .npy file: {error}") from None
    if not isinstance(depth, np.ndarray) or depth.dtype != np.float32 or depth.shape != shape:
        found = f"{depth.dtype} {depth.shape}" if isinstance(depth, np.ndarray) else "an archive"
        raise DamagedPictureError(f"{path.name}: expected float32 {shape}, metres, found {found}")
    return depth
