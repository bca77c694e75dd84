"""Elements are started, stopped, paused and asked for what they cannot do; a pipeline ends where it should."""

from __future__ import annotations

import gc
import threading
import time
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from nasion.core.calibration import Calibration, Intrinsics
from nasion.elements import records
from nasion.settings import DepthSettings
from nasion.sources.clock import SystemClock, stamp_now
from nasion.sources.depth_map import DepthMap
from nasion.sources.frame import End, Frame, Grab

Make = Callable[..., Path]
AWAY = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5]
TAIL = "! nasionlocate ! nasionrange jump=off ! nasionpublish url=none post-messages=true"


@pytest.fixture
def text(record: Make, spot_model: Path) -> str:
    return f"nasionsrc name=source uri=rgbd:{record()} ! nasioninfer model={spot_model} {TAIL} ! fakesink sync=false"


@pytest.mark.parametrize("between", ["NULL", "READY"])
def test_stopped_and_started_again_it_begins_anew(player: Any, text: str, between: str) -> None:
    pipeline = player.make(text)
    for _ in range(3):
        played = player.until_end(pipeline)
        assert played.error is None
        assert played.depths() == pytest.approx(AWAY)
        assert [message["seq"] for message in played.messages] == list(range(6))
        pipeline.set_state(getattr(player.gst.State, between))
    pipeline.set_state(player.gst.State.NULL)


def test_it_can_be_stopped_at_any_time(player: Any, spot_model: Path) -> None:
    gst = player.gst
    pipeline = player.make(f'nasionsrc uri="demo:" ! nasioninfer model={spot_model} {TAIL} ! fakesink')
    for wait_s in (0.0, 0.02, 0.3):
        pipeline.set_state(gst.State.PLAYING)
        time.sleep(wait_s)
        assert pipeline.set_state(gst.State.NULL) == gst.StateChangeReturn.SUCCESS
    assert records.kept() == 0


def test_seeking_is_refused_and_nothing_else_happens(player: Any, text: str) -> None:
    gst = player.gst
    pipeline = player.make(text)
    pipeline.set_state(gst.State.PAUSED)
    assert pipeline.get_state(60 * gst.SECOND)[0] == gst.StateChangeReturn.SUCCESS
    query = gst.Query.new_seeking(gst.Format.TIME)

    assert not (pipeline.query(query) and query.parse_seeking()[1])
    assert not pipeline.seek_simple(gst.Format.TIME, gst.SeekFlags.FLUSH, 0)

    assert player.until_end(pipeline).depths() == pytest.approx(AWAY)
    pipeline.set_state(gst.State.NULL)


def test_a_video_file_can_be_sought_in_while_it_is_searched(player: Any, spot_model: Path, tmp_path: Path) -> None:
    gst, video = player.gst, tmp_path / "ball.avi"
    made = player.play(
        f"videotestsrc num-buffers=30 ! video/x-raw,width=320,height=180 ! jpegenc ! avimux ! filesink location={video}"
    )
    assert made.error is None
    pipeline = player.make(
        f"filesrc location={video} ! avidemux ! jpegdec ! videoconvert ! nasioninfer model={spot_model} "
        "! nasionlocate ! nasionoverlay ! fakesink sync=false"
    )
    pipeline.set_state(gst.State.PAUSED)
    assert pipeline.get_state(60 * gst.SECOND)[0] == gst.StateChangeReturn.SUCCESS
    for second in (0.5, 0.0, 0.9):
        assert pipeline.seek_simple(gst.Format.TIME, gst.SeekFlags.FLUSH, int(second * gst.SECOND))
        assert pipeline.get_state(60 * gst.SECOND)[0] == gst.StateChangeReturn.SUCCESS

    assert player.until_end(pipeline).error is None
    pipeline.set_state(gst.State.NULL)


def test_the_source_is_live_where_its_frames_come_at_the_pace_of_time(player: Any, record: Make) -> None:
    gst, folder = player.gst, record()
    for options, live in (("", False), ("mode=live", True)):
        pipeline = player.make(f"nasionsrc uri=rgbd:{folder} {options} ! fakesink")
        answer = pipeline.set_state(gst.State.PAUSED)
        assert (answer == gst.StateChangeReturn.NO_PREROLL) is live
        pipeline.set_state(gst.State.NULL)


