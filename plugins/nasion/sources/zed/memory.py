"""The memory that the ZED SDK writes pictures and depth into, given away as arrays without a copy.

A ``sl.Mat`` is written again by each retrieve, so a frame that is still on its way would change under the reader. Here
each retrieve gets a Mat whose array nobody holds any more; a new Mat is made only where all are held. Without that a
1080p frame passed memory four times in this source (the SDK's writing and our copy, of picture and of depth: 66 MB),
with it twice (33 MB).
"""

import ctypes
import weakref
from typing import Any, Callable, List, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Literal

from nasion.errors import NasionError
from nasion.sources.zed.codes import Code

#: A Mat, and the array that was given of it last.
_Entry = Tuple[Any, "Optional[weakref.ref[NDArray[Any]]]"]


class LentMats:
    """Mats of one kind of pixels. Used by the camera's thread; arrays may be held and let go by any."""

    def __init__(self, new_mat: Callable[[], Any], cpu: Any, dtype: Literal["uint8", "float32"], channels: int) -> None:
        """``new_mat``: makes a ``sl.Mat``; ``cpu``: ``sl.MEM.CPU``; a pixel is ``channels`` numbers of ``dtype``."""
        self._new_mat = new_mat
        self._cpu = cpu
        self._dtype = np.dtype(dtype)
        self._channels = channels
        self._entries: List[_Entry] = []

    def retrieved(self, retrieve: Callable[[Any], Code]) -> Union[NDArray[Any], Code]:
        """What ``retrieve`` wrote into the Mat that it was given: (H, W, channels), or (H, W) for one channel.

        The array keeps its memory, also when the camera is closed; nothing writes to it as long as it, or a view of it,
        is held. The code where ``retrieve`` failed. NasionError: the SDK's memory is not what was expected.
        """
        mat = self._free()
        found = retrieve(mat)
        if not found.ok:
            self._entries.append((mat, None))
            return found
        array = self._array(mat)
        self._entries.append((mat, weakref.ref(array)))
        return array

    def _free(self) -> Any:
        """A Mat whose array nobody holds, taken from the entries, or a new one."""
        for place, (mat, given) in enumerate(self._entries):
            if given is None or given() is None:
                del self._entries[place]
                return mat
        return self._new_mat()

    def _array(self, mat: Any) -> NDArray[Any]:
        cpu = self._cpu
        height, width, row = int(mat.get_height()), int(mat.get_width()), int(mat.get_step_bytes(cpu))
        address, pixel = int(mat.get_pointer(cpu)), self._dtype.itemsize * self._channels
        if int(mat.get_pixel_bytes()) != pixel or address == 0 or height < 1 or not pixel <= width * pixel <= row:
            raise NasionError(
                f"the ZED SDK gave {width} x {height} pixels of {mat.get_pixel_bytes()} bytes, {row} bytes a row, at "
                f"{address:#x}; expected pixels of {pixel} bytes"
            )
        # Not by `get_data`, which takes padded rows for pixels, and whose array does not keep the memory.
        memory = (ctypes.c_uint8 * (row * height)).from_address(address)
        memory.mat = mat  # type: ignore[attr-defined]
        shape, strides = (height, width), (row, pixel)
        if self._channels > 1:
            shape, strides = (*shape, self._channels), (*strides, self._dtype.itemsize)  # type: ignore[assignment]
        array: NDArray[Any] = np.ndarray(shape, self._dtype, buffer=memory, strides=strides)  # type: ignore[arg-type]
        # GStreamer takes whole rows only.
        return array if row == width * pixel else np.ascontiguousarray(array)
