"""Opens the engine `deepstream`: the engine file made ready, the network's facts read, nothing of it run in Python."""

from pathlib import Path
from typing import Callable

from typing_extensions import Literal

from nasion.config.nvinfer import NvinferConfig, read_nvinfer
from nasion.core.views import ViewGeometry
from nasion.deepstream.description import CameraInput
from nasion.deepstream.geometry import deepstream_geometry
from nasion.deepstream.graph import CameraPart, DeepStreamGraph
from nasion.deepstream.meta import MetaReader
from nasion.pipeline.flow import Flow
from nasion.pipeline.steps import Steps
from nasion.settings import View
from nasion.sources.frame import Clock
from nasion.tensorrt.command import default_engines
from nasion.tensorrt.device import read_gpu, read_tensorrt
from nasion.tensorrt.onnx_facts import OnnxFacts, read_onnx_facts
from nasion.tensorrt.prepare import nvinfer_file_for_run


class DeepStreamEngine:
    """One nvinfer for all cameras; see `nasion.pipeline.engine.Engine`."""

    name: Literal["deepstream"] = "deepstream"

    def __init__(
        self, model: OnnxFacts, nvinfer_file: Path, reader: MetaReader, on_event: Callable[[str], None]
    ) -> None:
        self.model = model
        self._graph = DeepStreamGraph(nvinfer_file, reader, on_event)

    def geometry(self, view: View, width: int, height: int) -> ViewGeometry:
        """See `deepstream_geometry`."""
        return deepstream_geometry(view, width, height)

    def graph(
        self,
        name: str,
        *,
        geometry: ViewGeometry,
        live: bool,
        fps: float,
        steps: Steps,
        flow: Flow,
        clock: Clock,
        on_failure: Callable[[BaseException], None],
    ) -> CameraPart:
        """A part of the one pipeline for each camera."""
        camera = CameraInput(geometry, live, fps)
        return self._graph.add(name, camera, steps=steps, flow=flow, clock=clock, on_failure=on_failure)


def open_deepstream(config: NvinferConfig, *, cameras: int, on_event: Callable[[str], None]) -> DeepStreamEngine:
    """The engine for ``config`` and so many ``cameras``.

    InputError where nvinfer must not be started with it, DependencyError and HardwareError where TensorRT or the GPU
    is missing.
    """
    facts = read_onnx_facts(config.onnx_file)
    facts.check_input(cameras, config.height, config.width)
    stride = facts.metadata.stride
    reader = MetaReader(int(config.properties["gie-unique-id"]), config.height // stride, config.width // stride)
    version, gpu = read_tensorrt(), read_gpu(config.gpu_id)
    made = nvinfer_file_for_run(config, batch=cameras, engines=default_engines(), version=version, gpu=gpu).absolute()
    engine_file = read_nvinfer(made).engine_file
    on_event(f"engine: TensorRT {version} on {gpu}; nvinfer file {made}")
    if engine_file is None or not engine_file.is_file():
        on_event("engine: TensorRT builds it now, once for this machine and model; that takes minutes")
    return DeepStreamEngine(facts, made, reader, on_event)
