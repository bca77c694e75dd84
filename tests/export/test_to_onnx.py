"""What is exported is what was trained, and what the run time expects."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from nasion.core.views import INPUT_SIZES
from nasion.engine.metadata import ModelMetadata
from nasion.errors import InputError

from export.to_onnx import INPUT, OPSET, OUTPUT, PLAIN_OPERATORS, ParityError, check_parity, export_onnx, run_onnx
from training.network.unet import UNet, UNetConfig

METADATA = ModelMetadata(
    name="test-net",
    version="1",
    stride=2,
    sigma_px=4.0,
    threshold=0.6,
    keypoint="between the eyes",
    sizes="224x224",
    data_digest="0" * 64,
    metrics='{"recall": 0.9}',
    licence="none",
)


@pytest.fixture(scope="module")
def network() -> UNet:
    torch.manual_seed(0)
    network = UNet(UNetConfig(width=4))
    network.train()
    with torch.inference_mode():  # BatchNorm statistics other than the initial ones
        network(torch.rand(4, 3, 64, 64) * 255)
    return network.eval()


@pytest.fixture(scope="module")
def exported(network: UNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("onnx") / "net.onnx"
    export_onnx(network, METADATA, path)
    return path


@pytest.mark.parametrize("shape", [(1, 3, 224, 224), (2, 3, 288, 480), (1, 3, 64, 96)])
def test_the_file_computes_what_the_network_computes(
    network: UNet, exported: Path, shape: tuple[int, int, int, int]
) -> None:
    assert check_parity(network, exported, shape) < 1e-4


def test_a_file_of_other_weights_is_found_out(exported: Path) -> None:
    with pytest.raises(ParityError, match="differs from the network"):
        check_parity(UNet(UNetConfig(width=4)).eval(), exported, (1, 3, 64, 64))


def test_only_plain_operators_of_the_old_opset(exported: Path) -> None:
    model = onnx.load(exported)
    assert {node.op_type for node in model.graph.node} <= PLAIN_OPERATORS
    assert [o.version for o in model.opset_import] == [OPSET]
    assert model.graph.node[-1].op_type == "Clip"


def test_normalisation_comes_first_and_the_names_are_the_contract(exported: Path) -> None:
    graph = onnx.load(exported).graph
    work = [node.op_type for node in graph.node if node.op_type != "Constant"]
    assert work[:2] == ["Sub", "Mul"]
    assert [i.name for i in graph.input] == [INPUT]
    assert [o.name for o in graph.output] == [OUTPUT]
    dimensions = graph.input[0].type.tensor_type.shape.dim
    assert [d.dim_param or d.dim_value for d in dimensions] == ["batch", 3, "height", "width"]


def test_the_heat_map_stays_between_zero_and_one(network: UNet, tmp_path: Path) -> None:
    loud = UNet(network.config).eval()
    loud.load_state_dict(network.state_dict())
    with torch.no_grad():
        list(loud.head.parameters())[-2].mul_(1e4)
    export_onnx(loud, METADATA, tmp_path / "loud.onnx")
    picture = np.random.default_rng(0).uniform(0, 255, (1, 3, 64, 64)).astype(np.float32)
    heat = run_onnx(tmp_path / "loud.onnx", picture)
    assert heat.min() == 0
    assert heat.max() == 1


def test_the_metadata_come_back(exported: Path) -> None:
    props = {p.key: p.value for p in onnx.load(exported).metadata_props}
    found = ModelMetadata.from_props(props)
    assert found.model_copy(update={"answers": None}) == METADATA
    assert found.answers is not None
    assert set(found.answers) == {f"{width}x{height}" for height, width in INPUT_SIZES.values()}


def test_the_looks_come_back_in_words_that_people_read() -> None:
    metadata = METADATA.model_copy(update={"looks": (224, 320, 480)})
    assert metadata.to_props()["nasion.looks"] == "224, 320, 480"
    assert ModelMetadata.from_props(metadata.to_props()) == metadata


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"nasion.stride": "two"}, r"nasion\.stride.*'two'"),
        ({"nasion.threshold": "1.5"}, r"nasion\.threshold"),
        ({"nasion.name": None}, r"nasion\.name"),
    ],
)
def test_bad_metadata_are_named(change: dict[str, str | None], said: str) -> None:
    props: dict[str, str | None] = {**METADATA.to_props(), **change}
    with pytest.raises(InputError, match=said):
        ModelMetadata.from_props({k: v for k, v in props.items() if v is not None})
