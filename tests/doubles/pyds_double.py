"""A double of ``pyds``, strict: it fails where the real one gives rubbish, ends the process, or works only by luck.

It knows the names of the walk to a tensor, as they stand in the public bindings of pyds 1.1.8 to 1.2.0, and no others.
A structure of a buffer that is gone cannot be read; an opaque pointer can only be cast, and only to what it is; a
layer's ``buffer`` is empty until `get_nvds_LayerInfo`, and the layer is one for all frames; whatever would return an
array fails, because pyds and NumPy may be of different majors.
"""

from __future__ import annotations

import enum
import types
from dataclasses import dataclass
from typing import Any

from typing_extensions import Literal

#: How a list ends: ``next`` is None in newer versions and raises StopIteration in older ones.
Ends = Literal["none", "stop"]


class BrokenError(Exception):
    """The code under test did what would be undefined with the real pyds."""


@dataclass
class Life:
    """Of one buffer's metadata."""

    over: bool = False


class Pointer:
    """A C pointer as pybind11 hands it out: it has no value of its own."""

    def __init__(self, target: Any) -> None:
        self._target = target


class Struct:
    """A C structure: fields can be read while its buffer lives, none can be written, others do not exist."""

    def __init__(self, life: Life, **fields: Any) -> None:
        object.__setattr__(self, "_life", life)
        object.__setattr__(self, "_fields", fields)

    def __getattr__(self, name: str) -> Any:
        if self._life.over:
            raise BrokenError(f"{type(self).__name__}.{name} was read after its buffer was gone")
        if name not in self._fields:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return self._fields[name]

    def __setattr__(self, name: str, _value: Any) -> None:
        raise BrokenError(f"{type(self).__name__}.{name} was written")

    @classmethod
    def cast(cls, pointer: Any) -> Any:
        if not isinstance(pointer, Pointer) or not isinstance(pointer._target, cls):
            raise BrokenError(f"{pointer!r} was cast to {cls.__name__}")
        return pointer._target


class NvDsBatchMeta(Struct): ...


class NvDsFrameMeta(Struct): ...


class NvDsUserMeta(Struct): ...


class NvDsBaseMeta(Struct): ...


class NvDsInferDims(Struct):
    @property
    def d(self) -> Any:
        raise BrokenError("NvDsInferDims.d returns an array, which needs the NumPy that pyds was built with")


class NvDsInferLayerInfo(Struct):
    """Belongs to the element and outlives the buffers; ``buffer`` is what the last `get_nvds_LayerInfo` wrote."""

    def point_to(self, address: int) -> None:
        self._fields["buffer"] = Pointer(address) if address else None


class NvDsInferTensorMeta(Struct):
    def output_layers_info(self, number: int) -> Any:
        """A copy of the layer, in which nvinfer left the pointer empty."""
        layer = self._layers[number]
        return NvDsInferLayerInfo(layer._life, **{**layer._fields, "buffer": None})


class NvDsMetaType(enum.Enum):
    NVDS_USER_META = 7
    NVDSINFER_TENSOR_OUTPUT_META = 12


class NvDsInferDataType(enum.IntEnum):
    FLOAT = 0
    HALF = 1
    INT8 = 2
    INT32 = 3


class GList:
    """A list's node; the C list knows nothing of Python."""

    def __init__(self, target: Any, following: GList | None, ends: Ends) -> None:
        self._target, self._following, self._ends = target, following, ends

    @property
    def data(self) -> Pointer:
        return Pointer(self._target)

    @property
    def next(self) -> GList | None:
        if self._following is None and self._ends == "stop":
            raise StopIteration
        return self._following


def linked(targets: list[Any], ends: Ends) -> GList | None:
    """A C list of ``targets``; an empty one is a null pointer."""
    node: GList | None = None
    for target in reversed(targets):
        node = GList(target, node, ends)
    return node


class Batches:
    """The metadata of all buffers that are alive, by the buffer's address."""

    def __init__(self) -> None:
        self._known: dict[int, NvDsBatchMeta] = {}

    def attach(self, address: int, batch: NvDsBatchMeta) -> None:
        self._known[address] = batch

    def gone(self, address: int) -> None:
        self._known.pop(address)._life.over = True

    def of(self, address: int) -> NvDsBatchMeta | None:
        if not isinstance(address, int):
            raise TypeError("gst_buffer_get_nvds_batch_meta takes the address of a buffer: hash(buffer)")
        return self._known.get(address)


def module(batches: Batches) -> types.ModuleType:
    """``pyds`` over ``batches``."""
    pyds = types.ModuleType("pyds")
    for kind in (
        NvDsBatchMeta,
        NvDsFrameMeta,
        NvDsUserMeta,
        NvDsInferTensorMeta,
        NvDsInferLayerInfo,
        NvDsMetaType,
        NvDsInferDataType,
    ):
        setattr(pyds, kind.__name__, kind)

    def get_layer_info(tensors: Any, number: int) -> NvDsInferLayerInfo:
        if not isinstance(tensors, NvDsInferTensorMeta):
            raise BrokenError(f"get_nvds_LayerInfo of {tensors!r}")
        layer: NvDsInferLayerInfo = tensors._layers[number]
        layer.point_to(tensors.out_buf_ptrs_host._target[number])
        return layer

    def get_ptr(pointer: Any) -> int:
        if pointer is None:
            return 0
        if not isinstance(pointer, Pointer) or not isinstance(pointer._target, int):
            raise TypeError(f"get_ptr of {pointer!r}")
        return pointer._target

    functions: dict[str, Any] = {
        "gst_buffer_get_nvds_batch_meta": batches.of,
        "get_nvds_LayerInfo": get_layer_info,
        "get_ptr": get_ptr,
    }
    for name, function in functions.items():
        setattr(pyds, name, function)
    return pyds
