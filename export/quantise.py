"""INT8 with Q/DQ nodes: the same graph in 8-bit integers, calibrated on real pictures.

Weights are signed and have a scale for each channel; activations are unsigned with a zero point, which processors
with VNNI multiply fastest. ``activations="int8"`` makes them signed and symmetric, the only form that TensorRT takes.
Sources: ONNX Runtime's documentation on quantisation; TensorRT's on explicit quantisation.
"""

import logging
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np
import onnx
from nasion.engine.metadata import ModelMetadata
from nasion.locating import LOOKS, network_input
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from export.pools import pools_as_convolutions
from export.to_onnx import INPUT, write_metadata
from training.data.augment import Pixels

Activations = Literal["uint8", "int8"]

#: What is computed in integers.
_OPERATORS = ["Conv", "Relu", "Resize", "Concat"]
_OPTIONS: dict[Activations, dict[str, Any]] = {
    # The Relu goes: numbers that are rounded to unsigned ones cannot be negative.
    "uint8": {"ActivationSymmetric": False},
    # TensorRT wants Q/DQ around the weights as well, adds biases in float, and fuses a convolution with its Relu where
    # nothing is rounded between them.
    "int8": {
        "ActivationSymmetric": True,
        "QuantizeBias": False,
        "AddQDQPairToWeight": True,
        "OpTypesToExcludeOutputQuantization": ["Conv"],
    },
}


class _Pictures(CalibrationDataReader):  # type: ignore[misc]
    """Pictures one by one, as `nasion locate` feeds the network: each at one of its looks."""

    def __init__(self, pictures: Sequence[Pixels], looks: Sequence[int]) -> None:
        self._rest: Iterator[NDArray[np.float32]] = (
            network_input(picture, looks[index % len(looks)])[0] for index, picture in enumerate(pictures)
        )

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        tensor = next(self._rest, None)
        return None if tensor is None else {INPUT: tensor}


def quantise(model: Path, out: Path, pictures: Sequence[Pixels], activations: Activations = "uint8") -> ModelMetadata:
    """Write the INT8 twin of the float file ``model`` to ``out``; what it says of itself is returned.

    ``pictures`` (H, W, 3) BGR: what the ranges of the activations are taken from, by their smallest and largest values.
    The normalisation of the input stays in float: its three channels have different ranges. So do the last convolution
    and the smoothing: they cost little, and steps of the map would move its peaks.
    """
    if not pictures:
        raise ValueError("calibration needs at least one picture")
    proto = onnx.load(model)
    props = {p.key: p.value for p in proto.metadata_props}
    metadata = ModelMetadata.from_props(props).model_copy(update={"precision": "int8"})
    out.parent.mkdir(parents=True, exist_ok=True)
    root = logging.getLogger()
    level = root.level
    # The quantiser advises, through the root logger, a preparation that is of no use to a graph without shapes.
    root.setLevel(logging.ERROR)
    try:
        with TemporaryDirectory() as folder:
            draft, plain = Path(folder) / "int8.onnx", Path(folder) / "float.onnx"
            onnx.save(pools_as_convolutions(proto) if activations == "uint8" else proto, plain)
            quantize_static(
                str(plain),
                str(draft),
                _Pictures(pictures, metadata.looks or LOOKS),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8 if activations == "uint8" else QuantType.QInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.MinMax,
                op_types_to_quantize=[*_OPERATORS, "AveragePool"] if activations == "int8" else _OPERATORS,
                nodes_to_exclude=_end(proto),
                extra_options=_OPTIONS[activations],
            )
            write_metadata(draft, metadata)
            shutil.copyfile(draft, out)
    finally:
        root.setLevel(level)
    return metadata


def _end(proto: onnx.ModelProto) -> list[str]:
    """The convolutions that draw and smooth the map: those of one output."""
    channels = {tensor.name: tensor.dims[0] for tensor in proto.graph.initializer if tensor.dims}
    return [n.name for n in proto.graph.node if n.op_type == "Conv" and channels.get(n.input[1]) == 1]
