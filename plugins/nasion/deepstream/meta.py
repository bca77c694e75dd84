"""What DeepStream hangs on its buffers, as values. The only module that touches pyds.

Everything pyds gives is memory of the elements: it is valid while the probe runs and changes afterwards. So nothing of
it leaves this module; heat maps are copied. Nor is it to be trusted: pyds follows null pointers and wrong indices into
the end of the process, so both are looked for first, and the shape of the output is checked before its memory is read.
The walk is the same from pyds 1.1.8 (DeepStream 6.3) to 1.2.0, and calls nothing that returns an array (those need the
NumPy that pyds was built with).
"""

import ctypes
from dataclasses import dataclass
from typing import Any, Iterator, List, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from nasion.core.heatmap import is_probability_map
from nasion.errors import DependencyError, NasionError

#: NVDSINFER_MAX_DIMS.
_MAX_DIMS = 8
#: So much of a name that came from elsewhere is shown.
_NAME_SHOWN = 80


class _Dims(ctypes.Structure):
    """NvDsInferDims of nvdsinfer.h; the same layout in every DeepStream."""

    _fields_ = (
        ("num_dims", ctypes.c_uint),
        ("d", ctypes.c_uint * _MAX_DIMS),
        ("num_elements", ctypes.c_uint),
    )


@dataclass(frozen=True)
class Searched:
    """One frame of a batch, with its heat map or the reason why there is none.

    ``pad``: which input of the mux it came from; ``heat``: (H, W) float32, a copy, within 0..1; ``missing``: where
    ``heat`` is None, why.
    """

    pad: int
    pts: int
    heat: Optional[NDArray[np.float32]]
    missing: Optional[str] = None


def why_no_pyds() -> Optional[str]:
    """What is wrong with this machine's pyds; None where it is DeepStream's. GStreamer must be loaded before."""
    try:
        import pyds
    except Exception as error:
        # Built for another DeepStream, NumPy or Python it raises anything, in several lines.
        return f"DeepStream's Python module pyds ({' '.join(str(error).split())})"
    if not hasattr(pyds, "gst_buffer_get_nvds_batch_meta"):
        # A package of the same name on the Python package index is about belief functions.
        return "DeepStream's Python module pyds (the one here is another project's)"
    return None


