"""Released weights, back in a network that can go on learning."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from nasion.engine.metadata import ModelMetadata
from torch import nn

from export.metadata import draft_metadata
from export.to_onnx import export_onnx
from training.data.pixels import read_rgb
from training.data.table import Picture, read_table
from training.data.target import TargetConfig
from training.data.whole import WholePictures
from training.errors import WorkshopError
from training.network.unet import FAMILY, UNet, UNetConfig
from training.network.weights import load_weights


@pytest.fixture
def pictures(make_table: Callable[..., Path]) -> list[Picture]:
    return read_table(make_table(6))


def trained_for_a_moment(config: UNetConfig) -> UNet:
    """Random weights and, from some noise, statistics of its normalisations that are not those of a new network."""
    torch.manual_seed(3)
    network = UNet(config).train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias)
    for _ in range(20):
        network(torch.rand(4, 3, 64, 64) * 255)
    return network.eval()


def released(of: UNet, path: Path, **changed: str) -> Path:
    metadata = draft_metadata("tiny", "1", of, "none").model_copy(update=changed)
    export_onnx(of, metadata, path)
    return path


@pytest.mark.parametrize("name", FAMILY)
def test_a_released_file_becomes_the_network_it_was(name: str, pictures: list[Picture], tmp_path: Path) -> None:
    original = trained_for_a_moment(replace(FAMILY[name], width=4))
    again = load_weights(released(original, tmp_path / "x.onnx"), pictures)
    assert again.config == original.config
    picture = torch.from_numpy(read_rgb(pictures[0].path)[:96, :128].transpose(2, 0, 1).copy()).float()[None]
    with torch.inference_mode():
        expected, found = original(picture), again(picture)
    assert torch.allclose(found, expected, atol=1e-3 * float(expected.abs().max()))


def test_its_statistics_are_sound_to_learn_on(pictures: list[Picture], tmp_path: Path) -> None:
    """In training mode, where normalisations use the batch's own statistics, it still computes nearly the same."""
    original = trained_for_a_moment(UNetConfig(8))
    again = load_weights(released(original, tmp_path / "x.onnx"), pictures)
    whole = WholePictures(pictures, [read_rgb(p.path) for p in pictures], 128, 4, TargetConfig())
    batch = torch.stack([whole[index]["picture"].float() for index in range(24)])
    with torch.inference_mode():
        still, learning = again.eval()(batch), again.train()(batch)
    assert float((still - learning).abs().mean()) < 0.3 * float(still.std())


def test_a_frozen_encoder_does_not_move() -> None:
    network = trained_for_a_moment(UNetConfig(4))
    network.freeze_encoder()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.train()
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], 0.1)
    network(torch.rand(4, 3, 64, 64) * 255).square().mean().backward()
    optimizer.step()
    moved = {
        name.split(".")[0]
        for name, value in network.state_dict().items()
        if "num_batches" not in name and not torch.equal(value, before[name])
    }
    assert moved == {"up", "head"}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda path: path.write_bytes(b"garbage"), "not an ONNX file of"),
        (lambda path: path.unlink(), "not a readable ONNX file"),
    ],
)
def test_what_is_no_model_is_named(
    spoil: Callable[[Path], None], said: str, pictures: list[Picture], tmp_path: Path
) -> None:
    path = released(trained_for_a_moment(UNetConfig(2)), tmp_path / "x.onnx")
    spoil(path)
    with pytest.raises(WorkshopError, match=said):
        load_weights(path, pictures)


def test_a_file_that_lies_about_its_network_is_refused(pictures: list[Picture], tmp_path: Path) -> None:
    other = ModelMetadata.to_props(draft_metadata("x", "1", UNet(UNetConfig(3)), "none"))["nasion.network"]
    path = released(trained_for_a_moment(UNetConfig(2)), tmp_path / "x.onnx", network=other)
    with pytest.raises(WorkshopError, match="not those of the network"):
        load_weights(path, pictures)
