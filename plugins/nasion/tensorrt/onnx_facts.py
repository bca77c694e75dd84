"""What an ONNX file says of its input, its output and its 8-bit nodes, read without any ONNX library.

A Jetson has neither `onnx` nor always ONNX Runtime. An ONNX file is a protobuf message (onnx.proto in the ONNX
project); the few fields that count here are found by walking over its wire format.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple

from typing_extensions import Literal

from nasion.engine.card import require_as_stated
from nasion.engine.external_weights import require_one_file
from nasion.engine.metadata import ModelMetadata
from nasion.engine.protobuf_wire import as_bytes, as_number, as_text, fields
from nasion.errors import InputError
from nasion.files import read_limited

#: The largest model of the family has 44 MB; a protobuf cannot exceed 2 GB.
MAX_BYTES = 512 << 20

#: How the activations of a model with Q/DQ nodes are quantised; what TensorRT cannot take at all is `other`.
Activations = Literal["signed", "unsigned", "other"]

#: TensorProto.DataType.
_UINT8, _INT8, _INT32 = 2, 3, 6


@dataclass(frozen=True)
class OnnxFacts:
    """``input_shape``: N, C, H, W with None where the file leaves a size open; ``activations``: None for a float model.

    ``why_other``: what is wrong where ``activations`` is `other`; ``digest``: SHA-256 of the file, hexadecimal;
    ``norms``: names of the InstanceNormalization nodes, see `norms`.
    """

    path: Path
    digest: str
    input_name: str
    input_shape: Tuple[Optional[int], ...]
    output_name: str
    metadata: ModelMetadata
    activations: Optional[Activations]
    why_other: str = ""
    norms: Tuple[str, ...] = ()

    def check_input(self, batch: int, height: int, width: int) -> None:
        """InputError where the file fixes another size than ``batch`` x 3 x ``height`` x ``width``."""
        wanted = (batch, 3, height, width)
        if len(self.input_shape) != 4 or any(
            size is not None and size != want for size, want in zip(self.input_shape, wanted)
        ):
            shape = " x ".join("?" if size is None else str(size) for size in self.input_shape)
            raise InputError(
                f"model {self.path} takes an input of {shape}; this engine needs {' x '.join(map(str, wanted))}"
            )


def read_onnx_facts(path: Path) -> OnnxFacts:
    """The facts of ``path``. InputError: it is missing, no ONNX file, or no heat-map model of `python -m export`."""
    too_large = f"{MAX_BYTES >> 20} MiB; expected a heat-map network"
    content = read_limited(path, MAX_BYTES, what="model", too_large=too_large)
    try:
        require_one_file(path, content)
        model = _Model(memoryview(content))
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise InputError(f"model {path} is no ONNX file ({error}); take one of `python -m export`") from None
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise InputError(
            f"model {path} has {len(model.inputs)} inputs and {len(model.outputs)} outputs; expected an ONNX file with "
            "one of each"
        )
    try:
        metadata = ModelMetadata.from_props(model.props)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    (input_name, shape), (output_name, _) = model.inputs[0], model.outputs[0]
    activations, why = model.quantised()
    says, is_ = metadata.precision, "float" if activations is None else "int8"
    if says != is_:
        raise InputError(f"model {path} says precision {says!r} and is {is_!r}; export it anew")
    digest = hashlib.sha256(content).hexdigest()
    require_as_stated(path, digest, metadata.precision)
    norms = tuple(model.names_of("InstanceNormalization"))
    return OnnxFacts(path, digest, input_name, shape, output_name, metadata, activations, why, norms)


class _Model:
    """The parts of a ModelProto; ValueError or IndexError where the bytes are none."""

    def __init__(self, data: memoryview) -> None:
        self.props: Dict[str, str] = {}
        #: Kind, name and inputs.
        self._nodes: List[Tuple[str, str, List[str]]] = []
        #: Data type and values of small integer tensors, data type of the others.
        self._tensors: Dict[str, Tuple[int, bytes]] = {}
        self.inputs: List[Tuple[str, Tuple[Optional[int], ...]]] = []
        self.outputs: List[Tuple[str, Tuple[Optional[int], ...]]] = []
        for number, value in fields(data):
            if number == 7:
                self._read_graph(as_bytes(value))
            elif number == 14:
                entry = dict(fields(as_bytes(value)))
                self.props[as_text(entry.get(1))] = as_text(entry.get(2))
        # Old files list their weights among the inputs too.
        self.inputs = [one for one in self.inputs if one[0] not in self._tensors]

    def _read_graph(self, data: memoryview) -> None:
        for number, value in fields(data):
            if number == 1:
                parts = list(fields(as_bytes(value)))
                kind, name = (next((as_text(part) for at, part in parts if at == field), "") for field in (4, 3))
                self._nodes.append((kind, name, [as_text(part) for at, part in parts if at == 1]))
            elif number == 5:
                self._read_tensor(as_bytes(value))
            elif number == 11:
                self.inputs.append(_value_info(as_bytes(value)))
            elif number == 12:
                self.outputs.append(_value_info(as_bytes(value)))

    def _read_tensor(self, data: memoryview) -> None:
        name, kind, content = "", 0, b""
        for number, value in fields(data):
            if number == 8:
                name = as_text(value)
            elif number == 2:
                kind = as_number(value)
            elif number == 9:
                content = bytes(as_bytes(value))
            elif number == 5:
                # int32_data, packed or one by one: only whether all are zero counts.
                content += bytes([value & 0xFF]) if isinstance(value, int) else bytes(value)
        self._tensors[name] = (kind, content if kind in (_UINT8, _INT8, _INT32) else b"")

    def names_of(self, kind: str) -> Iterator[str]:
        """Names of the nodes of one kind; empty where a node has none."""
        return (name for found, name, _ in self._nodes if found == kind)

    def quantised(self) -> Tuple[Optional[Activations], str]:
        """How activations are quantised, and why TensorRT could not take it where that is `other`."""
        found: Dict[Activations, str] = {}
        for kind, _, inputs in self._nodes:
            if kind in ("QuantizeLinear", "DequantizeLinear"):
                what, why = self._one_quantised(kind, inputs)
                found.setdefault(what, why)
        # A file for processors is `unsigned` and has 32-bit biases too: the first says for whom it is made.
        order: Tuple[Activations, ...] = ("unsigned", "other", "signed")
        return next(((what, found[what]) for what in order if what in found), (None, ""))

    def _one_quantised(self, kind: str, inputs: List[str]) -> Tuple[Activations, str]:
        zero = self._tensors.get(inputs[2]) if len(inputs) > 2 else None
        weight = self._tensors.get(inputs[0])
        if kind == "DequantizeLinear" and _INT32 in {part[0] for part in (zero, weight) if part is not None}:
            return "other", f"its bias {inputs[0]!r} is quantised to 32 bits"
        if zero is None:
            # Without a zero point QuantizeLinear gives unsigned numbers; what DequantizeLinear reads is told elsewhere.
            return ("unsigned" if kind == "QuantizeLinear" else "signed"), ""
        if zero[0] == _UINT8:
            return "unsigned", ""
        if zero[0] != _INT8:
            return "other", f"the zero point {inputs[2]!r} is of type {zero[0]}"
        if any(zero[1]):
            return "other", f"the zero point {inputs[2]!r} is not zero"
        return "signed", ""


def _value_info(data: memoryview) -> Tuple[str, Tuple[Optional[int], ...]]:
    """Name and sizes of a ValueInfoProto."""
    entry = dict(fields(data))
    tensor = dict(fields(as_bytes(dict(fields(as_bytes(entry[2]))).get(1, memoryview(b""))))) if 2 in entry else {}
    sizes: List[Optional[int]] = []
    for number, value in fields(as_bytes(tensor.get(2, memoryview(b"")))):
        if number == 1:
            size = dict(fields(as_bytes(value))).get(1)
            sizes.append(size if isinstance(size, int) and size > 0 else None)
    return as_text(entry.get(1)), tuple(sizes)
