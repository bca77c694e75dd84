"""What DeepStream hangs on its buffers, as values. The only module that touches pyds.

Everything pyds gives is memory of the elements: it is valid while the probe runs and changes afterwards. So nothing of
it leaves this module; heat maps are copied. The walk is the same from pyds 1.1.8 (DeepStream 6.3) to 1.2.0, and calls
nothing that returns an array (those need the NumPy that pyds was built with).
"""

import ctypes
from dataclasses import dataclass
from typing import Any, Iterator, List, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from nasion.errors import DependencyError, NasionError


@dataclass(frozen=True)
class Searched:
    """One frame of a batch. ``pad``: which input of the mux it came from; ``heat``: None where nvinfer gave none."""

    pad: int
    pts: int
    heat: Optional[NDArray[np.float32]]


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
        """The frames of a batch with a copy of their heat maps. NasionError where nvinfer gives something else."""
        return [Searched(frame.pad_index, frame.buf_pts, self._heat(frame)) for frame in self._frames(buffer)]

    def _frames(self, buffer: Any) -> Iterator[Any]:
        # The hash of PyGObject's wrapper is the address of the buffer itself.
        batch = self._pyds.gst_buffer_get_nvds_batch_meta(hash(buffer))
        if batch is None:
            raise NasionError("deepstream: a buffer without batch meta; pyds and DeepStream must be of one release")
        return _walk(batch.frame_meta_list, self._pyds.NvDsFrameMeta)

    def _heat(self, frame: Any) -> Optional[NDArray[np.float32]]:
        pyds = self._pyds
        for user_meta in _walk(frame.frame_user_meta_list, pyds.NvDsUserMeta):
            if user_meta.base_meta.meta_type != pyds.NvDsMetaType.NVDSINFER_TENSOR_OUTPUT_META:
                continue
            tensors = pyds.NvDsInferTensorMeta.cast(user_meta.user_meta_data)
            if tensors.unique_id == self._unique_id:
                return self._copied(tensors)
        return None

    def _copied(self, tensors: Any) -> Optional[NDArray[np.float32]]:
        """The one output; checked before its memory is touched, because a wrong size would end the process."""
        pyds, cells = self._pyds, self._height * self._width
        if tensors.num_output_layers != 1:
            raise NasionError(
                f"deepstream: nvinfer gives {tensors.num_output_layers} outputs; expected one, the heat map"
            )
        # This call fills `buffer`, in a layer that all frames share: its address is used at once.
        layer = pyds.get_nvds_LayerInfo(tensors, 0)
        if layer.dataType != pyds.NvDsInferDataType.FLOAT or layer.inferDims.numElements != cells:
            raise NasionError(
                f"deepstream: nvinfer's output {layer.layerName!r} has {layer.inferDims.numElements} values of type "
                f"{layer.dataType}; expected {cells} ({self._height} x {self._width}) of type FLOAT; delete the engine "
                "file if it is another model's"
            )
        address = pyds.get_ptr(layer.buffer)
        if not address:
            return None
        values = (ctypes.c_float * cells).from_address(address)
        heat: NDArray[np.float32] = np.ctypeslib.as_array(values).reshape(self._height, self._width).copy()
        return heat


def _walk(node: Any, kind: Any) -> Iterator[Any]:
    """The items of a list. It ends with None, or with StopIteration in older versions."""
    while node is not None:
        try:
            item = kind.cast(node.data)
        except StopIteration:
            return
        yield item
        try:
            node = node.next
        except StopIteration:
            return
