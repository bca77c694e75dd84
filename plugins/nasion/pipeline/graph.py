"""The engines `onnxruntime` and `openvino`, and their GStreamer pipeline of one camera.

    appsrc ! prepare [! queue] ! infer [! queue] ! locate ! range ! publish ! fakesink

Mode `live`: the appsrc holds one frame and lets the old one go, and what follows runs in one thread, so that a frame
waits for nothing but the network. Mode `every-frame`: nothing is let go, and the queues in brackets let scaling,
network and ranging work on three frames at once. The steps are ``identity`` elements whose pad probes call `Steps`.
`prepare` crops and scales as nvinfer does it inside of itself; GStreamer's own scaler took twice as long.
"""

from typing import Any, Callable, List, Optional

import numpy as np
from numpy.typing import NDArray

from nasion.config.nvinfer import NvinferConfig
from nasion.core.views import ChannelOrder, ViewGeometry, view_geometry
from nasion.engine.choice import CpuEngine
from nasion.engine.onnx_model import HeatMapModel
from nasion.engine.openvino_model import OpenVinoModel
from nasion.errors import NasionError
from nasion.pipeline.buffers import mapped
from nasion.pipeline.flow import Flow
from nasion.pipeline.gst import at_end, load_gst, make_element
from nasion.pipeline.inlet import Inlet
from nasion.pipeline.probes import Probes
from nasion.pipeline.steps import Steps
from nasion.settings import View
from nasion.sources.frame import Clock

#: GstQueueLeaky and GstAppLeakyType: what is full lets its oldest buffer go.
_LET_OLDEST_GO = 2


class CpuNetworkEngine:
    """The network on the CPU; see `nasion.pipeline.engine.Engine`."""

    def __init__(self, name: CpuEngine, config: NvinferConfig, *, threads: int) -> None:
        """InputError, DependencyError: see `HeatMapModel` and `OpenVinoModel`."""
        self.name = name
        kind = OpenVinoModel if name == "openvino" else HeatMapModel
        self.model = kind(config.onnx_file, height=config.height, width=config.width, threads=threads)
        self._color_format = config.color_format

    def geometry(self, view: View, width: int, height: int) -> ViewGeometry:
        """See `view_geometry`."""
        return view_geometry(view, width, height)

    def graph(
        self,
        name: str,
        *,
        geometry: ViewGeometry,
        live: bool,
        fps: float,  # noqa: ARG002
        steps: Steps,
        flow: Flow,  # noqa: ARG002
        clock: Clock,  # noqa: ARG002
        on_failure: Callable[[BaseException], None],
    ) -> "CameraGraph":
        """A pipeline of its own for each camera."""
        return CameraGraph(
            name,
            geometry=geometry,
            color_format=self._color_format,
            network=self.model.infer,
            live=live,
            steps=steps,
            on_failure=on_failure,
        )


class CameraGraph:
    """Takes pictures, calls the steps."""

    def __init__(
        self,
        name: str,
        *,
        geometry: ViewGeometry,
        color_format: ChannelOrder,
        network: Callable[[NDArray[np.float32]], NDArray[np.float32]],
        live: bool,
        steps: Steps,
        on_failure: Callable[[BaseException], None],
    ) -> None:
        """``color_format``: channel order of the network's input. DependencyError where an element is missing."""
        self._gst = load_gst()
        self._name = name
        self._geometry = geometry
        self._color_format = color_format
        self._network = network
        self._steps = steps
        self._probes = Probes(on_failure)
        self._pipeline = self._gst.Pipeline.new(None)
        self._bus = self._pipeline.get_bus()
        self._source = make_element("appsrc", "source", format=self._gst.Format.TIME, max_bytes=0, emit_signals=False)
        self._inlet = Inlet(self._source, name, geometry.frame_width, geometry.frame_height)
        self._build(live)

    def start(self) -> None:
        """Ready to take pictures. NasionError where GStreamer refuses."""
        if self._pipeline.set_state(self._gst.State.PLAYING) == self._gst.StateChangeReturn.FAILURE:
            self.check()
            raise NasionError(f"{self._name}: GStreamer does not start the pipeline")

    def push(self, picture: NDArray[np.uint8], pts: int) -> None:
        """Hand over a picture; see `Inlet`."""
        self._inlet.push(picture, pts)

    def end(self) -> None:
        """No more pictures; `check` tells when the last one is through."""
        self._inlet.end()

    def check(self) -> bool:
        """Whether everything is through. NasionError where GStreamer reports an error."""
        return at_end(self._bus, self._name)

    def stop(self) -> None:
        """Let go of everything; returns when no step runs any more."""
        self._pipeline.set_state(self._gst.State.NULL)

    def _build(self, live: bool) -> None:
        overlapping = [] if live else [self._queue(name) for name in ("to_network", "from_network")]
        prepare, infer, locate, range_, publish = (
            make_element("identity", name, silent=True, signal_handoffs=False)
            for name in ("prepare", "infer", "locate", "range", "publish")
        )
        chain = [
            self._source,
            *(self._newest_only() if live else ()),
            prepare,
            *overlapping[:1],
            infer,
            *overlapping[1:],
            locate,
            range_,
            publish,
            make_element("fakesink", "sink", sync=False, enable_last_sample=False, **{"async": False}),
        ]
        self._link(chain)
        steps = self._steps
        self._probe(prepare, self._prepare)
        if overlapping:
            self._probe(locate, lambda buffer: steps.spend(buffer.pts, "wait"))
        self._probe(infer, lambda buffer: steps.infer(buffer.pts, self._network))
        self._probe(locate, lambda buffer: steps.locate(buffer.pts))
        self._probe(range_, lambda buffer: steps.range(buffer.pts))
        self._probe(publish, lambda buffer: steps.publish(buffer.pts))

    def _newest_only(self) -> List[Any]:
        """What it takes behind the appsrc to have one frame wait at most: nothing, and a thread less.

        Before GStreamer 1.20 the appsrc cannot do it alone; then a queue does.
        """
        if not can_leak(self._source):
            return [self._queue("newest", leaky=_LET_OLDEST_GO)]
        self._source.set_property("max-buffers", 1)
        self._source.set_property("leaky-type", _LET_OLDEST_GO)
        return []

    def _queue(self, name: str, **properties: Any) -> Any:
        """A queue of one buffer, however large; nobody listens to its signals."""
        sizes = {"max_size_buffers": 1, "max_size_bytes": 0, "max_size_time": 0}
        return make_element("queue", name, silent=True, **sizes, **properties)

    def _link(self, chain: List[Any]) -> None:
        for element in chain:
            self._pipeline.add(element)
        for left, right in zip(chain, chain[1:]):
            if not left.link(right):
                raise NasionError(f"{self._name}: GStreamer cannot link {left.get_name()} to {right.get_name()}")

    def _probe(self, element: Any, step: Callable[[Any], Optional[bool]]) -> None:
        """Call ``step`` with every buffer that enters ``element``."""
        self._probes.add(element.get_static_pad("sink"), step)

    def _prepare(self, buffer: Any) -> bool:
        if not self._steps.admit(buffer.pts):
            return False
        with mapped(buffer) as data:
            self._steps.prepare(buffer.pts, self._inlet.picture(data), self._color_format)
        return True


def can_leak(appsrc: Any) -> bool:
    """Whether this GStreamer's appsrc can let its oldest buffer go."""
    return appsrc.find_property("leaky-type") is not None
