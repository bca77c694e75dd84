"""The memory that the ZED SDK writes pictures and depth into, given away as arrays without a copy.

A ``sl.Mat`` is written again by each retrieve, so a frame that is still on its way would change under the reader. Here
each retrieve gets a Mat whose array nobody holds any more; a new Mat is made only where all are held. Without that a
1080p frame passed memory four times in this source (the SDK's writing and our copy, of picture and of depth: 50 MB read
and written), with it twice (17 MB written).

Where the SDK can (5.3.1 on), it writes into memory of ours, which is then no concern of the SDK's when the camera is
closed, or in which thread the last reader lets go. Whether it did is seen afterwards by the address; else, as with
older ones, its own memory is given away, and kept as long as the array.
"""

import ctypes
import weakref
from dataclasses import dataclass
from typing import Any, Callable, List, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Literal

from nasion.errors import NasionError
from nasion.sources.zed.codes import Code

#: Makes a Mat that writes to an address: width, height, address, bytes a row. Any error: this SDK has no such Mats.
Borrow = Callable[[int, int, int, int], Any]
#: Mats that nobody holds, kept for what comes; more are let go.
_SPARE = 2


@dataclass
class _Slot:
    """A Mat, its memory where that is ours, and the array that was given of it last."""

    mat: Any
    own: Optional[Any] = None
    given: "Optional[weakref.ref[NDArray[Any]]]" = None

    @property
    def free(self) -> bool:
        return self.given is None or self.given() is None


class LentMats:
    """Mats of one kind of pixels. Used by the camera's thread; arrays may be held and let go by any."""

    def __init__(
        self,
        new_mat: Callable[[], Any],
        borrow: Borrow,
        cpu: Any,
        dtype: Literal["uint8", "float32"],
        channels: int,
    ) -> None:
        """``new_mat``: makes a ``sl.Mat``; ``cpu``: ``sl.MEM.CPU``; a pixel is ``channels`` numbers of ``dtype``."""
        self._new_mat = new_mat
        self._borrow: Optional[Borrow] = borrow
        self._cpu = cpu
        self._dtype = np.dtype(dtype)
        self._channels = channels
        self._size: Optional[Tuple[int, int]] = None
        self._slots: List[_Slot] = []

    @property
    def borrows(self) -> bool:
        """Whether the SDK writes into memory of ours, as far as was seen."""
        return self._borrow is not None

    def retrieved(self, retrieve: Callable[[Any], Code]) -> Union[NDArray[Any], Code]:
        """What ``retrieve`` wrote into the Mat that it was given: (H, W, channels), or (H, W) for one channel.

        The array keeps its memory, also when the camera is closed; nothing writes to it as long as it, or a view of it,
        is held. The code where ``retrieve`` failed. NasionError: the SDK's memory is not what was expected.
        """
        slot = self._free()
        self._slots.append(slot)
        found = retrieve(slot.mat)
        if not found.ok:
            return found
        return self._array(slot)

    def _free(self) -> _Slot:
        """One whose array nobody holds, taken from the slots, or a new one."""
        free = [slot for slot in self._slots if slot.free]
        self._slots = [slot for slot in self._slots if not slot.free] + free[1 : 1 + _SPARE]
        return free[0] if free else self._new()

    def _new(self) -> _Slot:
        if self._borrow is not None and self._size is not None:
            width, height = self._size
            row = width * self._pixel
            own = (ctypes.c_uint8 * (row * height))()
            try:
                return _Slot(self._borrow(width, height, ctypes.addressof(own), row), own)
            except Exception:
                # 4.2 to 5.3.0 take no address: int has no attribute encode.
                self._borrow = None
        return _Slot(self._new_mat())

    @property
    def _pixel(self) -> int:
        return self._dtype.itemsize * self._channels

    def _array(self, slot: _Slot) -> NDArray[Any]:
        mat, cpu = slot.mat, self._cpu
        height, width, row = int(mat.get_height()), int(mat.get_width()), int(mat.get_step_bytes(cpu))
        address, pixel = int(mat.get_pointer(cpu)), self._pixel
        if int(mat.get_pixel_bytes()) != pixel or address == 0 or height < 1 or not pixel <= width * pixel <= row:
            raise NasionError(
                f"the ZED SDK gave {width} x {height} pixels of {mat.get_pixel_bytes()} bytes, {row} bytes a row, at "
                f"{address:#x}; expected pixels of {pixel} bytes"
            )
        memory = slot.own
        if memory is None or ctypes.addressof(memory) != address or ctypes.sizeof(memory) != row * height:
            # Not by `get_data`, which takes padded rows for pixels, and whose array does not keep the memory.
            memory = (ctypes.c_uint8 * (row * height)).from_address(address)
            memory.kept = slot  # type: ignore[attr-defined]
            if slot.own is not None and (width, height) == self._size:
                # It took our memory and wrote elsewhere.
                self._borrow, slot.own = None, None
        if (width, height) != self._size:
            # Those of another size are of no more use, nor is the one that told the size: its memory is the SDK's.
            self._size, self._slots = (width, height), []
        shape, strides = (height, width), (row, pixel)
        if self._channels > 1:
            shape, strides = (*shape, self._channels), (*strides, self._dtype.itemsize)  # type: ignore[assignment]
        array: NDArray[Any] = np.ndarray(shape, self._dtype, buffer=memory, strides=strides)  # type: ignore[arg-type]
        if row != width * pixel:
            # GStreamer takes whole rows only; the copy is the reader's, the Mat is free.
            return np.ascontiguousarray(array)
        slot.given = weakref.ref(array)
        return array
