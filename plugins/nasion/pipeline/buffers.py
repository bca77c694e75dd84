"""GStreamer buffers as NumPy arrays, without copying.

Through GStreamer's C functions, because ``Gst.Buffer.map`` hands out copies where the gst-python overrides are missing.
"""

import ctypes
import itertools
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Dict, Iterator

import numpy as np
from numpy.typing import NDArray

from nasion.core.tensor import row_stride
from nasion.errors import NasionError
from nasion.pipeline.gst import load_gst

#: GstMapFlags.
_READ = 1
#: GstMemoryFlags: nobody may write.
_READONLY = 2


class _MapInfo(ctypes.Structure):
    """GstMapInfo of gstmemory.h; the same layout in every GStreamer 1.x."""

    _fields_ = (
        ("memory", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("data", ctypes.c_void_p),
        ("size", ctypes.c_size_t),
        ("maxsize", ctypes.c_size_t),
        ("user_data", ctypes.c_void_p * 4),
        ("reserved", ctypes.c_void_p * 4),
    )


@lru_cache(maxsize=None)
def _library() -> Any:
    library = ctypes.CDLL("libgstreamer-1.0.so.0")
    library.gst_buffer_map.argtypes = (ctypes.c_void_p, ctypes.POINTER(_MapInfo), ctypes.c_int)
    library.gst_buffer_map.restype = ctypes.c_int
    library.gst_buffer_unmap.argtypes = (ctypes.c_void_p, ctypes.POINTER(_MapInfo))
    library.gst_buffer_unmap.restype = None
    library.gst_memory_new_wrapped.argtypes = (
        ctypes.c_int,
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_size_t,
        ctypes.c_size_t,
        ctypes.c_void_p,
        _Notify,
    )
    library.gst_memory_new_wrapped.restype = ctypes.c_void_p
    library.gst_buffer_append_memory.argtypes = (ctypes.c_void_p, ctypes.c_void_p)
    library.gst_buffer_append_memory.restype = None
    return library


_Notify = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
#: Pictures whose memory GStreamer is using, by a number that it hands back when it is done.
_lent: Dict[int, NDArray[np.uint8]] = {}
_numbers = itertools.count(1)


@_Notify
def _give_back(number: int) -> None:
    del _lent[number]


@contextmanager
def mapped(buffer: Any) -> Iterator[NDArray[np.uint8]]:
    """The bytes of a ``Gst.Buffer``, (size,) uint8, valid inside the ``with``. NasionError: it cannot be mapped."""
    # The hash of PyGObject's wrapper is the address of the buffer itself.
    address, info, library = hash(buffer), _MapInfo(), _library()
    if not library.gst_buffer_map(address, ctypes.byref(info), _READ):
        raise NasionError("GStreamer: a buffer cannot be mapped into memory")
    try:
        yield np.frombuffer((ctypes.c_uint8 * info.size).from_address(info.data), np.uint8)
    finally:
        library.gst_buffer_unmap(address, ctypes.byref(info))


def picture_buffer(picture: NDArray[np.uint8], pts: int) -> Any:
    """A new ``Gst.Buffer`` of ``picture`` (height, width, channels), its rows padded as GStreamer does.

    Where no padding is needed the buffer uses the picture's own memory, which nobody may write to from now on; copying
    a 1080p picture would cost more than scaling it.
    """
    height, width, channels = picture.shape
    stride = row_stride(width, channels)
    if stride != width * channels:
        padded = np.zeros((height, stride), np.uint8)
        padded[:, : width * channels] = picture.reshape(height, width * channels)
        picture = padded
    buffer = load_gst().Buffer.new()
    picture = np.ascontiguousarray(picture)
    _append(buffer, picture, picture.nbytes)
    buffer.pts = pts
    return buffer


def _append(buffer: Any, data: NDArray[np.uint8], size: int) -> None:
    """Lend the array's memory, ``size`` bytes, to the buffer; it lives at least as long as GStreamer needs it."""
    number = next(_numbers)
    _lent[number] = data
    memory = _library().gst_memory_new_wrapped(_READONLY, data.ctypes.data, size, 0, size, number, _give_back)
    _library().gst_buffer_append_memory(hash(buffer), memory)
