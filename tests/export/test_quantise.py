"""The INT8 twin: the same graph in integers, the same peaks, and its own word for what it is."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from export.metadata import draft_metadata
from export.quantise import Activations, quantise
from export.to_onnx import export_onnx, run_onnx
from tests.export.written import metadata_of
from training.data.augment import Pixels
from training.network.unet import UNet, UNetConfig


@pytest.fixture(scope="module")
def pictures() -> list[Pixels]:
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (rng.integers(60, 320), rng.integers(60, 321), 3), np.uint8) for _ in range(6)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = UNet(UNetConfig(8)).train()
    with torch.inference_mode():
        for _ in range(10):
            network(torch.rand(4, 3, 64, 64) * 255)
    path = tmp_path_factory.mktemp("float") / "net.onnx"
    export_onnx(network.eval(), draft_metadata("net", "1", network, "none"), path)
    return path


@pytest.mark.parametrize(("activations", "kind"), [("uint8", np.uint8), ("int8", np.int8)])
def test_every_convolution_but_those_that_draw_the_map_works_on_integers(
    activations: Activations, kind: type, model: Path, pictures: list[Pixels], tmp_path: Path
) -> None:
    out = tmp_path / "int8.onnx"
    quantise(model, out, pictures, activations)
    graph = onnx.load(out).graph
    makers = {name: node.op_type for node in graph.node for name in node.output}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    # On processors all poolings but that of the picture are convolutions.
    computing = {"Conv", "AveragePool"}
    assert len([n for n in graph.node if n.op_type in computing]) == len(
        [n for n in onnx.load(model).graph.node if n.op_type in computing]
    )
    *convolutions, drawing, smoothing = convolutions
    assert {drawing.input[1], smoothing.input[1]}.isdisjoint(makers)
    for node in convolutions:
        assert {makers[name] for name in node.input if name in makers} == {"DequantizeLinear"}
    zeros = {t.name: np.array(numpy_helper.to_array(t)) for t in graph.initializer}
    activation_zeros = [zeros[node.input[2]] for node in graph.node if node.op_type == "QuantizeLinear"]
    assert {zero.dtype.type for zero in activation_zeros} == {kind}
    relus = [node for node in graph.node if node.op_type == "Relu"]
    if activations == "uint8":
        assert not relus
    else:
        assert {makers[node.input[0]] for node in relus} == {"Conv"}
        assert not any(zero.any() for zero in activation_zeros)


def test_it_says_that_it_is_int8_and_all_else_its_float_file_says(
    model: Path, pictures: list[Pixels], tmp_path: Path
) -> None:
    out = tmp_path / "int8.onnx"
    quantise(model, out, pictures)
    before, after = metadata_of(model), metadata_of(out)
    assert before.precision == "float"
    # It is a network of its own, with answers of its own.
    assert after == before.model_copy(update={"precision": "int8", "answers": after.answers})
    assert after.answers is not None
    assert before.answers is not None
    assert after.answers.keys() == before.answers.keys()


def test_it_draws_nearly_the_same(model: Path, pictures: list[Pixels], tmp_path: Path) -> None:
    out = tmp_path / "int8.onnx"
    quantise(model, out, pictures)
    picture = np.random.default_rng(1).uniform(0, 255, (2, 3, 96, 160)).astype(np.float32)
    expected, found = run_onnx(model, picture), run_onnx(out, picture)
    assert found.shape == expected.shape
    assert np.abs(expected - found).mean() < 0.1 * max(float(expected.std()), 0.05)


def test_without_pictures_there_are_no_ranges(model: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one picture"):
        quantise(model, tmp_path / "int8.onnx", [])
    assert not (tmp_path / "int8.onnx").exists()
