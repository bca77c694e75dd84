"""What GStreamer itself has to say reaches whoever runs it."""

import time
from typing import Any

import pytest
from gi.repository import GLib
from nasion.core.views import view_geometry
from nasion.errors import NasionError
from nasion.pipeline.graph import CameraGraph
from nasion.pipeline.gst import load_gst


class NoSteps:
    """Does nothing with a frame."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_: None


def graph(color_format: Any = "RGB", live: bool = False) -> CameraGraph:
    geometry = view_geometry("full", 320, 180)
    steps: Any = NoSteps()
    return CameraGraph(
        "front",
        geometry=geometry,
        color_format=color_format,
        network=lambda tensor: tensor,
        live=live,
        steps=steps,
        on_failure=lambda _: None,
    )


def checked_until_something_comes(graph: CameraGraph) -> bool:
    while not graph.check():
        time.sleep(0.01)
    return True


def test_an_error_of_gstreamer_is_raised_with_the_cameras_name() -> None:
    gst = load_gst()
    failing = graph()
    failing.start()
    error = gst.Message.new_error(None, GLib.Error("the scaler broke"), "videoscale.c(17):\nnot enough taps")
    failing._pipeline.get_bus().post(error)

    with pytest.raises(NasionError, match=r"front: GStreamer: the scaler broke \(not enough taps\)"):
        checked_until_something_comes(failing)
    failing.stop()


def test_a_format_that_cannot_be_made_is_said_at_once() -> None:
    with pytest.raises(NasionError, match="front: GStreamer cannot link convert to scaled"):
        graph("NONSENSE")


@pytest.mark.parametrize("live", [False, True])
def test_the_end_is_told_when_everything_is_through(stage: Any, live: bool) -> None:
    ending = graph(live=live)
    ending.start()
    ending.push(stage.dot(), 0)

    assert not ending.check()
    ending.end()

    assert checked_until_something_comes(ending)
    ending.stop()


def test_a_stopped_pipeline_takes_no_frame(stage: Any) -> None:
    stopped = graph()
    stopped.start()
    stopped.stop()

    with pytest.raises(NasionError, match="front: GStreamer took no frame"):
        stopped.push(stage.dot(), 0)
