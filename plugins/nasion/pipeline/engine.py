"""What an engine is to the rest of the pipeline: it knows its model, its geometry, and makes the graph of a camera."""

from typing import Callable

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Protocol

from nasion.core.views import ViewGeometry
from nasion.engine.metadata import ModelMetadata
from nasion.pipeline.flow import Flow
from nasion.pipeline.steps import Steps
from nasion.settings import View
from nasion.sources.frame import Clock


class ModelFile(Protocol):
    """The network's file: what it says of itself, and its SHA-256 in hexadecimal."""

    @property
    def metadata(self) -> ModelMetadata: ...

    @property
    def digest(self) -> str: ...


class Graph(Protocol):
    """The way of one camera's pictures through GStreamer; on it the steps are called."""

    def start(self) -> None:
        """Ready to take pictures. NasionError where GStreamer refuses."""

    def push(self, picture: NDArray[np.uint8], pts: int) -> None:
        """Hand over a picture, (height, width, 3 or 4) uint8, which nobody may write to any more.

        NasionError where it does not fit.
        """

    def end(self) -> None:
        """No more pictures; `check` tells when the last one is through."""

    def check(self) -> bool:
        """To be called often: whether everything is through. NasionError where GStreamer reports an error."""

    def stop(self) -> None:
        """Let go of everything; returns when no step runs any more."""


class Engine(Protocol):
    """What runs the network, opened for one view. ``name``: as in `--engine` and in `info`."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> ModelFile: ...

    def geometry(self, view: View, width: int, height: int) -> ViewGeometry:
        """What the network sees of frames of ``width`` x ``height``. ValueError where the view does not fit them."""

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
    ) -> Graph:
        """The graph of camera ``name``; all graphs are made before the first is started.

        ``live``: the newest frame wins; ``fps``: nominal. DependencyError, InputError where it cannot be made.
        """
