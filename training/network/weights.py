"""Weights of a released ONNX file or of a checkpoint, back in a network that can go on learning."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import torch
from nasion.engine.metadata import ModelMetadata
from onnx import numpy_helper
from torch import Tensor, nn

from training.data.pixels import read_rgb
from training.data.table import Picture
from training.data.target import TargetConfig
from training.data.whole import WholePictures
from training.errors import WorkshopError
from training.network.checkpoint import load_network
from training.network.unet import UNet, UNetConfig

#: Pictures from which the statistics of folded normalisations are taken again.
STATISTICS_FROM = 64


def load_weights(path: Path, pictures: Sequence[Picture]) -> UNet:
    """The network of ``path``, a checkpoint or a float ONNX file of ``export``.

    An exported file has its batch normalisations folded into the convolutions; they are unfolded with the statistics
    of some of ``pictures``, see `unfold`. WorkshopError: it is neither, or an INT8 file.
    """
    if path.suffix != ".onnx":
        return load_network(path)
    metadata, config, convolutions = _read_onnx(path)
    network = UNet(config).eval()
    network.sigma_px = math.sqrt(metadata.sigma_px**2 - config.smoothing_px**2)
    targets = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    shapes = [tuple(weight.shape) for weight, _ in convolutions]
    if shapes != [tuple(m.weight.shape) for m in targets]:
        raise WorkshopError(f"{path}: its convolutions {shapes} are not those of the network it says it is, {config}")
    shifts = {}
    with torch.no_grad():
        for target, (weight, shift) in zip(targets, convolutions, strict=True):
            target.weight.copy_(weight)
            if target.bias is not None:
                target.bias.copy_(shift)
            shifts[target] = shift
    some = [p for p in pictures if p.split == "train"]
    some = some[:: max(len(some) // STATISTICS_FROM, 1)][:STATISTICS_FROM]
    if not some:
        raise WorkshopError(f"{path}: there is no training picture to take the statistics of its normalisations from")
    pixels = [read_rgb(p.path) for p in some]
    side = -(-max(max(p.shape[:2]) for p in pixels) // 32) * 32
    whole = WholePictures(some, pixels, side, config.head_stride, TargetConfig())
    unfold(network, shifts, torch.stack([whole[i]["picture"] for i in range(len(whole))]).float())
    return network


def unfold(network: UNet, shifts: dict[nn.Conv2d, Tensor], pictures: Tensor) -> None:
    """Give each batch normalisation the statistics of its input and the scale and shift that undo them.

    Folding made a convolution W' = W g / s with shift b' = b - m g / s. With the mean m' and standard deviation s' of
    W' x, the normalisation with gain s' and shift b' + m' computes what the folded convolution does, and has sound
    statistics to learn on with. ``shifts``: b' of each convolution; ``pictures`` (N, 3, H, W), 0..255.
    """
    norms: dict[nn.Module, nn.Conv2d] = {}
    before: nn.Conv2d | None = None
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            before = module
        elif isinstance(module, nn.BatchNorm2d) and before is not None:
            norms[module] = before

    def take(norm: nn.Module, inputs: tuple[Tensor]) -> None:
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.running_mean is not None
        assert norm.running_var is not None
        variance, mean = torch.var_mean(inputs[0].float(), dim=(0, 2, 3), correction=0)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance)
        norm.weight.copy_(torch.sqrt(variance + norm.eps))
        norm.bias.copy_(shifts[norms[norm]] + mean)

    hooks = [norm.register_forward_pre_hook(take) for norm in norms]
    with torch.no_grad():
        network(pictures)
    for hook in hooks:
        hook.remove()


def read_released(path: Path) -> tuple[onnx.ModelProto, ModelMetadata]:
    """A file of ``python -m export``, and what it says of itself; WorkshopError where ``path`` is none."""
    try:
        model = onnx.load(path)
        return model, ModelMetadata.from_props({p.key: p.value for p in model.metadata_props})
    except (OSError, ValueError) as error:
        raise WorkshopError(f"{path}: not a readable ONNX file ({error})") from error
    except Exception as error:
        # protobuf has its own kinds of error for what is no ONNX file at all.
        raise WorkshopError(f"{path}: not an ONNX file of `python -m export` ({error})") from error


def _read_onnx(path: Path) -> tuple[ModelMetadata, UNetConfig, list[tuple[Tensor, Tensor]]]:
    """The file's metadata, the configuration in it, and weight and shift of each convolution in order."""
    model, metadata = read_released(path)
    if any(node.op_type == "QuantizeLinear" for node in model.graph.node):
        raise WorkshopError(f"{path}: an INT8 file cannot go on learning; take the float file it was made from")
    if metadata.network is None:
        raise WorkshopError(f"{path}: does not say which network it is (metadata nasion.network); export it anew")
    values = {t.name: np.array(numpy_helper.to_array(t)) for t in model.graph.initializer}
    for node in model.graph.node:
        # The exporter writes equal tensors once and names them again.
        if node.op_type == "Identity" and node.input[0] in values:
            values[node.output[0]] = values[node.input[0]]
    convolutions = []
    for node in model.graph.node:
        if node.op_type == "Conv":
            weight = torch.from_numpy(values[node.input[1]])
            if weight.shape[:2] == (1, 1):
                # The smoothing of the map: it follows from the configuration.
                continue
            shift = torch.from_numpy(values[node.input[2]]) if len(node.input) > 2 else torch.zeros(len(weight))
            convolutions.append((weight, shift))
    return metadata, UNetConfig(**json.loads(metadata.network)), convolutions
