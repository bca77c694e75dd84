"""A double of ``pyds``, strict: it fails where the real one gives rubbish, ends the process, or works only by luck.

It knows the names of the walk to a tensor, as they stand in the public bindings of pyds 1.1.8 to 1.2.0, and no others.
Everything that a buffer carries, layers included, dies with the buffer: what is read afterwards fails, and memory that
is looked at past pyds is overwritten. A null pointer is None, a cast of None gives None, and a list ends with None. An
opaque pointer can only be cast, and only to what it is. A layer's ``buffer`` is empty until `get_nvds_LayerInfo`, which
follows null pointers and indices to wherever they lead. Whatever would return an array fails, because pyds and NumPy
may be of different majors.
"""

from __future__ import annotations

import ctypes
import enum
import types
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable, Sequence

import numpy as np
from numpy.typing import NDArray

#: NVDSINFER_MAX_DIMS.
MAX_DIMS = 8


class BrokenError(BaseException):
    """The code under test did what would be undefined with the real pyds; no `except Exception` may hide it."""


@dataclass
class Life:
    """Of one buffer's metadata. ``undefined``: what was done that only luck lets pass."""

    over: bool = False
    undefined: list[str] = field(default_factory=list)
    at_end: list[Callable[[], object]] = field(default_factory=list)

    def end(self) -> None:
        """The buffer is gone."""
        self.over = True
        for forget in self.at_end:
            forget()

    def check(self, what: str) -> None:
        if self.over:
            raise BrokenError(f"{what} was read after its buffer was gone")


class Pointer:
    """A C pointer as pybind11 hands it out: it has no value of its own. To a `Struct`, to memory, or to nowhere."""

    def __init__(self, target: Any) -> None:
        self._target = target


class Struct:
    """A C structure: fields can be read while its buffer lives, none can be written, others do not exist."""

    def __init__(self, life: Life, **fields: Any) -> None:
        object.__setattr__(self, "_life", life)
        object.__setattr__(self, "_fields", fields)

    def __getattr__(self, name: str) -> Any:
        self._life.check(f"{type(self).__name__}.{name}")
        if name.startswith("_") or name not in self._fields:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        return self._fields[name]

    def __setattr__(self, name: str, _value: Any) -> None:
        raise BrokenError(f"{type(self).__name__}.{name} was written")

    @classmethod
    def cast(cls, pointer: Any) -> Any:
        if pointer is None:
            return None
        if not isinstance(pointer, Pointer) or not isinstance(pointer._target, cls):
            raise BrokenError(f"{pointer!r} was cast to {cls.__name__}")
        return pointer._target


class NvDsBatchMeta(Struct): ...


class NvDsFrameMeta(Struct): ...


class NvDsUserMeta(Struct): ...


class NvDsBaseMeta(Struct): ...


class _DimsMemory(ctypes.Structure):
    """NvDsInferDims of nvdsinfer.h."""

    _fields_ = (("num_dims", ctypes.c_uint), ("d", ctypes.c_uint * MAX_DIMS), ("num_elements", ctypes.c_uint))


class NvDsInferDims(Struct):
    """A view of real memory, as whoever asks for its address finds it; overwritten when the buffer is gone."""

    def __init__(self, life: Life, sizes: Sequence[int], elements: int, num_dims: int | None = None) -> None:
        count = len(sizes) if num_dims is None else num_dims
        memory = _DimsMemory(count, (ctypes.c_uint * MAX_DIMS)(*sizes[:MAX_DIMS]), elements)
        super().__init__(life, numDims=count, numElements=elements)
        object.__setattr__(self, "_memory", memory)
        # The memory itself and not its address is kept until then: what is overwritten must still be ours.
        life.at_end.append(partial(ctypes.memset, ctypes.pointer(memory), 0xAD, ctypes.sizeof(memory)))

    @property
    def d(self) -> Any:
        raise BrokenError("NvDsInferDims.d returns an array, which needs the NumPy that pyds was built with")


class NvDsMetaType(enum.Enum):
    NVDS_USER_META = 7
    NVDSINFER_TENSOR_OUTPUT_META = 12


class NvDsInferDataType(enum.IntEnum):
    FLOAT = 0
    HALF = 1
    INT8 = 2
    INT32 = 3


@dataclass
class Layer:
    """One output, as nvinfer would hang it on a frame; everything but ``values`` may be a lie.

    ``name``: bytes, as in C; None is a null pointer. ``values``: None is a null pointer in the list of buffers.
    ``sizes``, ``num_dims`` and ``elements``: what `inferDims` says; of ``values`` where they are not given.
    """

    values: NDArray[Any] | None
    name: bytes | None = b"heat_map"
    kind: NvDsInferDataType | None = None
    sizes: Sequence[int] | None = None
    num_dims: int | None = None
    elements: int | None = None

    def info(self, life: Life) -> NvDsInferLayerInfo:
        sizes = self.sizes if self.sizes is not None else () if self.values is None else self.values.shape
        elements = int(np.prod(sizes)) if self.elements is None else self.elements
        half = self.values is not None and self.values.dtype == np.float16
        kind = self.kind if self.kind is not None else NvDsInferDataType.HALF if half else NvDsInferDataType.FLOAT
        return NvDsInferLayerInfo(
            life,
            name=self.name,
            dataType=kind,
            inferDims=NvDsInferDims(life, sizes, elements, self.num_dims),
            bindingIndex=1,
            isInput=0,
            buffer=None,
        )


