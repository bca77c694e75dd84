"""Side-by-side stereo videos: the left eye's picture in the left half, as a ZED delivers them.

Unrectified, unless the URI says ``?rectified=1`` or the calibration is of rectified pictures. The calibration is
``?calibration=PATH``, else ``calibration.json`` or the only ``SN*.conf`` beside the video.
"""

from collections import deque
from pathlib import Path
from typing import Deque, Optional, Tuple

import numpy as np

from nasion.core.calibration import Calibration
from nasion.errors import InputError
from nasion.settings import DepthSettings
from nasion.sources.calibration_files import StereoCalibration, read_calibration_json, require_size
from nasion.sources.clock import stamp_now
from nasion.sources.folder import CALIBRATION_NAME
from nasion.sources.frame import Clock, CorruptFrame, End, Frame, Grab
from nasion.sources.rectify import Rectifier
from nasion.sources.stereo_depth import StereoDepth
from nasion.sources.video import DamagedFrame, Video, VideoEnd, VideoItem
from nasion.sources.zed_conf import read_zed_conf

#: So many damaged frames at its beginning, and a video holds none that can be decoded.
_MOST_DAMAGED = 1000
#: Width by height of one eye: outside of these the video is not two pictures side by side.
_LEAST_ASPECT, _MOST_ASPECT = 1.2, 2.5


class SideBySideSource:
    """Plays a side-by-side video once, at the speed it is asked for."""

    live = False

    def __init__(
        self,
        uri: str,
        path: Path,
        depth: DepthSettings,
        clock: Clock,
        rectified: Optional[bool] = None,
        calibration: Optional[Path] = None,
    ) -> None:
        """``rectified``: what the URI says, None where it says nothing. InputError: video, calibration, sizes."""
        self.uri = uri
        self._depth, self._clock, self._path = depth, clock, path
        self._video = Video(path)
        try:
            self.fps = self._video.fps
            self._eye = _eye_size(path, self._video)
            where = calibration or _beside(path)
            self.calibration, self._rectifier = _prepared(where, self._eye, path.name, rectified)
            self._opened_with = self._until_decodable()
        except InputError:
            self._video.close()
            raise
        self._frames = 0

    def read(self) -> Grab:
        """Next frame, CorruptFrame where it is damaged, End at the end, with a warning where the file was cut off."""
        item = self._opened_with.popleft() if self._opened_with else self._video.read()
        if isinstance(item, VideoEnd):
            return End(self._warning(item.missing))
        self._frames += 1
        stamp = stamp_now(self._clock)
        if isinstance(item, DamagedFrame):
            return CorruptFrame(stamp, item.why, item.time_ns)
        width = self._eye[0]
        left, right = item.picture[:, :width], item.picture[:, width:]
        picture = np.ascontiguousarray(left) if self._rectifier is None else self._rectifier.left(left)
        depth = StereoDepth(picture, right, self.calibration, self._depth, self._rectifier)
        return Frame(picture, depth, self.calibration, stamp, item.time_ns)

    def close(self) -> None:
        """Release the file."""
        self._video.close()

    def _warning(self, missing: int) -> Optional[str]:
        if not missing:
            return None
        return f"{self._path} ends after {self._frames} of {self._frames + missing} frames: it was cut off"

    def _until_decodable(self) -> Deque[VideoItem]:
        """What comes up to the first whole frame; it is given again by ``read``."""
        items: Deque[VideoItem] = deque()
        while not items or isinstance(items[-1], DamagedFrame):
            if len(items) == _MOST_DAMAGED:
                # A file of many hours in which nothing can be decoded.
                items.append(VideoEnd(0))
                break
            items.append(self._video.read())
        if isinstance(items[-1], VideoEnd):
            why = items[0].why if isinstance(items[0], DamagedFrame) else "it is empty"
            raise InputError(
                f"{self._path} holds no frame that can be decoded ({why}); its codec is {self._video.codec}; where "
                f"OpenCV does not know that one: ffmpeg -i {self._path.name} -c:v mjpeg -q:v 2 {self._path.stem}.avi"
            )
        return items


def _eye_size(path: Path, video: Video) -> Tuple[int, int]:
    """(width, height) of one eye; InputError where the video cannot be two pictures side by side."""
    width, height = video.width // 2, video.height
    if video.width % 2 or not _LEAST_ASPECT <= width / height <= _MOST_ASPECT:
        raise InputError(
            f"{path} is {video.width}x{height}, which is not two pictures side by side; a ZED records 2560x720, "
            "3840x1080, 4416x1242 or 1344x376"
        )
    return width, height


def _beside(video: Path) -> Path:
    """The calibration next to the video; InputError where there is none, or no telling which."""
    json = video.parent / CALIBRATION_NAME
    if json.is_file():
        return json
    factory = sorted(video.parent.glob("SN*.conf"))
    if len(factory) == 1:
        return factory[0]
    found = "none" if not factory else " and ".join(path.name for path in factory)
    raise InputError(
        f"{video} needs a calibration: {CALIBRATION_NAME} or one SN*.conf beside it ({found} found), "
        "or say which: ?calibration=PATH"
    )


def _prepared(
    path: Path, eye: Tuple[int, int], video: str, rectified: Optional[bool]
) -> Tuple[Calibration, Optional[Rectifier]]:
    """The calibration of the rectified pictures, and what rectifies them where they are not yet."""
    calibration: StereoCalibration
    if path.suffix.lower() == ".conf":
        calibration = read_zed_conf(path, *eye)
    else:
        calibration = read_calibration_json(path)
        require_size(path, calibration, *eye, pictures=f"one eye of {video}")
    if isinstance(calibration, Calibration):
        if rectified is False:
            raise InputError(
                f"{path} is of rectified pictures, but the URI says ?rectified=0; give the lens parameters"
            )
        return calibration, None
    if rectified:
        raise InputError(
            f"{path} describes the lenses of unrectified pictures, but the URI says ?rectified=1; give a "
            f"{CALIBRATION_NAME} with width, height, fx, fy, cx, cy, baseline_m of the rectified ones"
        )
    rectifier = Rectifier(calibration)
    return rectifier.calibration, rectifier
