"""A model in floats and in integers, an nvinfer file for it, and a stand-in for `trtexec`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Callable

import numpy as np
import onnx
import pytest
from nasion.engine.metadata import ModelMetadata
from onnx import TensorProto, helper, numpy_helper

DOUBLE = Path(__file__).parents[1] / "doubles" / "trtexec_double.py"

CONFIG = """\
[property]
gie-unique-id=1
network-type=100
output-tensor-meta=1
onnx-file={onnx}
infer-dims=3;224;224
maintain-aspect-ratio=1
scaling-filter=1
network-mode={mode}
"""


@pytest.fixture
def trtexec(tmp_path: Path) -> Callable[[str], str]:
    """``trtexec`` of a version, as a program."""

    def make(version: str) -> str:
        program = tmp_path / f"trtexec-{version}"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{DOUBLE}" {version} "$@"\n')
        program.chmod(0o755)
        return str(program)

    return make


@pytest.fixture
def config_for(tmp_path: Path) -> Callable[..., Path]:
    """An nvinfer file for a model; ``mode`` is its network-mode, ``more`` further lines."""

    def write(model: Path, mode: int = 2, more: str = "") -> Path:
        path = tmp_path / f"nvinfer-{model.stem}-{mode}.txt"
        path.write_text(CONFIG.format(onnx=model, mode=mode) + more)
        return path

    return write


@pytest.fixture
def int8_model(spot_model: Path, tmp_path: Path) -> Callable[..., Path]:
    """The spot model with Q/DQ nodes around its convolution, of one of several kinds.

    ``signed``: what TensorRT takes; ``unsigned``: what processors like; ``asymmetric``: signed with a zero point;
    ``bias32``: signed with the bias in 32 bits, as ONNX Runtime's quantiser writes it unasked. ``says``: what its
    metadata call its precision.
    """

    def make(kind: str, says: str = "int8") -> Path:
        model = onnx.load(str(spot_model))
        graph = model.graph
        unsigned = kind == "unsigned"
        zero = np.array({"unsigned": 0, "asymmetric": 3}.get(kind, 0), np.uint8 if unsigned else np.int8)
        graph.initializer.extend(
            [
                numpy_helper.from_array(np.array(255 / 127, np.float32), "scale"),
                numpy_helper.from_array(zero, "zero_point"),
            ]
        )
        nodes = [
            helper.make_node("QuantizeLinear", ["input", "scale", "zero_point"], ["q"], name="quantise"),
            helper.make_node("DequantizeLinear", ["q", "scale", "zero_point"], ["dq"], name="dequantise"),
        ]
        graph.node[0].input[0] = "dq"
        if kind == "bias32":
            graph.initializer.extend(
                [
                    numpy_helper.from_array(np.zeros(1, np.int32), "bias_quantised"),
                    numpy_helper.from_array(np.array(0, np.int32), "bias_zero"),
                ]
            )
            inputs = ["bias_quantised", "scale", "bias_zero"]
            nodes.append(helper.make_node("DequantizeLinear", inputs, ["bias"], name="bias_dequantise"))
            graph.node[0].input.append("bias")
        rest = list(graph.node)
        del graph.node[:]
        graph.node.extend([*nodes, *rest])
        props = {entry.key: entry.value for entry in model.metadata_props}
        metadata = ModelMetadata.from_props(props).model_copy(update={"precision": says})
        del model.metadata_props[:]
        helper.set_model_props(model, metadata.to_props())
        onnx.checker.check_model(model)
        path = tmp_path / f"spot-{kind}.onnx"
        onnx.save(model, str(path))
        return path

    return make


@pytest.fixture
def norm_model(spot_model: Path, tmp_path: Path) -> Callable[[str], Path]:
    """The spot model with an InstanceNormalization of that name before its end, as the original network has them."""

    def make(name: str = "/stem/norm") -> Path:
        model = onnx.load(str(spot_model))
        graph = model.graph
        ones, zeros = np.ones(1, np.float32), np.zeros(1, np.float32)
        graph.initializer.extend([numpy_helper.from_array(ones, "ones"), numpy_helper.from_array(zeros, "zeros")])
        norm = helper.make_node("InstanceNormalization", ["pooled", "ones", "zeros"], ["even"], name=name)
        graph.node.insert(len(graph.node) - 1, norm)
        graph.node[-1].input[0] = "even"
        onnx.checker.check_model(model)
        path = tmp_path / "spot-norm.onnx"
        onnx.save(model, str(path))
        return path

    return make


@pytest.fixture
def fixed_model(spot_model: Path, tmp_path: Path) -> Path:
    """The spot model with all sizes fixed to 1 x 3 x 224 x 224."""
    model = onnx.load(str(spot_model))
    shape = helper.make_tensor_type_proto(TensorProto.FLOAT, [1, 3, 224, 224])
    model.graph.input[0].type.CopyFrom(shape)
    path = tmp_path / "fixed.onnx"
    onnx.save(model, str(path))
    return path
