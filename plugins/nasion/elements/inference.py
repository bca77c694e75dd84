"""The network of `nasioninfer`: what nvinfer does with a picture, on the CPU."""

from pathlib import Path
from typing import Optional

import numpy as np
from numpy.typing import NDArray

from nasion.config.nvinfer import NvinferConfig, default_nvinfer_file, read_nvinfer
from nasion.core.heatmap import is_probability_map
from nasion.core.scaling import scaled_crop
from nasion.core.tensor import blank_tensor, fill_tensor
from nasion.core.views import INPUT_SIZES, view_geometry
from nasion.elements.records import Look, Record
from nasion.engine.onnx_model import HeatMapModel
from nasion.engine.precision import read_cpuinfo, settle_precision
from nasion.errors import InputError
from nasion.settings import RunSettings, View
from nasion.sources.frame import Clock


class Inference:
    """One network for pictures of one size. One thread calls it."""

    def __init__(self, settings: RunSettings, *, view: Optional[View]) -> None:
        """``view``: None takes that of the nvinfer file. InputError or DependencyError where it cannot be run."""
        settled = settle_precision(settings, engine="onnxruntime", cpuinfo=read_cpuinfo(), on_event=lambda _: None)
        config = read_nvinfer(Path(settled.nvinfer) if settled.nvinfer else default_nvinfer_file(settings.view))
        self._view = view or (view_of(config) if settings.nvinfer else settings.view)
        config.check_view(self._view)
        path = Path(settings.model) if settings.model else config.onnx_file
        self._model = HeatMapModel(path, height=config.height, width=config.width, threads=settings.threads)
        self._order = config.color_format
        self._tensor = blank_tensor(config.height, config.width)

    def look(self, width: int, height: int) -> Look:
        """What the network sees of pictures of this size; InputError where nothing is left to see."""
        try:
            return Look("onnxruntime", self._view, self._model, view_geometry(self._view, width, height))
        except ValueError as error:
            raise InputError(str(error)) from None

    def infer(self, picture: NDArray[np.uint8], look: Look, record: Record, clock: Clock) -> None:
        """Give ``record`` the heat map of ``picture``, (H, W, 3 or 4) BGR or BGRx; none where it is not finite."""
        slip, record.look = record.slip, look
        slip.spend("wait", clock.monotonic_ns())
        fill_tensor(scaled_crop(picture, look.geometry, self._order), self._tensor)
        slip.spend("preprocess", clock.monotonic_ns())
        heat = self._model.infer(self._tensor)
        slip.heat = heat if is_probability_map(heat) else None
        slip.spend("network", clock.monotonic_ns())


def view_of(config: NvinferConfig) -> View:
    """The view that the file feeds the network with; InputError where it is none of ours."""
    for view, size in INPUT_SIZES.items():
        if size == (config.height, config.width):
            return view
    sizes = ", ".join(f"3;{height};{width} ({view})" for view, (height, width) in INPUT_SIZES.items())
    raise InputError(f"{config.path}: infer-dims=3;{config.height};{config.width}; expected one of {sizes}")
