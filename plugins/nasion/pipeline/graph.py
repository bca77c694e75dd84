"""The GStreamer pipeline of one camera.

    appsrc ! queue ! videocrop ! videoscale ! videoconvert ! RGB
        ! prepare [! queue] ! infer [! queue] ! locate ! range ! publish ! fakesink

Mode `live`: the first queue holds one frame and lets the old one go, and what follows runs in one thread, so that a
frame waits for nothing but the network. Mode `every-frame`: nothing is let go, and the queues in brackets let scaling,
network and ranging work on three frames at once. The steps are ``identity`` elements whose pad probes call `Steps`.
"""

from typing import Any, Callable, List, Optional

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Literal

from nasion.core.tensor import row_view
from nasion.core.views import ViewGeometry
from nasion.errors import NasionError
from nasion.pipeline.buffers import mapped, picture_buffer
from nasion.pipeline.gst import load_gst, make_element
from nasion.pipeline.steps import Steps

#: Antialiased bicubic scaling ("catrom"): sharper than the antialiased bilinear one, nearer to the area averaging that
#: the training pictures went through. Far faces were recognised in 66 instead of 63 % of the demo's frames.
_ANTIALIASED = 8
#: GstQueueLeaky: full queues let the oldest buffer go.
_LET_OLDEST_GO = 2

_FORMATS = {3: "BGR", 4: "BGRx"}


class CameraGraph:
    """Takes pictures, calls the steps."""

    def __init__(
        self,
        name: str,
        *,
        geometry: ViewGeometry,
        color_format: Literal["RGB", "BGR"],
        live: bool,
        steps: Steps,
        on_failure: Callable[[BaseException], None],
    ) -> None:
        """``color_format``: channel order of the network's input. DependencyError where an element is missing."""
        self._gst = load_gst()
        self._name = name
        self._geometry = geometry
        self._steps = steps
        self._on_failure = on_failure
        self._failed = False
        self._channels: Optional[int] = None
        self._pipeline = self._gst.Pipeline.new(None)
        self._bus = self._pipeline.get_bus()
        self._source = make_element("appsrc", "source", format=self._gst.Format.TIME, max_bytes=0)
        self._build(color_format, live)

    def start(self) -> None:
        """Ready to take pictures. NasionError where GStreamer refuses."""
        if self._pipeline.set_state(self._gst.State.PLAYING) == self._gst.StateChangeReturn.FAILURE:
            self.check()
            raise NasionError(f"{self._name}: GStreamer does not start the pipeline")

    def push(self, picture: NDArray[np.uint8], pts: int) -> None:
        """Hand over a picture, (height, width, 3 or 4) uint8; nobody may write to it any more.

        NasionError where it does not fit.
        """
        width, height = self._geometry.frame_width, self._geometry.frame_height
        channels = self._channels or picture.shape[-1]
        if picture.shape != (height, width, channels) or channels not in _FORMATS:
            raise NasionError(
                f"{self._name}: the source gave a picture of the shape {picture.shape}; expected {height} x {width} x "
                f"{self._channels or '3 or 4'}"
            )
        if self._channels is None:
            self._source.set_property("caps", self._caps(_FORMATS[channels], width, height))
            self._channels = channels
        flow = self._source.push_buffer(picture_buffer(picture, pts))
        if flow != self._gst.FlowReturn.OK:
            raise NasionError(f"{self._name}: GStreamer took no frame ({flow.value_nick})")

    def end(self) -> None:
        """No more pictures; `check` tells when the last one is through."""
        self._source.end_of_stream()

    def check(self) -> bool:
        """Whether everything is through. NasionError where GStreamer reports an error."""
        kinds = self._gst.MessageType.EOS | self._gst.MessageType.ERROR
        message = self._bus.pop_filtered(kinds)
        if message is None:
            return False
        if message.type == self._gst.MessageType.EOS:
            return True
        error, detail = message.parse_error()
        raise NasionError(f"{self._name}: GStreamer: {error.message} ({_last_line(detail)})")

    def stop(self) -> None:
        """Let go of everything; returns when no step runs any more."""
        self._pipeline.set_state(self._gst.State.NULL)

    def _build(self, color_format: str, live: bool) -> None:
        view = self._geometry
        overlapping = [] if live else [self._queue(name) for name in ("to_network", "from_network")]
        crop = make_element(
            "videocrop",
            "crop",
            left=view.crop_left,
            top=view.crop_top,
            right=view.frame_width - view.crop_left - view.crop_width,
            bottom=view.frame_height - view.crop_top - view.crop_height,
        )
        scaled = make_element("capsfilter", "scaled")
        scaled.set_property("caps", self._caps(color_format, view.scaled_width, view.scaled_height))
        prepare, infer, locate, range_, publish = (
            make_element("identity", name, silent=True) for name in ("prepare", "infer", "locate", "range", "publish")
        )
        chain = [
            self._source,
            self._queue("newest", leaky=_LET_OLDEST_GO) if live else self._queue("next"),
            crop,
            make_element("videoscale", "scale", method=_ANTIALIASED, add_borders=False),
            make_element("videoconvert", "convert"),
            scaled,
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
        self._probe(crop, lambda buffer: steps.admit(buffer.pts))
        self._probe(prepare, self._prepare)
        for after_queue in (infer, locate) if overlapping else ():
            self._probe(after_queue, lambda buffer: steps.spend(buffer.pts, "wait"))
        self._probe(infer, lambda buffer: steps.infer(buffer.pts))
        self._probe(locate, lambda buffer: steps.locate(buffer.pts))
        self._probe(range_, lambda buffer: steps.range(buffer.pts))
        self._probe(publish, lambda buffer: steps.publish(buffer.pts))

    def _queue(self, name: str, **properties: Any) -> Any:
        """A queue of one buffer, however large."""
        return make_element("queue", name, max_size_buffers=1, max_size_bytes=0, max_size_time=0, **properties)

    def _link(self, chain: List[Any]) -> None:
        for element in chain:
            self._pipeline.add(element)
        for left, right in zip(chain, chain[1:]):
            if not left.link(right):
                raise NasionError(f"{self._name}: GStreamer cannot link {left.get_name()} to {right.get_name()}")

    def _probe(self, element: Any, step: Callable[[Any], Optional[bool]]) -> None:
        """Call ``step`` with every buffer that enters ``element``; the frame goes no further where it says False.

        An exception would vanish in GStreamer's thread: it is handed on, and nothing more passes.
        """
        drop, ok = self._gst.PadProbeReturn.DROP, self._gst.PadProbeReturn.OK

        def on_buffer(_pad: Any, info: Any) -> Any:
            if self._failed:
                return drop
            try:
                return drop if step(info.get_buffer()) is False else ok
            except BaseException as error:
                self._failed = True
                self._on_failure(error)
                return drop

        element.get_static_pad("sink").add_probe(self._gst.PadProbeType.BUFFER, on_buffer)

    def _prepare(self, buffer: Any) -> None:
        with mapped(buffer) as data:
            scaled = row_view(data, self._geometry.scaled_width, self._geometry.scaled_height)
            self._steps.prepare(buffer.pts, scaled)

    def _caps(self, picture_format: str, width: int, height: int) -> Any:
        return self._gst.Caps.from_string(
            f"video/x-raw,format={picture_format},width={width},height={height},framerate=0/1,pixel-aspect-ratio=1/1"
        )


def _last_line(detail: Optional[str]) -> str:
    lines = (detail or "").split("\n")
    return lines[-1].strip()
