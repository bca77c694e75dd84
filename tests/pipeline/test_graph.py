"""What GStreamer itself has to say reaches whoever runs it."""

import time
from typing import Any, List, Optional

import numpy as np
import pytest
from gi.repository import GLib
from nasion.core.tensor import row_view
from nasion.core.views import ViewGeometry, view_geometry
from nasion.errors import NasionError
from nasion.pipeline.buffers import mapped, picture_buffer
from nasion.pipeline.graph import CameraGraph
from nasion.pipeline.gst import load_gst
from numpy.typing import NDArray


class NoSteps:
    """Does nothing with a frame."""

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


def test_a_format_that_cannot_be_made_is_said_at_once() -> None:
    with pytest.raises(NasionError, match="front: GStreamer cannot link scale_width to scaled"):
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


class Seen(NoSteps):
    """Keeps what the network would be shown."""

    def __init__(self) -> None:
        self.scaled: List[NDArray[np.uint8]] = []

    def prepare(self, _pts: int, scaled: NDArray[np.uint8]) -> None:
        self.scaled.append(scaled.copy())


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("color_format", ["RGB", "BGR"])
@pytest.mark.parametrize(
    ("view", "width", "height"),
    # Shrunk, shrunk by an odd factor, enlarged, and as it is.
    [("centre", 1920, 1080), ("full", 1280, 720), ("full", 320, 180), ("centre", 480, 270), ("fine", 641, 361)],
)
def test_the_network_is_shown_what_one_scaler_would_make_of_the_crop(
    view: Any, width: int, height: int, color_format: Any, channels: int
) -> None:
    picture = np.random.default_rng(width).integers(0, 256, (height, width, channels), np.uint8)
    geometry, seen = view_geometry(view, width, height), Seen()
    shown = graph(color_format, geometry=geometry, steps=seen)
    shown.start()
    shown.push(picture, 0)
    shown.end()
    checked_until_something_comes(shown)
    shown.stop()

    (scaled,) = seen.scaled
    assert np.array_equal(scaled, by_one_scaler(picture, geometry, color_format))


def by_one_scaler(picture: NDArray[np.uint8], geometry: ViewGeometry, color_format: str) -> NDArray[np.uint8]:
    """Crop, scaling and conversion, each by one element."""
    gst, g = load_gst(), geometry
    right, bottom = g.frame_width - g.crop_left - g.crop_width, g.frame_height - g.crop_top - g.crop_height
    given = f"format={'BGR' if picture.shape[2] == 3 else 'BGRx'},width={g.frame_width},height={g.frame_height}"
    wanted = f"format={color_format},width={g.scaled_width},height={g.scaled_height},pixel-aspect-ratio=1/1"
    pipeline = gst.parse_launch(
        f'appsrc name=in format=time caps="video/x-raw,{given},framerate=0/1,pixel-aspect-ratio=1/1" '
        f"! videocrop left={g.crop_left} top={g.crop_top} right={right} bottom={bottom} "
        f"! videoscale method=8 add-borders=false ! videoconvert ! video/x-raw,{wanted} ! appsink name=out sync=false"
    )
    pipeline.set_state(gst.State.PLAYING)
    try:
        pipeline.get_by_name("in").push_buffer(picture_buffer(picture, 0))
        with mapped(pipeline.get_by_name("out").emit("pull-sample").get_buffer()) as data:
            return row_view(data, g.scaled_width, g.scaled_height).copy()
    finally:
        pipeline.set_state(gst.State.NULL)
