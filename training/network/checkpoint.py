"""From a checkpoint of a run to the network it holds."""

from pathlib import Path
from typing import Any

import torch

from training.data.table import TableError
from training.network.unet import UNet, UNetConfig


def load_network(path: Path) -> UNet:
    """The averaged weights of a checkpoint, in evaluation mode; TableError says why it cannot be read.

    Only tensors and this project's own configuration classes are unpickled.
    """
    from training.fit.module import ScheduleConfig

    try:
        with torch.serialization.safe_globals([UNetConfig, ScheduleConfig]):
            checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        config = checkpoint["hyper_parameters"]["network"]
        prefix = "network."
        weights = {k.removeprefix(prefix): v for k, v in checkpoint["state_dict"].items() if k.startswith(prefix)}
        network = UNet(config)
        network.load_state_dict(weights)
    except Exception as error:
        raise TableError(f"{path}: not a checkpoint of training.train ({type(error).__name__}: {error})") from error
    return network.eval()
