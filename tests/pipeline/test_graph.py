"""What GStreamer itself has to say reaches whoever runs it."""

import time
from typing import Any, List, Optional

import numpy as np
import pytest
from gi.repository import GLib
from nasion.core.views import ViewGeometry, view_geometry
from nasion.errors import NasionError
from nasion.pipeline.graph import CameraGraph
from nasion.pipeline.gst import load_gst
from numpy.typing import NDArray


class NoSteps:
    """Takes every frame and does nothing with it."""

    def admit(self, _pts: int) -> bool:
        return True

    def __getattr__(self, _name: str) -> Any:
        return lambda *_: None


def graph(
    color_format: Any = "RGB", live: bool = False, *, geometry: Optional[ViewGeometry] = None, steps: Any = None
) -> CameraGraph:
    steps = NoSteps() if steps is None else steps
    return CameraGraph(
        "front",
        geometry=geometry or view_geometry("full", 320, 180),
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


class Seen(NoSteps):
    """Keeps what comes to be prepared."""

    def __init__(self) -> None:
        self.pictures: List[NDArray[np.uint8]] = []

    def prepare(self, _pts: int, picture: NDArray[np.uint8], order: str) -> None:
        assert order == "BGR"
        self.pictures.append(picture.copy())


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (641, 361)])
@pytest.mark.parametrize("live", [False, True])
def test_a_picture_comes_through_gstreamer_unchanged(live: bool, width: int, height: int, channels: int) -> None:
    picture = np.random.default_rng(width).integers(0, 256, (height, width, channels), np.uint8)
    seen = Seen()
    shown = graph("BGR", live, geometry=view_geometry("full", width, height), steps=seen)
    shown.start()
    shown.push(picture, 0)
    shown.end()
    checked_until_something_comes(shown)
    shown.stop()

    (come,) = seen.pictures
    assert np.array_equal(come, picture)


class Refusing(Seen):
    """Admits nothing."""

    def admit(self, _pts: int) -> bool:
        return False


def test_a_frame_that_is_not_admitted_is_not_prepared(stage: Any) -> None:
    seen = Refusing()
    shown = graph("BGR", steps=seen)
    shown.start()
    shown.push(stage.dot(), 0)
    shown.end()
    checked_until_something_comes(shown)
    shown.stop()

    assert seen.pictures == []