class MetaReader:
    """Reads the buffers of one nvinfer, inside a pad probe."""

    def __init__(self, unique_id: int, height: int, width: int) -> None:
        """``unique_id``: nvinfer's `gie-unique-id`; ``height``, ``width``: of the heat map.

        DependencyError where there is no pyds.
        """
        missing = why_no_pyds()
        if missing is not None:
            raise DependencyError(f"--engine deepstream needs {missing}")
        import pyds

        self._pyds = pyds
        self._unique_id = unique_id
        self._height = height
        self._width = width

    def frames(self, buffer: Any) -> List[Tuple[int, int]]:
        """Pad and PTS of each frame in the batch."""
        return [(frame.pad_index, frame.buf_pts) for frame in self._frames(buffer)]

    def searched(self, buffer: Any) -> List[Searched]:
        """The frames of a batch with a copy of their heat maps, or the reason why a frame has none.

        NasionError where nvinfer gives something else than the heat map of our network: every frame would be wrong.
        """
        found = []
        for frame in self._frames(buffer):
            heat = self._heat(frame)
            values, missing = (None, heat) if isinstance(heat, str) else (heat, None)
            found.append(Searched(frame.pad_index, frame.buf_pts, values, missing))
        return found

    def _frames(self, buffer: Any) -> Iterator[Any]:
        # The hash of PyGObject's wrapper is the address of the buffer itself.
        batch = self._pyds.gst_buffer_get_nvds_batch_meta(hash(buffer))
        if batch is None:
            raise NasionError("deepstream: a buffer without batch meta; pyds and DeepStream must be of one release")
        # Nobody can say whose frame a null pointer is: it is missed, and counted, where its PTS is awaited.
        return (frame for frame in _walk(batch.frame_meta_list, self._pyds.NvDsFrameMeta) if frame is not None)

    def _heat(self, frame: Any) -> Union[NDArray[np.float32], str]:
        pyds, empty = self._pyds, False
        for user_meta in _walk(frame.frame_user_meta_list, pyds.NvDsUserMeta):
            if user_meta is None or (user_meta.base_meta.meta_type != pyds.NvDsMetaType.NVDSINFER_TENSOR_OUTPUT_META):
                continue
            tensors = pyds.NvDsInferTensorMeta.cast(user_meta.user_meta_data)
            if tensors is None:
                empty = True
            elif tensors.unique_id == self._unique_id:
                return self._copied(tensors)
        if empty:
            return "its tensor meta is a null pointer"
        return f"no tensor meta of gie-unique-id={self._unique_id} is on it"

    def _copied(self, tensors: Any) -> Union[NDArray[np.float32], str]:
        """The one output; checked before its memory is touched, because a wrong size would end the process."""
        pyds, cells = self._pyds, self._height * self._width
        # Also the check of the index: get_nvds_LayerInfo does not look at it.
        if tensors.num_output_layers != 1:
            raise NasionError(
                f"deepstream: nvinfer gives {tensors.num_output_layers} outputs; expected one, the heat map"
            )
        if not pyds.get_ptr(tensors.out_buf_ptrs_host):
            return "its list of host buffers is a null pointer"
        # This call fills `buffer`, and the layer dies with the buffer: all of it is used at once.
        layer = pyds.get_nvds_LayerInfo(tensors, 0)
        name, shape = _name(layer), self._shape(layer)
        if layer.dataType != pyds.NvDsInferDataType.FLOAT or not self._fits(shape):
            raise NasionError(
                f"deepstream: nvinfer's output {name} has {layer.inferDims.numElements} values of type "
                f"{layer.dataType}; expected {cells} ({self._height} x {self._width}) of type FLOAT; its shape is "
                f"{_product(shape)}; delete the engine file if it is another model's"
            )
        address = pyds.get_ptr(layer.buffer)
        if not address:
            return "its host buffer is a null pointer"
        values = (ctypes.c_float * cells).from_address(address)
        heat: NDArray[np.float32] = np.ctypeslib.as_array(values).reshape(self._height, self._width).copy()
        return heat if is_probability_map(heat) else "its values are not all within 0..1"

    def _shape(self, layer: Any) -> Tuple[int, ...]:
        """The sizes in `inferDims`, whose array pyds does not give without NumPy. NasionError where they disagree."""
        dims = layer.inferDims
        address = self._pyds.get_ptr(dims)
        if not address:
            raise NasionError(f"deepstream: nvinfer's output {_name(layer)} has no shape: a null pointer")
        told = _Dims.from_address(address)
        shape = tuple(told.d[: min(told.num_dims, _MAX_DIMS)])
        elements = 1
        for size in shape:
            elements *= size
        if (told.num_dims, told.num_elements) != (dims.numDims, dims.numElements) or not (
            1 <= told.num_dims <= _MAX_DIMS and elements == told.num_elements
        ):
            raise NasionError(
                f"deepstream: nvinfer's output {_name(layer)} has {told.num_dims} sizes, {_product(shape)}, and "
                f"{dims.numElements} values; expected sizes whose product is the number of values; pyds and DeepStream "
                "must be of one release"
            )
        return shape

    def _fits(self, shape: Tuple[int, ...]) -> bool:
        """Whether it is rows x columns of the heat map; a transposed one has as many values."""
        return shape[-2:] == (self._height, self._width) and set(shape[:-2]) <= {1}


def _name(layer: Any) -> str:
    """The output's name for an error's text. NasionError where it is not text: the output is not ours."""
    try:
        name = layer.layerName
    except UnicodeDecodeError as error:
        raise NasionError(
            f"deepstream: nvinfer's output has the name {error.object[:_NAME_SHOWN]!r}, which is not UTF-8; delete the "
            "engine file and export the model again; if that does not help, pyds is not of DeepStream's release"
        ) from None
    if name is None:
        raise NasionError("deepstream: nvinfer's output has no name; pyds and DeepStream must be of one release")
    return repr(name[:_NAME_SHOWN])


def _product(shape: Tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _walk(node: Any, kind: Any) -> Iterator[Any]:
    """The items of a list, None for each that is a null pointer. The list ends with None."""
    while node is not None:
        yield kind.cast(node.data)
        node = node.next
