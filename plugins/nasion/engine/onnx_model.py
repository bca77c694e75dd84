"""The heat-map network on the CPU, through ONNX Runtime."""

import hashlib
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import numpy as np
from numpy.typing import NDArray

from nasion.core.known_picture import answer_of, differs, known_tensor
from nasion.core.tensor import blank_tensor
from nasion.engine.card import require_as_stated
from nasion.engine.external_weights import require_one_file
from nasion.engine.library_text import one_line, why_not_opened
from nasion.engine.metadata import ModelMetadata
from nasion.errors import DependencyError, InputError, NasionError
from nasion.files import read_limited
from nasion.installing import how_to_install

#: The largest model of the family has 44 MB; a protobuf cannot exceed 2 GB.
MAX_BYTES = 512 << 20
#: ONNX Runtime's own messages: only what ends the process. Errors come as exceptions.
ORT_FATAL = 4
#: Network input to heat map.
Infer = Callable[[NDArray[np.float32]], NDArray[np.float32]]


class HeatMapModel:
    """A model file, opened for one input size and checked before its first use.

    ``metadata``: what the file says of itself; ``digest``: SHA-256 of the file, hexadecimal. `infer` may be called from
    several threads at once.
    """

    metadata: ModelMetadata
    digest: str

    def __init__(self, path: Path, *, height: int, width: int, threads: int) -> None:
        """Open ``path`` for inputs of ``height`` x ``width`` pixels with ``threads`` threads for one inference.

        InputError: the file is missing, too large, no ONNX model, or not one that turns a picture into a heat map.
        DependencyError: ONNX Runtime is not installed.
        """
        ort = _onnxruntime()
        content = _read(path)
        self.digest = hashlib.sha256(content).hexdigest()
        as_delivered = _open(ort, path, content, threads=1, dimensions={}, optimise=False)
        self._input, self._output = _check_signature(path, as_delivered)
        self.metadata = _metadata(path, as_delivered)
        require_as_stated(path, self.digest, self.metadata.precision)
        symbols = as_delivered.get_inputs()[0].shape
        dimensions = _fixed_dimensions(path, symbols, (1, 3, height, width))
        self._session = _open(ort, path, content, threads=threads, dimensions=dimensions, optimise=True)
        self._path = path
        self._check_heat_map(height, width)
        # Of this engine, also where another one is to follow.
        self._check_known_answer(height, width, lambda tensor: HeatMapModel.infer(self, tensor))

    def infer(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        """Heat map (h, w) float32, 0..1, of ``tensor`` (1, 3, height, width) float32, RGB 0..255.

        NasionError where ONNX Runtime fails.
        """
        try:
            heat: NDArray[np.float32] = self._session.run([self._output], {self._input: tensor})[0][0, 0]
        except Exception as error:
            raise NasionError(f"model {self._path}: ONNX Runtime failed: {one_line(error)}") from error
        return heat

    def _check_heat_map(self, height: int, width: int) -> None:
        """Run once: shapes inside the graph are only certain then, and the first frame finds a warm engine."""
        stride = self.metadata.stride
        try:
            heat = self._session.run([self._output], {self._input: blank_tensor(height, width)})[0]
        except Exception as error:
            raise InputError(
                f"model {self._path} does not run on an input of {height} x {width}: {one_line(error)}"
            ) from None
        expected = (1, 1, height // stride, width // stride)
        if heat.shape != expected:
            raise InputError(
                f"model {self._path}: output {self._output!r} has the shape {_shape(heat.shape)} for an input of "
                f"{height} x {width}; expected {_shape(expected)} at the stride {stride} of its metadata"
            )
        if not (heat.min() >= 0 and heat.max() <= 1):
            raise InputError(
                f"model {self._path}: output {self._output!r} holds {heat.min()} to {heat.max()} for a black picture; "
                "expected a heat map within 0..1"
            )

    def _check_known_answer(self, height: int, width: int, infer: Infer) -> None:
        """The drawn head through the very engine that will run; nothing where the file has no answer for this size.

        InputError: the engine draws something else than the network did when it was exported.
        """
        expected = self.metadata.answer(height, width)
        if expected is None:
            return
        stride = self.metadata.stride
        wrong = differs(answer_of(infer(known_tensor(height, width)), stride), expected, stride)
        if wrong is not None:
            raise InputError(
                f"model {self._path} does not give its known answer on an input of {height} x {width}: {wrong}; the "
                "file or the engine is damaged: take the released file again, or another --engine"
            )


def _onnxruntime() -> Any:
    try:
        import onnxruntime as ort
    except ImportError as error:
        raise DependencyError(
            f"ONNX Runtime cannot be loaded ({one_line(error)}); install it with: {how_to_install('cpu')}"
        ) from None
    ort.set_default_logger_severity(ORT_FATAL)
    return ort


def _read(path: Path) -> bytes:
    too_large = f"{MAX_BYTES >> 20} MiB; expected a heat-map network"
    content = read_limited(path, MAX_BYTES, what="model", too_large=too_large)
    if not content:
        raise InputError(f"model {path} is empty; expected an ONNX file")
    try:
        require_one_file(path, content)
    except (ValueError, IndexError) as error:
        raise InputError(f"model {path} is no ONNX model that can be run: {one_line(error)}") from None
    return content


def _open(ort: Any, path: Path, content: bytes, *, threads: int, dimensions: Dict[str, int], optimise: bool) -> Any:
    options = ort.SessionOptions()
    options.log_severity_level = ORT_FATAL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # ONNX Runtime would also take a format of its own, whatever the file's name.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    # Spinning threads would take the cores that scaling and depth need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not optimise:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    for name, size in dimensions.items():
        options.add_free_dimension_override_by_name(name, size)
    try:
        return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise InputError(f"model {path} is no ONNX model that can be run: {why_not_opened(error)}") from None


def _check_signature(path: Path, session: Any) -> Tuple[str, str]:
    """Names of the one input and the one output; InputError where there are others or they have other shapes."""
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise InputError(f"model {path} has {len(inputs)} inputs and {len(outputs)} outputs; expected one of each")
    for kind, value, channels in (("input", inputs[0], 3), ("output", outputs[0], 1)):
        shape = value.shape
        if value.type != "tensor(float)" or len(shape) != 4 or (isinstance(shape[1], int) and shape[1] != channels):
            raise InputError(
                f"model {path}: {kind} {value.name!r} is {value.type} {_shape(shape)}; "
                f"expected tensor(float) N x {channels} x H x W"
            )
    return inputs[0].name, outputs[0].name


def _fixed_dimensions(path: Path, symbols: List[Any], wanted: Tuple[int, ...]) -> Dict[str, int]:
    """The sizes that the model leaves open, by name; InputError where it fixes another one."""
    if any(isinstance(symbol, int) and symbol != size for symbol, size in zip(symbols, wanted)):
        raise InputError(f"model {path} takes an input of {_shape(symbols)}; this view needs {_shape(wanted)}")
    return {symbol: size for symbol, size in zip(symbols, wanted) if isinstance(symbol, str)}


def _metadata(path: Path, session: Any) -> ModelMetadata:
    try:
        return ModelMetadata.from_props(session.get_modelmeta().custom_metadata_map)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _shape(sizes: Any) -> str:
    return " x ".join("?" if size is None else str(size) for size in sizes)
