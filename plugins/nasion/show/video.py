"""The annotated video: MJPEG in AVI, which every player and GStreamer's `good` plugins can open."""

import os
from pathlib import Path
from typing import List, Optional, Tuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nasion.errors import InputError, NasionError
from nasion.files import require_new

#: A file that has grown to this size is completed and a next one begun: AVI counts in 32 bits, and OpenCV ends the
#: whole process at 4 GiB.
PART_BYTES = 2 << 30


def video_path(save: str, camera: str, cameras: int) -> Path:
    """Where the annotated video of ``camera`` goes; with several ``cameras`` each has its name in the file's."""
    path = Path(save)
    return path if cameras == 1 else path.with_name(f"{path.stem}-{camera}{path.suffix}")


class AnnotatedVideo:
    """Writes pictures to a file as they come; the first one fixes the size. One thread writes and closes.

    A long video goes on in ``walk-2.avi``, ``walk-3.avi`` and so on after ``walk.avi``. Files that are there already
    are never written over: one may be the recording that the run reads.
    """

    #: The files that were completed.
    written: List[Path]

    def __init__(self, path: Path, fps: float, *, part_bytes: int = PART_BYTES, goes_on: bool = False) -> None:
        """InputError where ``path`` cannot become a video, or is there: said at the start of a run, not at its end.

        ``goes_on``: a video that is there is this run's own, from before a restart; the next part is begun.
        """
        if path.suffix.lower() != ".avi":
            raise InputError(f"{path}: an annotated video is written as .avi; name one, e.g. {path.stem or 'out'}.avi")
        if not fps > 0:
            raise InputError(f"{path}: a video needs a frame rate above 0, not {fps}")
        self.written = []
        self._first_path = self._path = path
        self._part = 1
        if goes_on and os.path.lexists(str(path)):
            self._path = self._next_part()
        _claim(self._path)
        self._part_bytes = part_bytes
        self._fps = fps
        self._size: Optional[Tuple[int, int]] = None
        self._writer: Optional[cv2.VideoWriter] = None

    def write(self, picture: NDArray[np.uint8]) -> None:
        """Append ``picture``, (H, W, 3) BGR, of the same size every time.

        NasionError: another size, a full disk (known when a file is completed).
        """
        size = (picture.shape[1], picture.shape[0])
        if self._size is None:
            self._size = size
        if size != self._size:
            raise NasionError(
                f"{self._first_path}: a picture of {size[0]} x {size[1]} came; all pictures of this video have "
                f"{self._size[0]} x {self._size[1]}"
            )
        if self._writer is not None and self._path.stat().st_size >= self._part_bytes:
            self._complete()
            self._path = self._next_part()
            _claim(self._path)
        if self._writer is None:
            self._writer = self._open(size)
        self._writer.write(picture)

    def close(self) -> None:
        """Complete the file; no error when called twice. Where no picture came, no empty file is left."""
        if self._size is None and self._path.is_file() and self._path.stat().st_size == 0:
            self._path.unlink()
        self._complete()

    def _next_part(self) -> Path:
        """The next name that is free."""
        while True:
            self._part += 1
            path = self._first_path.with_name(f"{self._first_path.stem}-{self._part}.avi")
            if not os.path.lexists(str(path)):
                return path

    def _open(self, size: Tuple[int, int]) -> cv2.VideoWriter:
        codec = cv2.VideoWriter.fourcc(*"MJPG")
        writer = cv2.VideoWriter(str(self._path), cv2.CAP_OPENCV_MJPEG, codec, self._fps, size)
        if not writer.isOpened():
            raise NasionError(f"{self._path}: OpenCV cannot write an MJPEG video of {size[0]} x {size[1]} there")
        return writer

    def _complete(self) -> None:
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        # OpenCV does not tell when a write failed. A complete RIFF file holds in bytes 4..8 its size less 8.
        with self._path.open("rb") as file:
            declared = int.from_bytes(file.read(8)[4:], "little") + 8
        written = self._path.stat().st_size
        if written != declared:
            raise NasionError(f"{self._path}: the video broke off after {written} bytes; is the disk full?")
        self.written.append(self._path)


def _claim(path: Path) -> None:
    """Create ``path``; InputError where it is there already or cannot be made."""
    require_new(path, what="video")
    try:
        descriptor = os.open(str(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError:
        require_new(path, what="video")
        raise
    except FileNotFoundError:
        raise InputError(f"{path}: the folder {path.parent} does not exist; make it first") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}; name another file") from None
    os.close(descriptor)
