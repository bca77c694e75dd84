"""The heat-map network on the CPU, through OpenVINO: the optional, faster way for INT8 files."""

from pathlib import Path
from typing import Any, List

import numpy as np
from numpy.typing import NDArray

from nasion.engine.library_text import one_line
from nasion.engine.onnx_model import HeatMapModel
from nasion.engine.signal_stack import signal_stack_kept
from nasion.errors import DependencyError, InputError, NasionError
from nasion.installing import how_to_install


class OpenVinoModel(HeatMapModel):
    """The same file, computed by OpenVINO after ONNX Runtime has opened and checked it."""

    def __init__(self, path: Path, *, height: int, width: int, threads: int) -> None:
        """As of `HeatMapModel`; DependencyError also where OpenVINO is not installed."""
        openvino = _openvino()
        super().__init__(path, height=height, width=width, threads=threads)
        # It has done its part.
        del self._session
        self._openvino = openvino
        # A request computes one picture at a time. They belong to no thread: who computes takes one that is idle.
        self._idle: List[Any] = []
        with signal_stack_kept():
            self._compiled = _compile(openvino, path, (1, 3, height, width), threads)
            self.infer(np.zeros((1, 3, height, width), np.float32))
            self._check_known_answer(height, width, self.infer)

    def infer(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `HeatMapModel.infer`."""
        try:
            request = self._request()
            request.set_input_tensor(self._openvino.Tensor(tensor, shared_memory=True))
            request.infer()
            # The request keeps its output for the next picture.
            heat: NDArray[np.float32] = request.get_output_tensor(0).data[0, 0].copy()
            self._idle.append(request)
        except Exception as error:
            raise NasionError(f"model {self._path}: OpenVINO failed: {one_line(error)}") from error
        return heat

    def _request(self) -> Any:
        """One that computes nothing; as many are made as work at once."""
        try:
            return self._idle.pop()
        except IndexError:
            return self._compiled.create_infer_request()


def _openvino() -> Any:
    try:
        import openvino
    except ImportError as error:
        raise DependencyError(
            f"OpenVINO cannot be loaded ({one_line(error)}); install it with: {how_to_install('openvino')}, "
            "or take --engine onnxruntime"
        ) from None
    return openvino


def _compile(openvino: Any, path: Path, shape: "tuple[int, ...]", threads: int) -> Any:
    """The network for inputs of one shape.

    In float32 where it is not in integers: with bfloat16, OpenVINO's choice where processors have it, a float file
    would draw another map than with ONNX Runtime (0.0015 apart).
    """
    options = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    try:
        core = openvino.Core()
        model = core.read_model(str(path))
        model.reshape(list(shape))
        return core.compile_model(model, "CPU", options)
    except Exception as error:
        raise InputError(f"model {path} cannot be run by OpenVINO: {one_line(error)}") from None
