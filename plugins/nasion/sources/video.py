"""A video file frame by frame, with nothing lost silently: damaged, missing and cut-off frames are told.

Motion JPEG is taken as packets and decoded strictly, so that a damaged frame is known. Of other codecs the decoder
skips what it cannot decode; that shows as a gap in the time stamps. The file's own frame count tells a truncated file.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Union

# FFmpeg's own remarks on damaged frames would bury the one clear line; read when the first video is opened.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2
import numpy as np
from numpy.typing import NDArray

from nasion.errors import InputError
from nasion.sources.pictures import DamagedPictureError, decode_picture

Picture = NDArray[np.uint8]

#: Two frames this many frame times apart have one missing between them.
_GAP = 1.5
#: How often a decoder that fails is asked again while the file says that there is more.
_RETRIES = 60


@dataclass(frozen=True)
class VideoFrame:
    """A decoded frame, (H, W, 3) BGR uint8, a new array; ``time_ns``: its time in the video."""

    picture: Picture
    time_ns: int


@dataclass(frozen=True)
class DamagedFrame:
    """A frame that is not there or cannot be decoded."""

    why: str
    time_ns: int


@dataclass(frozen=True)
class VideoEnd:
    """No more frames; ``missing``: how many the file's header promised beyond those that came."""

    missing: int


VideoItem = Union[VideoFrame, DamagedFrame, VideoEnd]


class Video:
    """Plays a file once."""

    def __init__(self, path: Path) -> None:
        """InputError: no such file, or not a video that can be decoded."""
        self._path = path
        self._capture = _opened(path)
        self.width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        self.height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        self.fps = self._capture.get(cv2.CAP_PROP_FPS)
        if not (np.isfinite(self.fps) and 0.1 <= self.fps <= 1000):
            self.close()
            raise InputError(f"{path} does not say how many frames a second it has (found {self.fps:g})")
        #: Frames by the file's header; 0 where it does not say.
        self.count = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        self._packets = self._takes_packets()
        self._passed = 0
        self._waiting: List[VideoItem] = []
        self._last_ns: Optional[int] = None

    def read(self) -> VideoItem:
        """Next frame, damage, or the end (again and again)."""
        if not self._waiting:
            self._waiting = [self._next_packet()] if self._packets else self._next_decoded()
        item = self._waiting.pop(0)
        if not isinstance(item, VideoEnd):
            self._passed += 1
        return item

    def close(self) -> None:
        """Release the file."""
        self._capture.release()

    def _takes_packets(self) -> bool:
        fourcc = int(self._capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
        return fourcc.to_bytes(4, "little") in (b"MJPG", b"mjpg") and self._capture.set(cv2.CAP_PROP_FORMAT, -1)

    def _next_packet(self) -> VideoItem:
        there, packet = self._capture.read()
        if not there or packet is None:
            return VideoEnd(max(0, self.count - self._passed))
        time_ns = self._position_ns()
        try:
            picture = decode_picture(packet.tobytes())
        except DamagedPictureError as damage:
            return DamagedFrame(f"frame {self._passed} of {self._path.name}: {damage}", time_ns)
        return self._checked(picture, time_ns)

    def _next_decoded(self) -> List[VideoItem]:
        """The next frame, after one DamagedFrame for each that was skipped before it."""
        failures = 0
        there, picture = self._capture.read()
        while not there or picture is None:
            failures += 1
            if failures == _RETRIES or self._passed >= self.count:
                return [VideoEnd(max(0, self.count - self._passed))]
            there, picture = self._capture.read()
        time_ns = self._position_ns()
        if self._last_ns is None and not failures:
            # The first frame need not be at 0.
            self._last_ns = time_ns - round(1e9 / self.fps)
        items = [*self._gap_before(time_ns), self._checked(np.asarray(picture, np.uint8), time_ns)]
        self._last_ns = time_ns
        return items

    def _gap_before(self, time_ns: int) -> List[VideoItem]:
        """One DamagedFrame for each frame time without a frame before ``time_ns``."""
        period = 1e9 / self.fps
        begin = -period if self._last_ns is None else self._last_ns
        steps = (time_ns - begin) / period
        missing = min(round(steps) - 1, max(0, self.count - self._passed - 1)) if steps > _GAP else 0
        return [
            DamagedFrame(
                f"frame {self._passed + step} of {self._path.name} is missing or cannot be decoded",
                round(begin + (step + 1) * period),
            )
            for step in range(missing)
        ]

    def _checked(self, picture: Picture, time_ns: int) -> VideoItem:
        height, width = picture.shape[:2]
        if (width, height) != (self.width, self.height):
            odd = f"frame {self._passed} of {self._path.name} is {width}x{height}"
            return DamagedFrame(f"{odd} in a video of {self.width}x{self.height}", time_ns)
        return VideoFrame(picture, time_ns)

    def _position_ns(self) -> int:
        return round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)


def _opened(path: Path) -> cv2.VideoCapture:
    if not path.exists():
        raise InputError(f"{path} does not exist")
    if not path.is_file():
        raise InputError(f"{path} is not a file")
    # OpenCV's own lines about a file that is no video are silenced; version 5 moved these functions.
    log = getattr(cv2.utils, "logging", cv2)
    level = log.getLogLevel()
    log.setLogLevel(0)
    try:
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    finally:
        log.setLogLevel(level)
    if not capture.isOpened():
        raise InputError(f"{path} is not a video that can be decoded; it is damaged, or of an unknown kind")
    return capture
