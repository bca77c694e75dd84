"""What of a picture goes into GStreamer: all of it, or some of its rows, without a copy."""

from typing import Any, List, Optional, Tuple

import numpy as np
import pytest
from nasion.errors import NasionError
from nasion.pipeline.buffers import mapped
from nasion.pipeline.gst import load_gst
from nasion.pipeline.inlet import Inlet

WIDTH, HEIGHT = 32, 24


class Taken:
    """An appsrc that keeps what it is given."""

    def __init__(self) -> None:
        self.buffers: List[Any] = []

    def set_property(self, name: str, _value: Any) -> None:
        assert name == "caps"

    def push_buffer(self, buffer: Any) -> Any:
        self.buffers.append(buffer)
        return load_gst().FlowReturn.OK


def picture_of(channels: int) -> Any:
    return np.arange(WIDTH * HEIGHT * channels, dtype=np.uint8).reshape(HEIGHT, WIDTH, channels)


@pytest.mark.parametrize("rows", [None, (0, HEIGHT), (4, 10), (22, 2)])
@pytest.mark.parametrize(("channels", "always_bgrx"), [(4, False), (4, True), (3, True), (3, False)])
def test_the_rows_go_in_and_are_what_was_handed_over(
    rows: Optional[Tuple[int, int]], channels: int, always_bgrx: bool
) -> None:
    taken = Taken()
    inlet = Inlet(taken, "cam0", WIDTH, HEIGHT, always_bgrx=always_bgrx, rows=rows)
    picture = picture_of(channels)
    inlet.push(picture, 7)
    (buffer,) = taken.buffers
    assert buffer.pts == 7
    top, count = rows or (0, HEIGHT)
    with mapped(buffer) as data:
        converted = always_bgrx and channels == 3
        assert data.size == WIDTH * count * (4 if converted else channels)
        seen = data.reshape(count, WIDTH, -1)[:, :, :channels]
        assert np.array_equal(seen, picture[top : top + count])
        # No copy but for the channel that is put in.
        assert (data.ctypes.data == picture[top:].ctypes.data) == (not converted)


def test_a_picture_of_another_size_is_refused_also_where_its_rows_would_do() -> None:
    inlet = Inlet(Taken(), "cam0", WIDTH, HEIGHT, rows=(0, 10))
    with pytest.raises(NasionError, match="expected 24 x 32"):
        inlet.push(picture_of(4)[:12], 0)
