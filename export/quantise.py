"""INT8 with Q/DQ nodes: the same graph in 8-bit integers, calibrated on real pictures.

Weights are signed and have a scale for each channel; activations are unsigned with a zero point, which processors
with VNNI multiply fastest. ``activations="int8"`` makes them signed and symmetric, the only form that TensorRT takes.
Sources: ONNX Runtime's documentation on quantisation; TensorRT's on explicit quantisation.
"""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
import onnx
from nasion.engine.metadata import ModelMetadata
from nasion.locating import FIRST_LOOK
from numpy.typing import NDArray
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from export.to_onnx import INPUT
from training.data.augment import Pixels

Activations = Literal["uint8", "int8"]


class _Pictures(CalibrationDataReader):  # type: ignore[misc]
    """Pictures one by one, as `nasion locate` feeds the network those of its own size."""

    def __init__(self, pictures: Sequence[Pixels]) -> None:
        self._rest: Iterator[NDArray[np.float32]] = map(self._tensor, pictures)

    @staticmethod
    def _tensor(picture: Pixels) -> NDArray[np.float32]:
        square = np.zeros((1, 3, FIRST_LOOK, FIRST_LOOK), np.float32)
        height, width = min(picture.shape[0], FIRST_LOOK), min(picture.shape[1], FIRST_LOOK)
        square[0, :, :height, :width] = picture[:height, :width].transpose(2, 0, 1)
        return square

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        tensor = next(self._rest, None)
        return None if tensor is None else {INPUT: tensor}


def quantise(model: Path, out: Path, pictures: Sequence[Pixels], activations: Activations = "uint8") -> None:
    """Write the INT8 twin of the float file ``model`` to ``out``; its metadata says so.

    ``pictures`` (H, W, 3) RGB: what the ranges of the activations are taken from, by their smallest and largest values.
    The normalisation of the input stays in float: its three channels have different ranges.
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
            draft = Path(folder) / "int8.onnx"
            quantize_static(
                str(model),
                str(draft),
                _Pictures(pictures),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8 if activations == "uint8" else QuantType.QInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.MinMax,
                op_types_to_quantize=["Conv", "AveragePool", "Resize", "Concat"],
                extra_options={"ActivationSymmetric": activations == "int8"},
            )
            quantised = onnx.load(draft)
    finally:
        root.setLevel(level)
    del quantised.metadata_props[:]
    onnx.helper.set_model_props(quantised, metadata.to_props())
    onnx.checker.check_model(quantised)
    onnx.save(quantised, out)
