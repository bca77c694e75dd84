"""What a file says of itself before it is judged."""

import json
from dataclasses import asdict
from pathlib import Path

from nasion.core.views import INPUT_SIZES
from nasion.engine.metadata import ModelMetadata

from training.errors import WorkshopError
from training.network.unet import UNet
from training.network.weights import read_released


def draft_metadata(
    name: str,
    version: str,
    network: UNet,
    data_digest: str,
    looks: tuple[int, ...] | None = None,
    licence: str = "not known",
) -> ModelMetadata:
    """What is known of a model before it is judged; its threshold and figures stand for nothing yet."""
    return ModelMetadata(
        name=name,
        version=version,
        stride=network.config.head_stride,
        sigma_px=network.drawn_sigma_px,
        threshold=0.5,
        keypoint="the middle of the straight line between the centres of the two eyes",
        sizes=", ".join(f"{width}x{height}" for height, width in INPUT_SIZES.values()),
        data_digest=data_digest,
        metrics="{}",
        licence=licence,
        network=json.dumps(asdict(network.config)),
        looks=looks,
    )


def released_metadata(model: Path) -> ModelMetadata:
    """What a float file of an earlier release says of itself; WorkshopError where ``model`` is none."""
    _, metadata = read_released(model)
    if metadata.precision != "float":
        raise WorkshopError(f"{model}: is {metadata.precision}; take the float file it was made from")
    return metadata
