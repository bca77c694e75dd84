"""Pooling as convolution: other nodes, the same heat map."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import helper

from export.metadata import draft_metadata
from export.pools import pools_as_convolutions
from export.to_onnx import export_onnx, run_onnx
from training.network.unet import UNet, UNetConfig


def test_what_convolutions_gave_is_convolved_and_what_the_camera_gave_is_pooled(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = UNet(UNetConfig(8)).eval()
    pooled, convolved = tmp_path / "pooled.onnx", tmp_path / "convolved.onnx"
    export_onnx(network, draft_metadata("net", "1", network, "none"), pooled)
    before = onnx.load(pooled)
    after = pools_as_convolutions(before)
    onnx.checker.check_model(after)
    onnx.save(after, convolved)
    left = [node.input[0] for node in after.graph.node if node.op_type == "AveragePool"]
    assert len([node for node in before.graph.node if node.op_type == "AveragePool"]) == 1 + network.config.levels
    assert len(left) == 1
    assert not any(node.op_type == "Conv" and left[0] in node.output for node in after.graph.node)
    picture = np.random.default_rng(0).uniform(0, 255, (2, 3, 96, 160)).astype(np.float32)
    np.testing.assert_allclose(run_onnx(convolved, picture), run_onnx(pooled, picture), atol=1e-5)


def test_pooling_beyond_the_edges_is_refused() -> None:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["y"], "conv", kernel_shape=[1, 1]),
        helper.make_node("AveragePool", ["y"], ["z"], "pool", kernel_shape=[2, 2], strides=[2, 2], pads=[1, 1, 1, 1]),
    ]
    weight = helper.make_tensor("w", onnx.TensorProto.FLOAT, [4, 3, 1, 1], [0.0] * 12)
    places = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 3, 8, 8]) for name in "xz"]
    model = helper.make_model(helper.make_graph(nodes, "g", places[:1], places[1:], [weight]))
    with pytest.raises(ValueError, match="pool: pooling beyond the edges"):
        pools_as_convolutions(model)