def test_a_live_source_goes_on_after_a_pause(player: Any) -> None:
    """Its time stamps are the running time of the capture, so they rise also over the pause."""
    gst, stamps = player.gst, []
    pipeline = player.make('nasionsrc uri="demo:" ! fakesink name=sink sync=false signal-handoffs=true')
    pipeline.get_by_name("sink").connect("handoff", lambda _sink, buffer, _pad: stamps.append(buffer.pts))
    for _ in range(2):
        before = len(stamps)
        pipeline.set_state(gst.State.PLAYING)
        deadline = time.monotonic() + 60
        while len(stamps) < before + 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        pipeline.set_state(gst.State.PAUSED)
    pipeline.set_state(gst.State.NULL)

    assert stamps == sorted(set(stamps))


def test_recordings_carry_their_own_time_from_zero(player: Any, record: Make) -> None:
    stamps: list[int] = []
    pipeline = player.make(f"nasionsrc uri=rgbd:{record()} ! fakesink name=sink signal-handoffs=true")
    pipeline.get_by_name("sink").connect("handoff", lambda _sink, buffer, _pad: stamps.append(buffer.pts))
    player.until_end(pipeline)
    pipeline.set_state(player.gst.State.NULL)

    assert stamps == pytest.approx([number * 1e9 / 30 for number in range(6)], abs=2)


def test_only_so_many_frames_come_as_are_asked_for(player: Any, text: str) -> None:
    played = player.play(text.replace("nasionsrc ", "nasionsrc num-buffers=2 "))

    assert played.depths() == pytest.approx(AWAY[:2])


class LostCamera:
    """A double of a camera: one frame, then it is awaited until it is interrupted, and then it is over for good."""

    live, fps, uri = True, 30.0, "zed:"
    health = None

    def __init__(self, frame: Frame) -> None:
        self.calibration = frame.calibration
        self._frame: Frame | None = frame
        self._over = threading.Event()
        self.closed = False

    def read(self) -> Grab:
        frame, self._frame = self._frame, None
        if frame is not None and not self._over.is_set():
            return frame
        assert self._over.wait(60), "nobody interrupted"
        return End()

    def interrupt(self) -> None:
        self._over.set()

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def lost(player: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, LostCamera]:
    """A pipeline that has shown the one frame of its camera and awaits the next; and the camera."""
    lens = Calibration(Intrinsics(320, 180, 256, 256, 160, 90), 0.12)
    depth = DepthMap(np.zeros((180, 320), np.float32), DepthSettings())
    camera = LostCamera(Frame(np.zeros((180, 320, 4), np.uint8), depth, lens, stamp_now(SystemClock())))
    monkeypatch.setattr("nasionsrc.open_source", lambda _uri, **_: camera)
    shown = threading.Event()
    pipeline = player.make("nasionsrc uri=zed: ! fakesink name=sink sync=false signal-handoffs=true")
    pipeline.get_by_name("sink").connect("handoff", lambda *_: shown.set())
    pipeline.set_state(player.gst.State.PLAYING)
    assert shown.wait(60)
    return pipeline, camera


def test_a_lost_camera_does_not_hold_up_the_end(player: Any, lost: tuple[Any, LostCamera]) -> None:
    """`gst-launch-1.0 -e` sends EOS on Ctrl-C and waits for it."""
    pipeline, camera = lost
    caps = pipeline.get_by_name("sink").get_static_pad("sink").get_current_caps()
    assert caps.get_structure(0).get_string("format") == "BGRx"
    pipeline.send_event(player.gst.Event.new_eos())

    assert player.until_end(pipeline).error is None
    pipeline.set_state(player.gst.State.NULL)
    assert camera.closed


def test_a_lost_camera_does_not_hold_up_a_pause_or_a_stop(player: Any, lost: tuple[Any, LostCamera]) -> None:
    pipeline, camera = lost
    for state in ("PAUSED", "PLAYING", "NULL"):
        pipeline.set_state(getattr(player.gst.State, state))

    assert camera.closed
    assert pipeline.get_bus().pop_filtered(player.gst.MessageType.EOS | player.gst.MessageType.ERROR) is None


def test_elements_are_let_go_with_their_pipeline(player: Any, text: str) -> None:
    gone: list[str] = []
    pipeline = player.make(text)
    names = []
    elements = pipeline.iterate_elements()
    while (found := elements.next())[0] == player.gst.IteratorResult.OK:
        if found[1].get_name().startswith(("nasion", "source")):
            names.append(found[1].get_name())
            found[1].weak_ref(gone.append, names[-1])
    player.until_end(pipeline)
    pipeline.set_state(player.gst.State.NULL)
    del pipeline, elements, found
    gc.collect()

    assert len(names) == 5
    assert sorted(gone) == sorted(names)
