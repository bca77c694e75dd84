"""The doubles of NVIDIA's elements refuse what the real ones refuse."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest
from gi.repository import GLib
from nasion.pipeline.buffers import picture_buffer
from nasion.pipeline.gst import has_element, load_gst

from tests.doubles.nv_double import KINDS, Reality, installed
from tests.doubles.pyds_double import BrokenError

Gst = load_gst()
NVMM = 'capsfilter caps="video/x-raw(memory:NVMM),format=RGBA,width=16,height=16"'


@pytest.fixture(autouse=True)
def _installed(device: Reality) -> None:
    assert device.faults == []


def said(text: str, picture: Any = None) -> str:
    """What the bus says of a pipeline that gets one picture."""
    pipeline = Gst.parse_launch(text)
    pipeline.set_state(Gst.State.PLAYING)
    source = pipeline.get_by_name("in")
    source.push_buffer(picture_buffer(np.zeros((16, 16, 4), np.uint8) if picture is None else picture, 0))
    source.end_of_stream()
    message = pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.ERROR | Gst.MessageType.EOS)
    pipeline.set_state(Gst.State.NULL)
    assert message is not None
    return "" if message.type == Gst.MessageType.EOS else str(message.parse_error()[1])


def source(picture_format: str, rate: str = ",framerate=30/1") -> str:
    return f'appsrc name=in format=time caps="video/x-raw,format={picture_format},width=16,height=16{rate}"'


def test_a_picture_goes_through_the_converter() -> None:
    assert said(f"{source('BGRx')} ! nvvideoconvert ! {NVMM} ! fakesink") == ""


@pytest.mark.parametrize("picture_format", ["BGRA", "BGR", "RGB", "xRGB"])
def test_the_converter_takes_neither_bgra_nor_24_bits(picture_format: str) -> None:
    assert "not-negotiated" in said(f"{source(picture_format)} ! nvvideoconvert ! {NVMM} ! fakesink")


def test_the_converter_wants_a_frame_rate() -> None:
    assert "not-negotiated" in said(f"{source('BGRx', '')} ! nvvideoconvert ! {NVMM} ! fakesink")


@pytest.mark.parametrize("element", ["nvstreammux width=16 height=16 batch-size=1", "nvinfer"])
def test_neither_mux_nor_nvinfer_takes_system_memory(element: str) -> None:
    with pytest.raises(GLib.Error, match="could not link"):
        Gst.parse_launch(
            f'appsrc ! capsfilter caps="video/x-raw,format=RGBA,width=16,height=16" ! {element} ! fakesink'
        )


def test_a_mux_without_a_size_does_not_start() -> None:
    pipeline = Gst.parse_launch("nvstreammux batch-size=1 ! fakesink")
    assert pipeline.set_state(Gst.State.PLAYING) == Gst.StateChangeReturn.FAILURE
    pipeline.set_state(Gst.State.NULL)


def test_nvmm_memory_holds_no_pixels() -> None:
    seen: list[int] = []

    def look(_pad: Any, info: Any) -> Any:
        seen.append(info.get_buffer().get_size())
        return Gst.PadProbeReturn.OK

    pipeline = Gst.parse_launch(f"{source('BGRx')} ! nvvideoconvert ! {NVMM} ! fakesink name=out")
    pad = pipeline.get_by_name("out").get_static_pad("sink")
    pad.add_probe(Gst.PadProbeType.BUFFER, look)
    pipeline.set_state(Gst.State.PLAYING)
    pipeline.get_by_name("in").push_buffer(picture_buffer(np.zeros((16, 16, 4), np.uint8), 0))
    pipeline.get_by_name("in").end_of_stream()
    pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS)
    pipeline.set_state(Gst.State.NULL)
    assert seen == [64]


def test_the_elements_are_there_only_while_they_are_installed() -> None:
    """Other tests must find a machine without them."""
    before = has_element("nvinfer")
    with installed(Reality()):
        pass
    assert (before, has_element("nvinfer")) == (True, False)
    for name, kind in KINDS.items():
        Gst.Element.register(None, name, Gst.Rank.NONE, kind)


class Muxed:
    """Six pictures through the mux; what comes out is looked at on its way into the sink."""

    COUNT = 6
    PTS = 10**15

    def __init__(self, look: Any) -> None:
        self.pipeline = Gst.parse_launch(
            f"{source('BGRx')} ! nvvideoconvert ! {NVMM} ! mux.sink_0 "
            "nvstreammux name=mux batch-size=1 width=16 height=16 live-source=true ! fakesink name=out sync=false"
        )

        def on_buffer(_pad: Any, info: Any) -> Any:
            look(info.get_buffer())
            return Gst.PadProbeReturn.OK

        self.pipeline.get_by_name("out").get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, on_buffer)
        self.pipeline.set_state(Gst.State.PLAYING)
        into = self.pipeline.get_by_name("in")
        for number in range(self.COUNT):
            into.push_buffer(picture_buffer(np.zeros((16, 16, 4), np.uint8), self.PTS + number))
        into.end_of_stream()

    def end(self) -> None:
        message = self.pipeline.get_bus().timed_pop_filtered(60 * Gst.SECOND, Gst.MessageType.EOS)
        self.pipeline.set_state(Gst.State.NULL)
        assert message is not None


def test_the_pts_of_a_batch_is_the_running_time_and_the_frames_keep_their_own(device: Reality) -> None:
    batches: list[int] = []
    frames: list[int] = []

    def look(buffer: Any) -> None:
        batches.append(buffer.pts)
        frames.extend(frame.buf_pts for frame in device.frames[hash(buffer)])

    Muxed(look).end()

    assert frames == [Muxed.PTS + number for number in range(Muxed.COUNT)]
    assert batches == sorted(batches)
    assert max(batches) < Muxed.PTS


def test_the_mux_waits_while_its_four_buffers_are_held() -> None:
    seen: list[int] = []
    held: list[Any] = []
    four = threading.Event()

    def look(buffer: Any) -> None:
        seen.append(buffer.pts)
        if not four.is_set():
            held.append(buffer)
        if len(seen) == 4:
            four.set()

    muxed = Muxed(look)
    assert four.wait(60)
    time.sleep(0.1)
    assert len(seen) == 4
    held.clear()
    muxed.end()
    assert len(seen) == Muxed.COUNT


def test_what_a_buffer_carried_dies_with_it(device: Reality) -> None:
    frames: list[Any] = []
    Muxed(lambda buffer: frames.extend(device.frames[hash(buffer)])).end()

    assert len(frames) == Muxed.COUNT
    for frame in frames:
        with pytest.raises(BrokenError, match="after its buffer was gone"):
            _ = frame.buf_pts
    assert device.surfaces == device.frames == {}
