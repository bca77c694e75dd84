"""The appsrc of one camera: pictures in, checked before GStreamer sees them."""

from typing import Any, Optional, Tuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nasion.errors import NasionError
from nasion.pipeline.buffers import crop_buffer, picture_buffer
from nasion.pipeline.gst import load_gst

_FORMATS = {3: "BGR", 4: "BGRx"}


class Inlet:
    """Feeds an ``appsrc`` with the pictures of the camera ``name``, all of one size and kind."""

    def __init__(
        self,
        appsrc: Any,
        name: str,
        width: int,
        height: int,
        *,
        crop: Optional[Tuple[slice, slice]] = None,
        packed: bool = True,
        always_bgrx: bool = False,
    ) -> None:
        """``crop``: rows and columns, of which alone GStreamer gets to know; ``packed``: rows lie as GStreamer expects
        them, else where they lie in the picture, without a copy, and the buffer says so (see `crop_buffer`).
        ``always_bgrx``: BGR becomes BGRx and the appsrc knows its caps; else they are set with the first picture.
        """
        self._appsrc = appsrc
        self._name = name
        self._width = width
        self._height = height
        self._crop = crop
        self._packed = packed
        self._always_bgrx = always_bgrx
        self._channels: Optional[int] = None

    def push(self, picture: NDArray[np.uint8], pts: int) -> None:
        """Hand over a picture, (height, width, 3 or 4) uint8; nobody may write to it any more.

        NasionError where it does not fit.
        """
        channels = self._channels or picture.shape[-1]
        if picture.shape != (self._height, self._width, channels) or channels not in _FORMATS:
            raise NasionError(
                f"{self._name}: the source gave a picture of the shape {picture.shape}; expected {self._height} x "
                f"{self._width} x {self._channels or '3 or 4'}"
            )
        if self._channels is None:
            self._channels = channels
            if not self._always_bgrx:
                height, width = self._seen(picture).shape[:2]
                self._appsrc.set_property("caps", video_caps(_FORMATS[channels], width, height))
        if self._always_bgrx and channels == 3:
            picture = cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA).astype(np.uint8, copy=False)
        seen = self._seen(picture)
        buffer = picture_buffer(seen, pts) if self._packed else crop_buffer(seen, _FORMATS[channels], pts)
        flow = self._appsrc.push_buffer(buffer)
        if flow != load_gst().FlowReturn.OK:
            raise NasionError(f"{self._name}: GStreamer took no frame ({flow.value_nick})")

    def _seen(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return picture if self._crop is None else picture[self._crop]

    def end(self) -> None:
        """No more pictures."""
        self._appsrc.end_of_stream()


def video_caps(picture_format: str, width: int, height: int) -> Any:
    """Caps of pictures without a frame rate: every buffer has its own time."""
    return load_gst().Caps.from_string(
        f"video/x-raw,format={picture_format},width={width},height={height},framerate=0/1,pixel-aspect-ratio=1/1"
    )
