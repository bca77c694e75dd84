"""What is measured: the networks of the views, and the settings of the runs that take them."""

from pathlib import Path
from typing import Any, Dict, Optional, Tuple, Type

from nasion.config.nvinfer import NvinferConfig, default_nvinfer_file, read_nvinfer
from nasion.core.views import INPUT_SIZES
from nasion.engine.onnx_model import HeatMapModel
from nasion.engine.precision import choose_file
from nasion.settings import CameraSettings, JumpSettings, Mode, MqttSettings, Precision, RunSettings, View


class Subject:
    """The network of each view, in one precision, or one model file for all; and how many threads it has."""

    def __init__(self, *, model: Optional[Path], precision: Precision, cpuinfo: str, threads: int) -> None:
        """``model``: instead of the released ones; ``cpuinfo``: text of /proc/cpuinfo, for precision `auto`."""
        self.model = model
        self.precision = precision
        self.threads = threads
        self._cpuinfo = cpuinfo
        self._networks: Dict[View, HeatMapModel] = {}

    def config(self, view: View) -> NvinferConfig:
        """The nvinfer file for ``view``. InputError where it cannot be had."""
        return read_nvinfer(choose_file(self.precision, default_nvinfer_file(view), self._cpuinfo).file)

    def model_file(self, view: View) -> Path:
        """The network's file."""
        return self.config(view).onnx_file if self.model is None else self.model

    def network(self, view: View) -> HeatMapModel:
        """The network, opened for ``view``, always the same one. InputError, DependencyError: see `HeatMapModel`."""
        if view not in self._networks:
            self._networks[view] = self.opened(self.model_file(view), view, self.threads)
        return self._networks[view]

    @staticmethod
    def opened(file: Path, view: View, threads: int, kind: Type[HeatMapModel] = HeatMapModel) -> HeatMapModel:
        """A network of another file, with other threads or another engine."""
        height, width = INPUT_SIZES[view]
        return kind(file, height=height, width=width, threads=threads)

    def settings(self, view: View, mode: Mode, *, sources: Tuple[str, ...], mqtt_url: str = "none") -> RunSettings:
        """A run of ``sources`` on the CPU; distances may jump, as the few frames that are shown again and again do."""
        return RunSettings(
            cameras=[CameraSettings(source=source, name=f"cam{index}") for index, source in enumerate(sources)],
            view=view,
            engine="onnxruntime",
            nvinfer=str(self.config(view).path),
            model=None if self.model is None else str(self.model),
            threads=self.threads,
            mode=mode,
            jump=JumpSettings(mode="off"),
            mqtt=MqttSettings(url=mqtt_url),
        )

    def facts(self, view: View) -> Dict[str, Any]:
        """What the network of ``view`` says of itself."""
        network = self.network(view)
        about = network.metadata
        return {
            "file": self.model_file(view).name,
            "name": about.name,
            "version": about.version,
            "precision": about.precision,
            "digest": network.digest,
            "threads": self.threads,
        }
