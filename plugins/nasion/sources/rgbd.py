"""Folders of left pictures with a metric depth map each: what a ZED gives, without its SDK having to be there.

Files of frame NNNNNN (any number of digits):

* ``NNNNNN_left.png`` (or ``.jpg``), or ``leftNNNNNN.png`` as the ZED SDK's export names it: the rectified left picture;
* ``NNNNNN_depth.npy``: NumPy array (H, W) of little-endian float32, z in metres for each pixel of that picture; NaN
  unknown, -inf too near and +inf too far for the camera, as ``sl.Mat.get_data`` of ``MEASURE.DEPTH`` gives it;
* or ``NNNNNN_depth.png`` (``depthNNNNNN.png``): 16 bits, grey, z in millimetres, or in ``depth_scale`` units a metre; 0
  is unknown;
* ``calibration.json``: the rectified layout of ``calibration_files`` (the baseline says how exact depth can be);
* optionally ``timestamps.csv`` (see ``timestamps``); without it the frames are 1/30 s apart.
"""

import re
from pathlib import Path
from typing import Callable, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from nasion.core.calibration import Calibration
from nasion.errors import InputError
from nasion.settings import DepthSettings
from nasion.sources.calibration_files import read_calibration_json, require_size
from nasion.sources.depth_map import DepthMap
from nasion.sources.folder import CALIBRATION_NAME, FolderSource, find_numbered, read_calibrated
from nasion.sources.frame import Clock, DepthAccessor
from nasion.sources.pictures import (
    ENDINGS,
    DamagedPictureError,
    Picture,
    decode_grey16,
    picture_bytes,
    picture_size,
)

_FPS = 30.0
_NAME = re.compile(r"(\d+)_(left|depth)", re.ASCII)
_EXPORTED = re.compile(r"(left|depth)(\d+)", re.ASCII)
#: 16-bit pictures of depth are in millimetres, unless somebody says otherwise.
PNG_UNITS_A_METRE = 1000.0
#: No camera's scene is so deep in the middle: such numbers are centimetres, or millimetres from the second on.
_CENTIMETRES_FROM, _MILLIMETRES_FROM = 100.0, 700.0
#: NumPy's header is some hundred bytes.
_MOST_HEADER_BYTES = 1 << 16
#: Frames that are looked at for it.
_TRIED = 3


class RgbdSource(FolderSource):
    """Plays a folder of pictures with depth."""

    def __init__(
        self,
        uri: str,
        folder: Path,
        depth: DepthSettings,
        clock: Clock,
        *,
        depth_scale: Optional[float] = None,
        on_event: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``depth_scale``: units a metre of 16-bit PNG depth; default: PNG_UNITS_A_METRE, which is told.

        InputError: no such folder, nothing in it, a partner missing, calibration, depth of another unit, nothing that
        can be decoded.
        """
        # Beside depth in metres, pictures of it are for people.
        of_metres = any(folder.glob("*depth*.npy"))
        frames = find_numbered(
            folder,
            split_name,
            {"left": ENDINGS, "depth": (".npy",) if of_metres else (".png",)},
            "000000_left.png and 000000_depth.npy (float32, metres) or 000000_depth.png (16 bits, millimetres)",
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
        self._scale = PNG_UNITS_A_METRE if depth_scale is None else depth_scale
        super().__init__(uri, folder, frames, calibration, _FPS, clock)
        self._require_decodable(folder)
        self._require_metres([frame.files["depth"] for frame in frames])
        if any(frame.files["depth"].suffix.lower() == ".png" for frame in frames):
            how = "as is usual; ?depth_scale=N says otherwise" if depth_scale is None else "as depth_scale says"
            on_event(f"{uri}: 16-bit depth is read as {self._scale:g} units a metre, {how}")

    def _decode(self, files: Mapping[str, Path]) -> Tuple[Picture, DepthAccessor]:
        lens = self.calibration.left
        picture = read_calibrated(files["left"], lens.width, lens.height)
        return picture, DepthMap(self._depth(files["depth"]), self._limits)

    def _depth(self, path: Path) -> NDArray[np.float32]:
        shape = (self.calibration.left.height, self.calibration.left.width)
        if path.suffix.lower() == ".png":
            return read_depth_picture(path, shape, self._scale)
        return read_depth(path, shape)

    def _require_metres(self, paths: Sequence[Path]) -> None:
        """InputError where the first maps that can be read and know a depth all look like another unit."""
        looks: List[Tuple[float, Path]] = []
        for path in paths:
            try:
                depth = self._depth(path)
            except DamagedPictureError:
                continue
            known = depth[np.isfinite(depth) & (depth > 0)]
            if known.size:
                looks.append((float(np.median(known)), path))
            if len(looks) == _TRIED:
                break
        middle, path = min(looks, default=(0.0, Path()))
        if middle >= _CENTIMETRES_FROM:
            unit = "millimetres" if middle >= _MILLIMETRES_FROM else "centimetres"
            remedy = (
                "?depth_scale=N says how many units a metre has" if path.suffix.lower() == ".png" else "divide them"
            )
            raise InputError(
                f"{self.uri}: the median depth of {path.name} is {middle:g}; metres are expected, and these look like "
                f"{unit}; {remedy}"
            )


def split_name(stem: str) -> Optional[Tuple[str, str]]:
    """(number, kind) of a file's name without ending; None where it is named otherwise."""
    match = _NAME.fullmatch(stem)
    if match:
        return match[1], match[2]
    match = _EXPORTED.fullmatch(stem)
    return (match[2], match[1]) if match else None


def read_depth_picture(path: Path, shape: Tuple[int, int], units_a_metre: float) -> NDArray[np.float32]:
    """The depth map, metres, of a 16-bit grey PNG; 0 becomes NaN. DamagedPictureError where it is none of ``shape``."""
    try:
        depth = decode_grey16(picture_bytes(path))
    except DamagedPictureError as damage:
        raise DamagedPictureError(f"{path.name}: {damage}") from None
    if depth.shape != shape:
        raise DamagedPictureError(f"{path.name}: expected 16 bits {shape}, found {depth.shape}")
    metres = depth.astype(np.float32) / np.float32(units_a_metre)
    metres[depth == 0] = np.nan
    return metres


def read_depth(path: Path, shape: Tuple[int, int]) -> NDArray[np.float32]:
    """The depth map of a file; DamagedPictureError where it is none of that ``shape`` (H, W)."""
    try:
        # A pipe that nobody writes to would be waited for, and a header can ask for more memory than there is.
        if not path.is_file():
            raise DamagedPictureError(f"{path.name} is no regular file")
        if path.stat().st_size > 4 * shape[0] * shape[1] + _MOST_HEADER_BYTES:
            raise DamagedPictureError(f"{path.name} is larger than float32 {shape}, metres; is it another array?")
        # Never a pickle: that would run whatever is in it.
        depth = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError, OverflowError) as error:
        raise DamagedPictureError(f"{path.name} is not a readable .npy file: {error}") from None
    if not isinstance(depth, np.ndarray) or depth.dtype != np.float32 or depth.shape != shape:
        found = f"{depth.dtype} {depth.shape}" if isinstance(depth, np.ndarray) else "an archive"
        raise DamagedPictureError(f"{path.name}: expected float32 {shape}, metres, found {found}")
    return depth