class NvDsInferLayerInfo(Struct):
    """One of a tensor meta's own array of layers. ``buffer`` is what the last `get_nvds_LayerInfo` wrote."""

    def point_to(self, address: int | None) -> None:
        self._fields["buffer"] = Pointer(address) if address else None

    @property
    def layerName(self) -> str | None:  # noqa: N802  # its name in pyds
        """Decoded when it is read: UnicodeDecodeError where it is not UTF-8."""
        self._life.check("NvDsInferLayerInfo.layerName")
        name = self._fields["name"]
        return None if name is None else name.decode()

    @property
    def dims(self) -> Any:
        return self.inferDims


class NvDsInferTensorMeta(Struct):
    """``host_list``: False makes the list of host buffers a null pointer; ``count`` lies about the number of layers."""

    def __init__(
        self, life: Life, unique_id: int, layers: Sequence[Layer], *, host_list: bool = True, count: int | None = None
    ) -> None:
        infos = [layer.info(life) for layer in layers]
        addresses = [None if layer.values is None else layer.values.ctypes.data for layer in layers]
        table = (ctypes.c_void_p * max(len(addresses), 1))(*addresses)
        super().__init__(
            life,
            unique_id=unique_id,
            num_output_layers=len(layers) if count is None else count,
            gpu_id=0,
            out_buf_ptrs_host=Pointer(ctypes.addressof(table)) if host_list else None,
        )
        object.__setattr__(self, "_infos", infos)
        object.__setattr__(self, "_table", table)
        object.__setattr__(self, "_host_list", host_list)

    def output_layers_info(self, number: int) -> Any:
        """A copy of the layer as it is now: with a buffer only once somebody has asked for that."""
        layer = self.layer(number)
        return NvDsInferLayerInfo(layer._life, **layer._fields)

    def layer(self, number: int) -> NvDsInferLayerInfo:
        self._life.check("NvDsInferTensorMeta")
        if 0 <= number < len(self._infos):
            info: NvDsInferLayerInfo = self._infos[number]
            return info
        # C looks at whatever lies there.
        self._life.undefined.append(f"layer {number} of {len(self._infos)} was read")
        return Layer(None, b"\xde\xad\xbe\xef", sizes=(0xDEAD,) * MAX_DIMS, num_dims=0xDEAD, elements=0xBEEF).info(
            self._life
        )


class GList:
    """A list's node, freed with its buffer."""

    def __init__(self, life: Life, target: Any, following: GList | None) -> None:
        self._life, self._target, self._following = life, target, following

    @property
    def data(self) -> Pointer | None:
        self._life.check("a list's data")
        return None if self._target is None else Pointer(self._target)

    @property
    def next(self) -> GList | None:
        self._life.check("a list's next")
        return self._following


def linked(life: Life, targets: Sequence[Any]) -> GList | None:
    """A C list of ``targets``; a target may be a null pointer, and an empty list is one."""
    node: GList | None = None
    for target in reversed(targets):
        node = GList(life, target, node)
    return node


class Batches:
    """The metadata of all buffers that are alive, by the buffer's address."""

    def __init__(self) -> None:
        self._known: dict[int, NvDsBatchMeta] = {}
        #: What was done that only luck lets pass; a test that uses the double looks that it stays empty.
        self.undefined: list[str] = []

    def life(self) -> Life:
        """Of a new buffer."""
        return Life(undefined=self.undefined)

    def attach(self, address: int, batch: NvDsBatchMeta) -> None:
        self._known[address] = batch

    def gone(self, address: int) -> None:
        self._known.pop(address)._life.end()

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
        NvDsInferDims,
        NvDsMetaType,
        NvDsInferDataType,
    ):
        setattr(pyds, kind.__name__, kind)

    def get_layer_info(tensors: Any, number: int) -> NvDsInferLayerInfo:
        """Checks neither the meta nor the list nor the index, as the real one."""
        if not isinstance(tensors, NvDsInferTensorMeta):
            raise BrokenError(f"get_nvds_LayerInfo of {tensors!r} ends the process")
        layer = tensors.layer(number)
        if not tensors._host_list:
            raise BrokenError("get_nvds_LayerInfo of a tensor meta without a list of host buffers ends the process")
        layer.point_to(tensors._table[number] if 0 <= number < len(tensors._infos) else 0xDEAD)
        return layer

    def get_ptr(pointer: Any) -> int:
        """The address of a pointer or a structure; 0 of None."""
        if pointer is None:
            return 0
        if isinstance(pointer, NvDsInferDims):
            pointer._life.check("NvDsInferDims")
            return ctypes.addressof(pointer._memory)
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
