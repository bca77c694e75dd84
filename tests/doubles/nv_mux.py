"""A double of nvstreammux, as it stands in front of nvinfer: see `nv_double`."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from functools import partial
from typing import Any

import numpy as np
from nasion.pipeline.gst import load_gst
from numpy.typing import NDArray

from tests.doubles import pyds_double as pyds
from tests.doubles.nv_reality import NVMM, Facts, fail, nvmm_buffer, properties, reality, template

load_gst()
from gi.repository import Gst  # noqa: E402  # only now it is clear which version


class NvStreamMux(Facts, Gst.Element):  # type: ignore[misc]
    """The older mux, live: takes frames in the order they come, gives what it has after the timeout."""

    facts = "nvstreammux (legacy, default)"
    __gtype_name__ = "NvStreamMuxDouble"
    __gstmetadata__ = ("nvstreammux", "Mux", "double", "tests")
    __gsttemplates__ = (
        template("sink_%u", Gst.PadDirection.SINK, NVMM + "{NV12,RGBA,I420}", Gst.PadPresence.REQUEST),
        template("src", Gst.PadDirection.SRC, NVMM + "{NV12,RGBA,I420}"),
    )
    __gproperties__ = properties("nvstreammux (legacy, default)")

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
                fail(self, "Batch size, width or height not set", "gstnvstreammux.c(1)")
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
            Gst.Event.new_caps(Gst.Caps.from_string(f"{NVMM}RGBA,width={width},height={height},framerate=30/1"))
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
        """0 as long as it does not play: it has no base time before."""
        clock, base = self.get_clock(), self.get_base_time()
        return max(0, clock.get_time() - base) if clock and base else 0

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
        buffer = nvmm_buffer(self._running_time(), surfaces, real.batches.gone)
        real.batches.attach(hash(buffer), batch)
        real.frames[hash(buffer)] = frames
        life.at_end.append(partial(real.frames.pop, hash(buffer)))
        real.batch_sizes.append(len(frames))
        flow = self.src.push(buffer)
        if flow != Gst.FlowReturn.OK:
            with self._changed:
                self._running, self._flow = False, flow
                self._changed.notify_all()
