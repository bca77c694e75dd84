"""Doubles of nvvideoconvert, nvstreammux and nvinfer: GStreamer elements under the real names, made of facts.

Their properties are those of ``tests/fixtures/elements.json``, so GStreamer itself refuses others; their pads take the
caps that the real ones take. What they pass on as NVMM memory cannot be mapped to pixels, as on a device. nvinfer's
double reads the nvinfer file as nvinfer does, runs the model with ONNX Runtime on the whole batch, and hangs on the
buffer what the double of pyds hands out; when the buffer is gone, the host memory is overwritten. As the real one it
works with a queue in and threads of its own, so several batches are in flight: while one is looked at behind it, the
next is inferred and a third comes in. The mux has a pool of four buffers, and waits where none is free; what stands on
them as PTS is the running time.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Iterator

import numpy as np
from nasion.core.tensor import row_view
from nasion.pipeline.buffers import mapped
from nasion.pipeline.gst import load_gst

from tests.doubles.nv_infer import NvInfer
from tests.doubles.nv_mux import NvStreamMux
from tests.doubles.nv_reality import (
    FACTS,
    NVMM,
    RAW,
    Facts,
    Reality,
    Resampler,
    as_the_cpu_engine,
    bilinear,
    nearest,
    nvmm_buffer,
    properties,
    put_on,
    reality,
    take_off,
    template,
)

load_gst()
from gi.repository import Gst  # noqa: E402  # only now it is clear which version

__all__ = [
    "FACTS",
    "KINDS",
    "NvInfer",
    "NvStreamMux",
    "NvVideoConvert",
    "Reality",
    "Resampler",
    "as_the_cpu_engine",
    "bilinear",
    "installed",
    "nearest",
]


class NvVideoConvert(Facts, Gst.Element):  # type: ignore[misc]
    """System memory to NVMM with crop and scaling; NVMM to NVMM is not used and not here."""

    facts = "nvvideoconvert"
    __gtype_name__ = "NvVideoConvertDouble"
    __gstmetadata__ = ("nvvideoconvert", "Filter", "double", "tests")
    __gsttemplates__ = (
        template("sink", Gst.PadDirection.SINK, f"video/x-raw,format={RAW}"),
        template("src", Gst.PadDirection.SRC, f"{NVMM}{RAW}; video/x-raw,format={RAW}"),
    )
    __gproperties__ = properties("nvvideoconvert")

    def __init__(self) -> None:
        Gst.Element.__init__(self)
        self._init_values()
        self.sink = Gst.Pad.new_from_template(self.get_pad_template("sink"), "sink")
        self.src = Gst.Pad.new_from_template(self.get_pad_template("src"), "src")
        self.sink.set_chain_function_full(self._chain)
        self.sink.set_event_function_full(self._event)
        self.add_pad(self.sink)
        self.add_pad(self.src)

    def _event(self, _pad: Any, _parent: Any, event: Any) -> bool:
        if event.type != Gst.EventType.CAPS:
            return bool(self.src.push_event(event))
        self._in = event.parse_caps().get_structure(0)
        caps = self.src.peer_query_caps(self.src.get_pad_template_caps()).fixate()
        out = caps.get_structure(0)
        if self._in.get_string("format") != "BGRx" or out.get_string("format") != "RGBA":
            raise NotImplementedError("the double converts BGRx to RGBA only")
        if not caps.get_features(0).contains("memory:NVMM"):
            raise NotImplementedError("the double converts to NVMM only")
        if not self._in.has_field("framerate"):
            return False
        self._size = (out.get_value("width"), out.get_value("height"))
        return bool(self.src.push_event(Gst.Event.new_caps(caps)))

    def _chain(self, _pad: Any, _parent: Any, buffer: Any) -> Any:
        width, height = self._in.get_value("width"), self._in.get_value("height")
        if buffer.pts == Gst.CLOCK_TIME_NONE:
            reality().faults.append("a picture without PTS: the mux would stall")
        with mapped(buffer) as data:
            picture = row_view(data, width, height, 4).copy()
        left, top, crop_width, crop_height = (int(part) for part in self.values["src-crop"].split(":"))
        if crop_width and crop_height:
            picture = np.ascontiguousarray(picture[top : top + crop_height, left : left + crop_width])
        scale = reality().resample if self.values["interpolation-method"] == 1 else nearest
        scaled = picture if picture.shape[1::-1] == self._size else scale(picture, *self._size)
        return self.src.push(nvmm_buffer(buffer.pts, [scaled[:, :, [2, 1, 0, 3]]]))


#: The elements by their real names.
KINDS = {"nvvideoconvert": NvVideoConvert, "nvstreammux": NvStreamMux, "nvinfer": NvInfer}


@contextmanager
def installed(real: Reality) -> Iterator[Reality]:
    """GStreamer has the elements; they live in ``real``."""
    put_on(real)
    registry = Gst.Registry.get()
    for name, kind in KINDS.items():
        assert Gst.Element.register(None, name, Gst.Rank.NONE, kind)
    try:
        yield real
    finally:
        for name in KINDS:
            registry.remove_feature(registry.lookup_feature(name))
        take_off()
