"""The appsrc of one camera: pictures in, checked before GStreamer sees them."""

from typing import Any, Optional, Tuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nasion.core.tensor import row_view
from nasion.errors import NasionError
from nasion.pipeline.buffers import picture_buffer
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
        always_bgrx: bool = False,
        rows: Optional[Tuple[int, int]] = None,
    ) -> None:
        """``width``, ``height``: of whole pictures. ``rows``: the first and how many of them go in; None for all.

        ``always_bgrx``: BGR becomes BGRx and the appsrc knows its caps; else they are set with the first picture.
        """
        self._appsrc = appsrc
        self._name = name
        self._width = width
        self._height = height
        self._top, self._rows = rows or (0, height)
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
                self._appsrc.set_property("caps", _caps(_FORMATS[channels], self._width, self._rows))
        # Whole rows lie in one piece: a part of them costs no copy.
        picture = picture[self._top : self._top + self._rows]
        if self._always_bgrx and channels == 3:
            picture = cv2.cvtColor(picture, cv2.COLOR_BGR2BGRA).astype(np.uint8, copy=False)
        flow = self._appsrc.push_buffer(picture_buffer(picture, pts))
        if flow != load_gst().FlowReturn.OK:
            raise NasionError(f"{self._name}: GStreamer took no frame ({flow.value_nick})")

    def picture(self, data: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The rows whose buffer's bytes are ``data``, as they were handed over, without a copy."""
        assert self._channels is not None, "no picture was handed over"
        return row_view(data, self._width, self._rows, self._channels)

    def end(self) -> None:
        """No more pictures."""
        self._appsrc.end_of_stream()


def _caps(picture_format: str, width: int, height: int) -> Any:
    """Caps of pictures without a frame rate: every buffer has its own time."""
    return load_gst().Caps.from_string(
        f"video/x-raw,format={picture_format},width={width},height={height},framerate=0/1,pixel-aspect-ratio=1/1"
    )
