"""From a checkpoint of a run to the network it holds."""

from pathlib import Path
from typing import Any

import torch

from training.errors import WorkshopError
from training.fit.loss import LossConfig
from training.fit.schedule import Budget, ScheduleConfig
from training.network.unet import UNet, UNetConfig


def load_network(path: Path) -> UNet:
    """The averaged weights of a checkpoint, in evaluation mode; WorkshopError says why it cannot be read.

    Only tensors and this project's own configuration classes are unpickled.
    """
    try:
        with torch.serialization.safe_globals([UNetConfig, ScheduleConfig, LossConfig, Budget]):
            checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        parameters = checkpoint["hyper_parameters"]
        prefix = "network."
        weights = {k.removeprefix(prefix): v for k, v in checkpoint["state_dict"].items() if k.startswith(prefix)}
        network = UNet(parameters["network"])
        network.load_state_dict(weights)
        network.sigma_px = float(parameters.get("sigma_px", UNet.sigma_px))
    except Exception as error:
        # PyTorch explains itself over many lines; the first says it.
        reason = next(iter(str(error).splitlines()), "")
        raise WorkshopError(f"{path}: not a checkpoint of training.train ({type(error).__name__}: {reason})") from error
    return network.eval()
