"""Write a trained network as ONNX: normalisation nodes first, clipped heat map last, height and width open."""

import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn.functional as F
from nasion.core.known_picture import Answer, answer_of, known_tensor
from nasion.core.views import INPUT_SIZES
from nasion.engine.metadata import ModelMetadata
from numpy.typing import NDArray
from torch import Tensor, nn

from training.errors import WorkshopError
from training.network.unet import UNet

#: TensorRT 8.5, the newest for the AGX Xavier, reads no later opset.
OPSET = 17
INPUT, OUTPUT = "input", "heat_map"
#: What a BatchNorm network consists of once its normalisation is folded; plain enough for TensorRT and INT8.
PLAIN_OPERATORS = {"Conv", "Relu", "AveragePool", "Resize", "Concat", "Sub", "Mul", "Clip", "Constant"}


class ParityError(WorkshopError):
    """The exported file does not compute what the network computes."""


class _Released(nn.Module):
    """The network with its output smoothed, see `UNet.smoothing`, and limited to 0..1, as the run time expects."""

    smoothing: Tensor | None

    def __init__(self, network: UNet) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("smoothing", network.smoothing())

    def forward(self, picture: Tensor) -> Tensor:
        heat: Tensor = self.network(picture)
        if self.smoothing is not None:
            heat = F.conv2d(heat, self.smoothing, padding=self.smoothing.shape[-1] // 2)
        return heat.clamp(0.0, 1.0)


def export_onnx(network: UNet, metadata: ModelMetadata, path: Path) -> None:
    """Write ``network`` to ``path``: ``input`` float32 N x 3 x H x W (RGB, 0..255), ``heat_map`` N x 1 x H/s x W/s."""
    model = _Released(network).eval().float()
    example = torch.zeros(1, 3, 224, 224)
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        # The legacy exporter says that it is one; it is chosen because it keeps opset 17 and IR version 8.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (example,),
            str(path),
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={
                INPUT: {0: "batch", 2: "height", 3: "width"},
                OUTPUT: {0: "batch", 2: "heat_height", 3: "heat_width"},
            },
        )
    write_metadata(path, metadata)


def write_metadata(path: Path, metadata: ModelMetadata) -> None:
    """Have the file say this of itself, in place of what it said before, with what it draws for the drawn head."""
    proto = onnx.load(path)
    metadata = metadata.model_copy(update={"answers": _known_answers(path, metadata.stride)})
    del proto.metadata_props[:]
    onnx.helper.set_model_props(proto, metadata.to_props())
    onnx.checker.check_model(proto)
    onnx.save(proto, path)


def _known_answers(path: Path, stride: int) -> dict[str, Answer]:
    """At the sizes of all views."""
    sizes = sorted(set(INPUT_SIZES.values()))
    maps = {(height, width): run_onnx(path, known_tensor(height, width))[0, 0] for height, width in sizes}
    return {f"{width}x{height}": answer_of(heat, stride) for (height, width), heat in maps.items()}


def run_onnx(path: Path, picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """The file's heat map for ``picture`` N x 3 x H x W."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    heat: NDArray[np.float32] = session.run([OUTPUT], {INPUT: picture})[0]
    return heat


def check_parity(network: UNet, path: Path, shape: tuple[int, int, int, int], tolerance: float = 1e-4) -> float:
    """Largest difference between network and file on a random picture; ParityError above ``tolerance``."""
    picture = np.random.default_rng(0).uniform(0, 255, shape).astype(np.float32)
    with torch.inference_mode():
        expected = _Released(network).eval().float()(torch.from_numpy(picture)).numpy()
    difference = float(np.abs(expected - run_onnx(path, picture)).max())
    if not difference <= tolerance:
        raise ParityError(
            f"{path}: differs from the network by {difference:.2g} at {shape}; at most {tolerance:g} is right"
        )
    return difference
