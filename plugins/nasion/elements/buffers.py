"""How a record travels with its buffer, and buffers as pictures.

The token of a record stands in a GstReferenceTimestampMeta: the kind of metadata that Python can write and that
GStreamer, from 1.16 on, copies into every buffer that a scaler, converter, encoder or `videorate` makes of another.
(GstCustomMeta came with 1.20, and AGX Xavier has 1.16. PTS alone do not do: `videorate`, say, gives a picture the PTS
of another.) All copies share the caps in that metadata; when these are let go, no buffer has the token any more, and
the record is forgotten.
"""

import ctypes
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Dict, Optional, Sequence, Tuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from nasion.core.tensor import row_stride
from nasion.elements.records import Record, enter, find, forget
from nasion.errors import NasionError
from nasion.pipeline.buffers import mapped
from nasion.pipeline.gst import load_gst

_KIND = "timestamp/x-nasion"
_CHANNELS = {"BGR": 3, "BGRx": 4}

_Notify = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)


@_Notify
def _let_go(token: int, _caps: int) -> None:
    forget(token)


@_Notify
def _buffer_gone(_data: Optional[int], address: int) -> None:
    _shared.pop(address, None)


#: Records of buffers that nobody may write to, by the buffer's address, with its PTS: memory is used again.
_shared: Dict[int, Tuple[int, Sequence[Record]]] = {}


@lru_cache(maxsize=None)
def _library() -> Any:
    library = ctypes.CDLL("libgstreamer-1.0.so.0")
    library.gst_mini_object_weak_ref.argtypes = (ctypes.c_void_p, _Notify, ctypes.c_void_p)
    library.gst_mini_object_weak_ref.restype = None
    library.gst_mini_object_is_writable.argtypes = (ctypes.c_void_p,)
    library.gst_mini_object_is_writable.restype = ctypes.c_int
    return library


@lru_cache(maxsize=None)
def _any_token() -> Any:
    return load_gst().Caps.from_string(_KIND)


def new_token(*records: Record) -> Any:
    """Caps that stand for ``records``: they are kept as long as somebody holds the caps."""
    token = enter(records)
    caps = load_gst().Caps.from_string(f"{_KIND}, token=(guint64){token}")
    # The hash of PyGObject's wrapper is the address of the caps themselves.
    _library().gst_mini_object_weak_ref(hash(caps), _let_go, token)
    return caps


def records_for(token_caps: Any) -> Sequence[Record]:
    """The records that `new_token` made the caps for."""
    known, token = token_caps.get_structure(0).get_uint64("token")
    return find(token) if known else ()


def attach(buffer: Any, *records: Record) -> None:
    """Let the buffer carry ``records`` and no others: that of its picture, or those of a batch.

    A buffer that others hold too, as of a batch that went through a `tee`, takes no metadata: its records are then
    found by the buffer itself, and by no copy of it.
    """
    gst, address = load_gst(), hash(buffer)
    if not _library().gst_mini_object_is_writable(address):
        if address not in _shared:
            _library().gst_mini_object_weak_ref(address, _buffer_gone, None)
        _shared[address] = (buffer.pts, records)
        return
    _shared.pop(address, None)
    meta = buffer.get_reference_timestamp_meta(_any_token())
    if meta is not None:
        buffer.remove_meta(meta.parent)
    buffer.add_reference_timestamp_meta(new_token(*records), records[0].slip.stamp.utc_ns, gst.CLOCK_TIME_NONE)


def records_of(buffer: Any) -> Sequence[Record]:
    """The records that the buffer carries; none where it carries none."""
    pts, records = _shared.get(hash(buffer), (None, ()))
    if records and pts == buffer.pts:
        return records
    meta = buffer.get_reference_timestamp_meta(_any_token())
    return () if meta is None else records_for(meta.reference)


def record_of(buffer: Any) -> Optional[Record]:
    """The record of the one picture in the buffer; None where it carries none, or those of a batch."""
    records = records_of(buffer)
    return records[0] if len(records) == 1 else None


@dataclass(frozen=True)
class Layout:
    """Size of the pictures in buffers, and how many bytes a pixel has."""

    width: int
    height: int
    channels: int

    @classmethod
    def of(cls, caps: Any) -> "Layout":
        """What caps of BGR or BGRx pictures say."""
        structure = caps.get_structure(0)
        return cls(
            structure.get_int("width")[1], structure.get_int("height")[1], _CHANNELS[structure.get_string("format")]
        )

    @property
    def size(self) -> Tuple[int, int]:
        """Width and height."""
        return self.width, self.height

    def picture(self, buffer: Any, data: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(height, width, channels) view of ``data``, the bytes of ``buffer``; NasionError where they are too few."""
        offset, stride = _place(buffer) or (0, row_stride(self.width, self.channels))
        if offset + stride * (self.height - 1) + self.width * self.channels > data.size:
            raise NasionError(f"a buffer of {data.size} bytes is too small for a {self.width} x {self.height} picture")
        shape = (self.height, self.width, self.channels)
        return as_strided(data[offset:], shape, (stride, self.channels, 1))


def copied(buffer: Any, layout: Layout) -> NDArray[np.uint8]:
    """The picture in a buffer, C-contiguous."""
    with mapped(buffer) as data:
        return layout.picture(buffer, data).copy()


def replace_picture(buffer: Any, layout: Layout, picture: NDArray[np.uint8]) -> None:
    """Write ``picture``, (H, W, 3), over that in the buffer, which must be writable; a fourth channel stays."""
    with mapped(buffer) as data:
        written = data.copy()
    layout.picture(buffer, written)[:, :, :3] = picture
    buffer.fill(0, written.tobytes())


def _place(buffer: Any) -> Optional[Tuple[int, int]]:
    """Offset and bytes from row to row where the buffer itself says them."""
    import gi

    gi.require_version("GstVideo", "1.0")
    from gi.repository import GstVideo

    meta = GstVideo.buffer_get_video_meta(buffer)
    return None if meta is None else (meta.offset[0], meta.stride[0])
