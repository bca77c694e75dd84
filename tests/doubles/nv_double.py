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

import configparser
import json
import threading
import time
import weakref
from collections import Counter, deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Callable, Iterator

import cv2
import numpy as np
import onnxruntime as ort
from gi.repository import GLib, GObject
from nasion.core.scaling import resized
from nasion.core.tensor import row_view
from nasion.pipeline.buffers import mapped, picture_buffer
from nasion.pipeline.gst import load_gst
from numpy.typing import NDArray

from tests.doubles import pyds_double as pyds

load_gst()
from gi.repository import Gst  # noqa: E402  # only now it is clear which version

FACTS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "fixtures" / "elements.json").read_text())["elements"]
#: Of the list in the facts without RGB and BGR: the Jetson's scaler, the element's default, has no 24-bit formats.
_RAW = "{I420,NV12,P010_10LE,BGRx,RGBA,GRAY8,YUY2,UYVY,YVYU,Y42B,BGR10A2_LE,UYVP}"
_NVMM = "video/x-raw(memory:NVMM),format="

Resampler = Callable[[NDArray[np.uint8], int, int], NDArray[np.uint8]]


def bilinear(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Two by two pixels, however much it shrinks."""
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def nearest(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_NEAREST).astype(np.uint8, copy=False)


def as_the_cpu_engine(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """As the engine onnxruntime scales."""
    return resized(picture, width, height)


@dataclass
class Reality:
    """What happens in the elements: written by the test. Frames are named by pad and number, both from 0.

    ``tensor``: makes of a heat map what nvinfer gives in its place; ``null``: frames whose host pointer is empty;
    ``no_list``: those whose list of host pointers is; ``name``: what the output is called. ``foreign_pts``: makes of a
    frame's PTS another one, behind nvinfer. ``swallowed``, ``failing``: batches that do not come out of nvinfer, or end
    it with an error; ``held``: those that come out behind the next one.
    """

    resample: Resampler = bilinear
    dropped_by_mux: Callable[[int, int], bool] = lambda _pad, _number: False
    twice: Callable[[int, int], bool] = lambda _pad, _number: False
    without_tensor: Callable[[int, int], bool] = lambda _pad, _number: False
    null: Callable[[int, int], bool] = lambda _pad, _number: False
    no_list: Callable[[int, int], bool] = lambda _pad, _number: False
    name: bytes | None = b"heat_map"
    tensor: Callable[[NDArray[np.float32]], NDArray[Any]] = lambda heat: heat
    foreign_pts: Callable[[int, int, int], int] = lambda _pad, _number, pts: pts
    swallowed: Callable[[int], bool] = lambda _batch: False
    failing: Callable[[int], bool] = lambda _batch: False
    held: Callable[[int], bool] = lambda _batch: False
    before_inference: Callable[[], None] = lambda: None
    #: What was done: for the test to look at.
    faults: list[str] = field(default_factory=list)
    batch_sizes: list[int] = field(default_factory=list)
    #: How many batches were in nvinfer at once, at most.
    most_in_flight: int = 0
    built: list[Path] = field(default_factory=list)
    batches: pyds.Batches = field(default_factory=pyds.Batches)
    surfaces: dict[int, list[NDArray[np.uint8]]] = field(default_factory=dict)
    #: The frame metas of a batch: what nvinfer, in C, walks without pyds.
    frames: dict[int, list[Any]] = field(default_factory=dict)

    def broken(self) -> list[str]:
        """All that no run may do."""
        return [*self.faults, *self.batches.undefined]


#: The reality of the test that runs now.
_now: list[Reality] = []


def reality() -> Reality:
    return _now[-1]


@contextmanager
def installed(real: Reality) -> Iterator[Reality]:
    """GStreamer has the elements; they live in ``real``."""
    _now.append(real)
    registry = Gst.Registry.get()
    for name, kind in KINDS.items():
        assert Gst.Element.register(None, name, Gst.Rank.NONE, kind)
    try:
        yield real
    finally:
        for name in KINDS:
            registry.remove_feature(registry.lookup_feature(name))
        _now.pop()


def _properties(facts: str) -> dict[str, Any]:
    """As PyGObject wants them."""
    made: dict[str, Any] = {}
    for name, about in FACTS[facts]["properties"].items():
        low, high = about.get("range", (0, GLib.MAXUINT32))
        if about["type"] in ("uint", "int", "uint64"):
            kind = {"uint": GObject.TYPE_UINT, "int": GObject.TYPE_INT, "uint64": GObject.TYPE_UINT64}[about["type"]]
            high = GLib.MAXUINT64 if kind == GObject.TYPE_UINT64 else high
            made[name] = (kind, name, name, low, high, about["default"], GObject.ParamFlags.READWRITE)
        elif about["type"] == "enum":
            keys = sorted(int(key) for key in about["enum"])
            made[name] = (int, name, name, keys[0], keys[-1], about["default"], GObject.ParamFlags.READWRITE)
        elif about["type"] == "boolean":
            made[name] = (bool, name, name, about["default"], GObject.ParamFlags.READWRITE)
        elif about["type"] == "string":
            made[name] = (str, name, name, about["default"], GObject.ParamFlags.READWRITE)
        else:
            assert about["type"] == "pointer", about
    return made


class _Facts:
    """Property values, kept by name."""

    facts: str

    def _init_values(self) -> None:
        about = FACTS[self.facts]["properties"]
        self.values = {name: fact["default"] for name, fact in about.items()}

    def do_get_property(self, spec: Any) -> Any:
        return self.values[spec.name]

    def do_set_property(self, spec: Any, value: Any) -> None:
        early = FACTS[self.facts]["properties"][spec.name].get("changeable") == "NULL/READY"
        if early and self.get_state(0).state > Gst.State.READY:  # type: ignore[attr-defined]
            reality().faults.append(f"{self.facts}: {spec.name} was set in a state in which it has no effect")
        self.values[spec.name] = value


def _template(name: str, direction: Any, caps: str, presence: Any = Gst.PadPresence.ALWAYS) -> Any:
    return Gst.PadTemplate.new(name, direction, presence, Gst.Caps.from_string(caps))


def _nvmm_buffer(pts: int, surfaces: list[NDArray[np.uint8]], gone: Callable[[int], None] = lambda _: None) -> Any:
    """A buffer whose memory is a handle, not pixels; the surfaces are forgotten with it."""
    handle = np.full((1, 16, 4), 0xA5, np.uint8)
    buffer, real = picture_buffer(handle, pts), reality()
    address = hash(buffer)
    real.surfaces[address] = surfaces

    def forget() -> None:
        del real.surfaces[address]
        gone(address)

    weakref.finalize(handle, forget).atexit = False
    return buffer


def _fail(element: Any, text: str, place: str) -> Any:
    element.post_message(Gst.Message.new_error(element, GLib.Error(text), place))
    return Gst.FlowReturn.ERROR


class NvVideoConvert(_Facts, Gst.Element):  # type: ignore[misc]
    """System memory to NVMM with crop and scaling; NVMM to NVMM is not used and not here."""

    facts = "nvvideoconvert"
    __gtype_name__ = "NvVideoConvertDouble"
    __gstmetadata__ = ("nvvideoconvert", "Filter", "double", "tests")
    __gsttemplates__ = (
        _template("sink", Gst.PadDirection.SINK, f"video/x-raw,format={_RAW}"),
        _template("src", Gst.PadDirection.SRC, f"{_NVMM}{_RAW}; video/x-raw,format={_RAW}"),
    )
    __gproperties__ = _properties("nvvideoconvert")

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
        return self.src.push(_nvmm_buffer(buffer.pts, [scaled[:, :, [2, 1, 0, 3]]]))


class NvStreamMux(_Facts, Gst.Element):  # type: ignore[misc]
    """The older mux, live: takes frames in the order they come, gives what it has after the timeout."""

    facts = "nvstreammux (legacy, default)"
    __gtype_name__ = "NvStreamMuxDouble"
    __gstmetadata__ = ("nvstreammux", "Mux", "double", "tests")
    __gsttemplates__ = (
        _template("sink_%u", Gst.PadDirection.SINK, _NVMM + "{NV12,RGBA,I420}", Gst.PadPresence.REQUEST),
        _template("src", Gst.PadDirection.SRC, _NVMM + "{NV12,RGBA,I420}"),
    )
    __gproperties__ = _properties("nvstreammux (legacy, default)")

    def __init__(self) -> None:
        Gst.Element.__init__(self)
        self._init_values()
        self.src = Gst.Pad.new_from_template(self.get_pad_template("src"), "src")
        self.add_pad(self.src)
        self._changed = threading.Condition()
        self._pending: deque[tuple[int, Any]] = deque()
        self._pads: list[int] = []
        self._ended: set[int] = set()
        self._frames: Counter[int] = Counter()
        self._running = False
        #: Buffers of the pool that are free.
        self._free = self.values["buffer-pool-size"]
        #: What pads answer when nothing is taken any more.
        self._flow = Gst.FlowReturn.FLUSHING
        self._thread: threading.Thread | None = None

    def do_request_new_pad(self, template: Any, name: str, _caps: Any) -> Any:
        number = int(name.rpartition("_")[2])
        pad = Gst.Pad.new_from_template(template, name)
        pad.set_chain_function_full(lambda _pad, _parent, buffer: self._take(number, buffer))
        pad.set_event_function_full(lambda _pad, _parent, event: self._hear(number, event))
        self.add_pad(pad)
        self._pads.append(number)
        return pad

    def do_change_state(self, transition: Any) -> Any:
        if transition == Gst.StateChange.PAUSED_TO_READY:
            with self._changed:
                self._running = False
                self._changed.notify_all()
        result = Gst.Element.do_change_state(self, transition)
        if transition == Gst.StateChange.READY_TO_PAUSED:
            if not (self.values["width"] and self.values["height"] and self.values["batch-size"]):
                _fail(self, "Batch size, width or height not set", "gstnvstreammux.c(1)")
                return Gst.StateChangeReturn.FAILURE
            self._running = True
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()
        if transition == Gst.StateChange.PAUSED_TO_READY and self._thread:
            self._thread.join()
        return result

    def _hear(self, number: int, event: Any) -> bool:
        if event.type == Gst.EventType.EOS:
            with self._changed:
                self._ended.add(number)
                self._changed.notify_all()
        return True

    def _take(self, number: int, buffer: Any) -> Any:
        with self._changed:
            while len(self._pending) >= 4 * self.values["batch-size"] and self._running:
                self._changed.wait(0.05)
            if not self._running:
                return self._flow
            self._pending.append((number, buffer))
            self._changed.notify_all()
        return Gst.FlowReturn.OK

    def _work(self) -> None:
        self.src.push_event(Gst.Event.new_stream_start("mux"))
        width, height = self.values["width"], self.values["height"]
        self.src.push_event(
            Gst.Event.new_caps(Gst.Caps.from_string(f"{_NVMM}RGBA,width={width},height={height},framerate=30/1"))
        )
        segment = Gst.Segment()
        segment.init(Gst.Format.TIME)
        self.src.push_event(Gst.Event.new_segment(segment))
        while True:
            taken = self._collect()
            if taken is None:
                return
            if not taken:
                self.src.push_event(Gst.Event.new_eos())
                return
            self._push(taken)

    def _collect(self) -> list[tuple[int, Any]] | None:
        """Frames for a batch; none at the end of all; None when stopped."""
        most, patience = self.values["batch-size"], self.values["batched-push-timeout"]
        begin: float | None = None
        with self._changed:
            while self._running:
                over = len(self._ended) == len(self._pads)
                if self._pending and begin is None:
                    begin = time.monotonic()
                late = begin is not None and patience >= 0 and time.monotonic() - begin >= patience / 1e6
                if len(self._pending) >= most or late or over:
                    taken = [self._pending.popleft() for _ in range(min(most, len(self._pending)))]
                    self._changed.notify_all()
                    return taken
                self._changed.wait(0.002)
        return None

    def _await_free_buffer(self) -> bool:
        """Take a buffer from the pool; False when stopped."""
        with self._changed:
            while not self._free and self._running:
                self._changed.wait(0.05)
            self._free -= self._running
            return self._running

    def _give_back(self) -> None:
        with self._changed:
            self._free += 1
            self._changed.notify_all()

    def _running_time(self) -> int:
        clock = self.get_clock()
        return max(0, clock.get_time() - self.get_base_time()) if clock else time.monotonic_ns()

    def _push(self, taken: list[tuple[int, Any]]) -> None:
        real = reality()
        life = real.batches.life()
        frames: list[Any] = []
        surfaces: list[NDArray[np.uint8]] = []
        for number, buffer in taken:
            count = self._frames[number]
            self._frames[number] += 1
            if real.dropped_by_mux(number, count):
                continue
            surface = real.surfaces[hash(buffer)][0]
            size = (self.values["width"], self.values["height"])
            if surface.shape[1::-1] != size:
                reality().faults.append(f"the mux scales {surface.shape} once more, to {size}")
            for _ in range(2 if real.twice(number, count) else 1):
                surfaces.append(surface)
                frames.append(
                    pyds.NvDsFrameMeta(
                        life,
                        pad_index=number,
                        source_id=number,
                        batch_id=len(frames),
                        frame_num=count,
                        buf_pts=buffer.pts,
                        ntp_timestamp=time.time_ns(),
                        source_frame_width=surface.shape[1],
                        source_frame_height=surface.shape[0],
                        bInferDone=0,
                        obj_meta_list=None,
                        display_meta_list=None,
                        frame_user_meta_list=None,
                    )
                )
        if not frames or not self._await_free_buffer():
            return
        batch = pyds.NvDsBatchMeta(
            life,
            frame_meta_list=pyds.linked(life, frames),
            num_frames_in_batch=len(frames),
            max_frames_in_batch=self.values["batch-size"],
        )
        life.at_end.append(self._give_back)
        # With a live source it is the running time: of none of the frames.
        buffer = _nvmm_buffer(self._running_time(), surfaces, real.batches.gone)
        real.batches.attach(hash(buffer), batch)
        real.frames[hash(buffer)] = frames
        life.at_end.append(partial(real.frames.pop, hash(buffer)))
        real.batch_sizes.append(len(frames))
        flow = self.src.push(buffer)
        if flow != Gst.FlowReturn.OK:
            with self._changed:
                self._running, self._flow = False, flow
                self._changed.notify_all()


class NvInfer(_Facts, Gst.Element):  # type: ignore[misc]
    """Network type 100 with tensors out."""

    facts = "nvinfer"
    __gtype_name__ = "NvInferDouble"
    __gstmetadata__ = ("nvinfer", "Filter", "double", "tests")
    __gsttemplates__ = (
        _template("sink", Gst.PadDirection.SINK, _NVMM + "{NV12,RGBA}"),
        _template("src", Gst.PadDirection.SRC, _NVMM + "{NV12,RGBA}"),
    )
    __gproperties__ = _properties("nvinfer")

    def __init__(self) -> None:
        Gst.Element.__init__(self)
        self._init_values()
        self.sink = Gst.Pad.new_from_template(self.get_pad_template("sink"), "sink")
        self.src = Gst.Pad.new_from_template(self.get_pad_template("src"), "src")
        self.sink.set_chain_function_full(self._chain)
        self.sink.set_event_function_full(self._event)
        self.add_pad(self.sink)
        self.add_pad(self.src)
        self._changed = threading.Condition()
        self._running = False
        self._threads: list[threading.Thread] = []
        self._parts = (self._infer_next, self._hand_out_next)
        self._batches = 0
        self._in_flight = 0
        #: Batches before the network, and behind it with their heat maps.
        self._coming: deque[tuple[int, Any]] = deque()
        self._inferred: deque[tuple[int, Any, list[NDArray[np.float32]]]] = deque()
        self._held: Any = None
        self._failed = False
        #: What the last buffer met behind it, or the error here.
        self._flow = Gst.FlowReturn.OK

    def do_change_state(self, transition: Any) -> Any:
        if transition == Gst.StateChange.READY_TO_PAUSED:
            try:
                self._start()
            except Exception as error:
                _fail(self, "Failed to create NvDsInferContext instance", f"gstnvinfer.cpp(898):\n{error}")
                return Gst.StateChangeReturn.FAILURE
            self._running = True
            self._threads = [threading.Thread(target=self._serve, args=(part,), daemon=True) for part in self._parts]
            for thread in self._threads:
                thread.start()
        if transition == Gst.StateChange.PAUSED_TO_READY:
            with self._changed:
                self._running = False
                self._changed.notify_all()
        result = Gst.Element.do_change_state(self, transition)
        if transition == Gst.StateChange.PAUSED_TO_READY:
            for thread in self._threads:
                thread.join()
            self._coming.clear()
            self._inferred.clear()
            self._held = None
        return result

    def _start(self) -> None:
        file = Path(self.values["config-file-path"] or "")
        parser = configparser.RawConfigParser(delimiters=("=",), comment_prefixes=("#",))
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read_string(file.read_text())
        keys = dict(parser["property"])
        self._unique_id = int(keys["gie-unique-id"])
        assert self._unique_id > 0
        assert keys["network-type"] == "100"
        self._attach = keys.get("output-tensor-meta") == "1"
        self._most = int(keys.get("batch-size", "1"))
        _, self._height, self._width = (int(part) for part in keys["infer-dims"].split(";"))
        self._keep_aspect = keys.get("maintain-aspect-ratio") == "1"
        self._scale = bilinear if keys.get("scaling-filter") == "1" else nearest
        self._order = slice(2, None, -1) if keys.get("model-color-format", "0") == "1" else slice(0, 3)
        self._factor = float(keys.get("net-scale-factor", "1"))
        onnx = file.parent / keys["onnx-file"]
        precision = {"0": "fp32", "1": "int8", "2": "fp16"}[keys.get("network-mode", "0")]
        named = file.parent / keys["model-engine-file"] if "model-engine-file" in keys else None
        if named is None or not named.is_file():
            # INT8 without a calibration file is built as FP16, and called so.
            precision = "fp16" if precision == "int8" else precision
            built = onnx.with_name(f"{onnx.name}_b{self._most}_gpu0_{precision}.engine")
            built.write_bytes(b"an engine")
            reality().built.append(built)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = ort.InferenceSession(str(onnx), options, providers=["CPUExecutionProvider"])

    def _event(self, _pad: Any, _parent: Any, event: Any) -> bool:
        """What is in order with the batches waits until they are through."""
        if event.type & Gst.EventTypeFlags.SERIALIZED:
            with self._changed:
                while self._running and self._in_flight > (self._held is not None):
                    self._changed.wait(0.05)
            self._release_held()
        return bool(self.src.push_event(event))

    def _chain(self, _pad: Any, _parent: Any, buffer: Any) -> Any:
        real = reality()
        with self._changed:
            if self._flow != Gst.FlowReturn.OK:
                return self._flow
            self._coming.append((self._batches, buffer))
            self._batches += 1
            self._in_flight += 1
            real.most_in_flight = max(real.most_in_flight, self._in_flight)
            self._changed.notify_all()
        return Gst.FlowReturn.OK

    def _serve(self, part: Callable[[], None]) -> None:
        try:
            while self._running:
                part()
        except BaseException as error:
            # Else nothing would come out any more, and the run would wait for ever.
            reality().faults.append(f"nvinfer's double failed: {error!r}")
            self._flow = _fail(self, f"the double failed: {error!r}", "nv_double.py")
            raise

    def _next(self, queue: deque[Any]) -> Any:
        with self._changed:
            if not queue:
                self._changed.wait(0.05)
            return queue.popleft() if queue and self._running else None

    def _done(self) -> None:
        with self._changed:
            self._in_flight -= 1
            self._changed.notify_all()

    def _infer_next(self) -> None:
        """The input queue's thread. No buffer may stay in a variable while it waits: the pool would run dry."""
        item = self._next(self._coming)
        if item is None:
            return
        (number, buffer), real = item, reality()
        real.before_inference()
        if self._failed:
            self._done()
            return
        if real.failing(number):
            # An error of CUDA stays: nothing that is queued behind it is inferred any more.
            self._failed = True
            self._flow = _fail(
                self, "Failed to queue input batch for inferencing", "gstnvinfer.cpp(1324):\ncuda error 700"
            )
            self._done()
            return
        surfaces = real.surfaces[hash(buffer)]
        heats: list[NDArray[np.float32]] = []
        for begin in range(0, len(surfaces), self._most):
            tensor = np.stack([self._placed(surface) for surface in surfaces[begin : begin + self._most]])
            heats.extend(self._session.run(None, {self._session.get_inputs()[0].name: tensor})[0])
        with self._changed:
            self._inferred.append((number, buffer, heats))
            self._changed.notify_all()

    def _hand_out_next(self) -> None:
        """The output thread: hangs the tensors on, and pushes."""
        item = self._next(self._inferred)
        if item is None:
            return
        (number, buffer, heats), real = item, reality()
        if real.swallowed(number):
            self._done()
            return
        for frame, heat in zip(real.frames[hash(buffer)], heats, strict=True):
            pad, count = frame.pad_index, frame.frame_num
            frame._fields.update(bInferDone=1, buf_pts=real.foreign_pts(pad, count, frame.buf_pts))
            if self._attach and not real.without_tensor(pad, count):
                self._attach_to(frame, heat)
        if real.held(number) and self._held is None:
            with self._changed:
                self._held = buffer
                self._changed.notify_all()
            return
        self._push(buffer)
        self._release_held()

    def _release_held(self) -> None:
        with self._changed:
            buffer, self._held = self._held, None
        if buffer is not None:
            self._push(buffer)

    def _push(self, buffer: Any) -> None:
        flow = self.src.push(buffer)
        if self._flow == Gst.FlowReturn.OK:
            self._flow = flow
        self._done()

    def _placed(self, surface: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The frame's even part, scaled into the top left of the network's input; the rest is 0."""
        surface = surface[: surface.shape[0] // 2 * 2, : surface.shape[1] // 2 * 2]
        rows, columns = surface.shape[:2]
        width, height = self._width, self._height
        if self._keep_aspect:
            if self._width * rows / columns <= self._height:
                height = int(self._width * rows / columns)
            else:
                width = int(self._height * columns / rows)
        scaled = surface if (columns, rows) == (width, height) else self._scale(surface, width, height)
        placed = np.zeros((3, self._height, self._width), np.float32)
        placed[:, :height, :width] = scaled[:, :, :3][:, :, self._order].transpose(2, 0, 1) * self._factor
        return placed

    def _attach_to(self, frame: Any, heat: NDArray[np.float32]) -> None:
        real, life = reality(), frame._life
        where = (frame.pad_index, frame.frame_num)
        given = np.array(real.tensor(heat), order="C")
        layer = pyds.Layer(given, real.name)
        if real.null(*where):
            layer = pyds.Layer(None, real.name, sizes=given.shape)
        # The host memory goes back to nvinfer's pool with the buffer, and the next batch is written into it.
        life.at_end.append(partial(given.fill, np.nan))
        tensors = [
            pyds.NvDsInferTensorMeta(life, self._unique_id + 1, [pyds.Layer(None, sizes=(1,))]),
            pyds.NvDsInferTensorMeta(life, self._unique_id, [layer], host_list=not real.no_list(*where)),
        ]
        metas = [(pyds.NvDsMetaType.NVDS_USER_META, pyds.Pointer("somebody else's"))]
        metas += [(pyds.NvDsMetaType.NVDSINFER_TENSOR_OUTPUT_META, pyds.Pointer(one)) for one in tensors]
        frame._fields["frame_user_meta_list"] = pyds.linked(
            life,
            [
                pyds.NvDsUserMeta(life, base_meta=pyds.NvDsBaseMeta(life, meta_type=kind), user_meta_data=data)
                for kind, data in metas
            ],
        )


#: The elements by their real names.
KINDS = {"nvvideoconvert": NvVideoConvert, "nvstreammux": NvStreamMux, "nvinfer": NvInfer}
