"""The family of networks: sizes as designed, any multiple of 32 pixels."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from training.network.unet import FAMILY, THESIS, UNet, UNetConfig


def multiply_accumulates(network: UNet, height: int, width: int) -> int:
    """Counted where they happen: in every convolution of one forward pass."""
    total = 0

    def count(layer: nn.Module, _inputs: object, output: torch.Tensor) -> None:
        nonlocal total
        assert isinstance(layer, nn.Conv2d)
        total += output[0].numel() * layer.in_channels // layer.groups * layer.kernel_size[0] * layer.kernel_size[1]

    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, nn.Conv2d)]
    with torch.inference_mode():
        network.eval()(torch.zeros(1, 3, height, width))
    for hook in hooks:
        hook.remove()
    return total


def test_the_thesis_network_has_its_size() -> None:
    network = UNet(THESIS)
    assert sum(isinstance(m, nn.Conv2d) for m in network.modules()) == 14
    assert sum(p.numel() for p in network.parameters()) == pytest.approx(11.06e6, rel=1e-3)
    assert multiply_accumulates(network, 224, 224) == pytest.approx(10.79e9, rel=1e-3)


def test_the_default_stays_below_a_billion_multiplications() -> None:
    assert multiply_accumulates(UNet(UNetConfig()), 224, 224) < 1e9


@pytest.mark.parametrize("config", [replace(config, width=4) for config in FAMILY.values()], ids=FAMILY)
@pytest.mark.parametrize("size", [(224, 224), (288, 480), (32, 64)])
def test_the_heat_map_is_the_picture_divided_by_the_stride(config: UNetConfig, size: tuple[int, int]) -> None:
    with torch.inference_mode():
        heat = UNet(config).eval()(torch.zeros(2, 3, *size))
    assert heat.shape == (2, 1, size[0] // config.head_stride, size[1] // config.head_stride)


@pytest.mark.parametrize("name", ["lite", "thesis-batch"])
def test_gradients_lie_packed_before_the_up_sampling(name: str) -> None:
    """Concatenation hands back slices; the gradient of the interpolation is several times slower on those."""
    network = UNet(replace(FAMILY[name], width=4))
    lie: list[bool] = []

    def look(_module: nn.Module, inputs: tuple[torch.Tensor]) -> None:
        inputs[0].grad_fn.next_functions[0][0].register_prehook(  # type: ignore[union-attr]
            lambda gradients: lie.append(gradients[0].is_contiguous(memory_format=torch.channels_last))
        )

    for level in network.up:
        level.register_forward_pre_hook(look)
    network(torch.rand(2, 3, 64, 64).contiguous(memory_format=torch.channels_last)).square().sum().backward()
    assert lie == [True] * network.config.up_levels


def test_normalisation_is_part_of_the_network() -> None:
    network = UNet(UNetConfig(width=4)).eval()
    seen: list[torch.Tensor] = []
    network.stem.register_forward_hook(lambda _m, inputs, _o: seen.append(inputs[0]))
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1) * 255
    with torch.inference_mode():
        network(mean.expand(1, 3, 32, 32))
    assert seen[0].abs().max() < 1e-5


@pytest.mark.parametrize("config", [UNetConfig(width=4), UNetConfig(width=4, smoothing_px=5.0)])
def test_smoothing_widens_what_is_taught_and_keeps_its_height(config: UNetConfig) -> None:
    network = UNet(config)
    stride = config.head_stride
    cells = (torch.arange(-12, 13) * stride).float()
    row = torch.exp(-((cells / network.sigma_px) ** 2) / 2)
    taught = torch.outer(row, row)[None, None]
    drawn = network.smoothed(taught)[0, 0]
    assert float(drawn.max()) == float(drawn[12, 12]) == pytest.approx(1)
    # A cell away, as high as a Gaussian of the drawn width has it.
    assert float(drawn[12, 13]) == pytest.approx(
        float(torch.exp(torch.tensor(-0.5 * (stride / network.drawn_sigma_px) ** 2))), abs=0.02
    )


def test_the_thesis_network_is_not_smoothed() -> None:
    heat = torch.rand(1, 1, 32, 32)
    assert UNet(THESIS).smoothed(heat) is heat
    assert UNet(THESIS).drawn_sigma_px == UNet(THESIS).sigma_px
