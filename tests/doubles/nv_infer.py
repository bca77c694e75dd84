"""A double of nvinfer, with its queue, its threads and its pool: see `nv_double`."""

from __future__ import annotations

import configparser
import threading
from collections import deque
from functools import partial
from pathlib import Path
from typing import Any, Callable

import numpy as np
import onnxruntime as ort
from nasion.pipeline.gst import load_gst
from numpy.typing import NDArray

from tests.doubles import pyds_double as pyds
from tests.doubles.nv_reality import NVMM, Facts, bilinear, fail, nearest, properties, reality, template

load_gst()
from gi.repository import Gst  # noqa: E402  # only now it is clear which version


class NvInfer(Facts, Gst.Element):  # type: ignore[misc]
    """Network type 100 with tensors out."""

    facts = "nvinfer"
    __gtype_name__ = "NvInferDouble"
    __gstmetadata__ = ("nvinfer", "Filter", "double", "tests")
    __gsttemplates__ = (
        template("sink", Gst.PadDirection.SINK, NVMM + "{NV12,RGBA}"),
        template("src", Gst.PadDirection.SRC, NVMM + "{NV12,RGBA}"),
    )
    __gproperties__ = properties("nvinfer")

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
                fail(self, "Failed to create NvDsInferContext instance", f"gstnvinfer.cpp(898):\n{error}")
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
            self._flow = fail(self, f"the double failed: {error!r}", "nv_infer.py")
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
            self._flow = fail(
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
