"""A video file frame by frame, with nothing lost silently: damaged, missing and cut-off frames are told.

Motion JPEG is taken as packets and decoded strictly, so that a damaged frame is known. Of other codecs the decoder
skips what it cannot decode; the packets' own times, read a little ahead of it, tell which. Frames may come at any pace:
a pause is no damage. A file that is shorter than it says was cut off.
"""

import heapq
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
from nasion.sources.containers import is_cut_off
from nasion.sources.pictures import DamagedPictureError, decode_picture

Picture = NDArray[np.uint8]

#: Packets that are read ahead: codecs store frames in another order than they are shown in, but not by so many.
_AHEAD = 64
#: Times of a packet and of its frame differ by rounding only.
_SAME_NS = 100_000
#: Containers whose count of frames is one of frames, and not guessed from a duration.
_COUNTED = (".avi", ".mp4", ".mov", ".m4v")
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
        self._times: Optional[_PacketTimes] = None
        self.width = int(self._capture.get(cv2.CAP_PROP_FRAME_WIDTH))
        self.height = int(self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        self.fps = self._capture.get(cv2.CAP_PROP_FPS)
        if not (np.isfinite(self.fps) and 0.1 <= self.fps <= 1000):
            self.close()
            raise InputError(f"{path} does not say how many frames a second it has (found {self.fps:g})")
        #: Frames by the file's header; 0 where it does not say.
        self.count = max(0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        self._packets = self._takes_packets()
        if not self._packets:
            self._times = _PacketTimes(path)
        self._passed = 0
        self._waiting: List[VideoItem] = []

    def read(self) -> VideoItem:
        """Next frame, damage, or the end (again and again)."""
        if not self._waiting:
            self._waiting = [self._next_packet()] if self._packets else self._next_decoded()
        item = self._waiting.pop(0)
        if not isinstance(item, VideoEnd):
            self._passed += 1
        return item

    @property
    def codec(self) -> str:
        """The four letters by which the file names its codec."""
        letters = (int(self._capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF).to_bytes(4, "little")
        return "".join(chr(letter) if 32 < letter < 127 else "?" for letter in letters)

    def close(self) -> None:
        """Release the file."""
        self._capture.release()
        if self._times is not None:
            self._times.close()

    def _takes_packets(self) -> bool:
        fourcc = int(self._capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
        return fourcc.to_bytes(4, "little") in (b"MJPG", b"mjpg") and self._capture.set(cv2.CAP_PROP_FORMAT, -1)

    def _next_packet(self) -> VideoItem:
        there, packet = self._capture.read()
        if not there or packet is None:
            return VideoEnd(self._missing())
        time_ns = self._position_ns()
        try:
            picture = decode_picture(packet.tobytes())
        except DamagedPictureError as damage:
            return DamagedFrame(f"frame {self._passed} of {self._path.name}: {damage}", time_ns)
        return self._checked(picture, time_ns)

    def _next_decoded(self) -> List[VideoItem]:
        """The next frame, after one DamagedFrame for each that was skipped before it."""
        assert self._times is not None
        failures = 0
        there, picture = self._capture.read()
        while not there or picture is None:
            failures += 1
            if failures == _RETRIES or not self._times.more:
                return [*self._skipped(self._times.rest()), VideoEnd(self._missing())]
            there, picture = self._capture.read()
        time_ns = self._position_ns()
        return [*self._skipped(self._times.before(time_ns)), self._checked(np.asarray(picture, np.uint8), time_ns)]

    def _skipped(self, times_ns: List[int]) -> List[VideoItem]:
        return [
            DamagedFrame(f"frame {self._passed + step} of {self._path.name} is missing or cannot be decoded", time_ns)
            for step, time_ns in enumerate(times_ns)
        ]

    def _missing(self) -> int:
        """Frames that were cut off."""
        cut_off = is_cut_off(self._path)
        told = cut_off or (cut_off is None and self._path.suffix.lower() in _COUNTED)
        return max(0, self.count - self._passed) if told else 0

    def _checked(self, picture: Picture, time_ns: int) -> VideoItem:
        height, width = picture.shape[:2]
        if (width, height) != (self.width, self.height):
            odd = f"frame {self._passed} of {self._path.name} is {width}x{height}"
            return DamagedFrame(f"{odd} in a video of {self.width}x{self.height}", time_ns)
        return VideoFrame(picture, time_ns)

    def _position_ns(self) -> int:
        return round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)


class _PacketTimes:
    """When the packets of a video are to be shown, in the order in which they are shown."""

    def __init__(self, path: Path) -> None:
        self._capture = _opened(path)
        self._waiting: List[int] = []
        self._ended = not self._capture.set(cv2.CAP_PROP_FORMAT, -1)
        self._read_ahead()

    @property
    def more(self) -> bool:
        """Whether there are packets whose frames did not come yet."""
        return bool(self._waiting)

    def before(self, time_ns: int) -> List[int]:
        """The times of packets before ``time_ns``, which is the time of a frame that came; each is told once."""
        skipped: List[int] = []
        while self._waiting and self._waiting[0] <= time_ns + _SAME_NS:
            earliest = heapq.heappop(self._waiting)
            self._read_ahead()
            if earliest < time_ns - _SAME_NS:
                skipped.append(earliest)
        return skipped

    def rest(self) -> List[int]:
        """The times of those that are left; no more than are read ahead, so that a file cannot ask for more."""
        left = sorted(self._waiting)
        self._waiting, self._ended = [], True
        return left

    def close(self) -> None:
        """Release the file."""
        self._capture.release()

    def _read_ahead(self) -> None:
        while not self._ended and len(self._waiting) < _AHEAD:
            if not self._capture.grab():
                self._ended = True
                return
            time_ns = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
            # What an edit list cuts off before the beginning is decoded and not shown.
            if time_ns >= 0:
                heapq.heappush(self._waiting, time_ns)


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
