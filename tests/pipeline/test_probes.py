"""What GStreamer's threads find when they call."""

import threading
from typing import Any, List

import numpy as np
from nasion.pipeline.buffers import picture_buffer
from nasion.pipeline.gst import load_gst
from nasion.pipeline.probes import Probes


class Passing:
    """Three pictures through a queue, whose thread calls ``step`` with each."""

    def __init__(self, step: Any) -> None:
        self.failures: List[BaseException] = []
        gst = load_gst()
        pipeline = gst.parse_launch(
            'appsrc name=in format=time caps="video/x-raw,format=BGR,width=4,height=4,framerate=0/1" ! queue '
            "! identity name=step ! fakesink sync=false async=false"
        )
        Probes(self.failures.append).add(pipeline.get_by_name("step").get_static_pad("sink"), step)
        pipeline.set_state(gst.State.PLAYING)
        for number in range(3):
            pipeline.get_by_name("in").push_buffer(picture_buffer(np.zeros((4, 4, 3), np.uint8), number))
        pipeline.get_by_name("in").end_of_stream()
        pipeline.get_bus().timed_pop_filtered(gst.CLOCK_TIME_NONE, gst.MessageType.EOS)
        pipeline.set_state(gst.State.NULL)


def test_a_thread_of_gstreamer_is_the_same_to_python_at_each_call() -> None:
    """Else Python makes its state of the thread, and throws it away, for each frame and step."""
    own, seen = threading.local(), []

    def step(_buffer: Any) -> None:
        own.calls = getattr(own, "calls", 0) + 1
        seen.append(own.calls)

    passing = Passing(step)

    assert not passing.failures
    assert seen == [1, 2, 3]


def test_after_a_failure_nothing_passes_and_it_is_told_once() -> None:
    seen = []

    def step(buffer: Any) -> None:
        seen.append(buffer.pts)
        raise ValueError("no heat map")

    passing = Passing(step)

    assert [str(failure) for failure in passing.failures] == ["no heat map"]
    assert seen == [0]
