"""What goes wrong ends the run with its reason, or is counted and told; nothing vanishes in a thread."""

import threading
from typing import Any, Iterator, List

import pytest
from nasion.core.results import FrameReason
from nasion.errors import InputError, NasionError
from nasion.messages import StatusMessage
from nasion.mqtt.broker import PrivateBroker
from nasion.sources.frame import Grab
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion


class Closing:
    """Wraps a source and remembers that it was closed."""

    def __init__(self, source: Any) -> None:
        self._source, self.closed = source, threading.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def close(self) -> None:
        self.closed.set()


@pytest.mark.parametrize("error", [NasionError("the cable was pulled"), RuntimeError("a mistake")])
def test_a_source_that_fails_ends_the_run_with_its_own_error(stage: Any, error: Exception) -> None:
    def grabs() -> Iterator[Grab]:
        yield stage.frame()
        raise error

    broken = Closing(stage.source(grabs()))
    other = Closing(stage.source(stage.frame() for _ in iter(int, 1)))

    with pytest.raises(type(error)) as caught:
        stage.run({"broken": broken, "other": other})

    assert caught.value is error
    assert broken.closed.is_set()
    assert other.closed.is_set()


def test_a_failure_in_a_step_ends_the_run(stage: Any) -> None:
    def on_message(_message: Any) -> None:
        raise ZeroDivisionError("in a GStreamer thread")

    with pytest.raises(ZeroDivisionError, match="in a GStreamer thread"):
        stage.run({"cam0": stage.source(stage.frame() for _ in iter(int, 1))}, on_message=on_message)


def test_a_corrupt_frame_is_told_in_its_place_counted_and_skipped(stage: Any) -> None:
    grabs = [stage.frame(recorded_ns=number) for number in range(5)]
    grabs[2] = stage.corrupt("frame 2: truncated JPEG", recorded_ns=2)

    summary = stage.run({"cam0": stage.source(grabs)})

    assert [int(message.recorded_ns) for message in stage.messages] == [0, 1, 2, 3, 4]
    assert [message.seq for message in stage.messages] == [0, 1, 2, 3, 4]
    assert [message.reason for message in stage.messages] == [None, None, FrameReason.CORRUPT_FRAME, None, None]
    assert summary.cameras["cam0"].drops == {"corrupt_frame": 1}
    assert summary.cameras["cam0"].processed == 4
    assert any("frame 2: truncated JPEG" in event for event in stage.events)


def test_a_recording_that_ends_early_says_so(stage: Any) -> None:
    stage.run({"rear": stage.source([stage.frame(), stage.truncated("the video is cut off after 1 frame")])})

    assert len(stage.messages) == 1
    assert "rear: the video is cut off after 1 frame" in stage.events


def test_a_source_without_a_frame_ends_at_once(stage: Any) -> None:
    summary = stage.run({"cam0": stage.source([])})

    assert stage.messages == []
    assert summary.cameras["cam0"].frames == 0


class SleptClock:
    """Time passes only while somebody sleeps, and then 50 times as fast: a machine that is busy does not age it."""

    def __init__(self, clock: Any) -> None:
        self._clock, self._now_ns, self._lock = clock, clock.monotonic_ns(), threading.Lock()

    def utc_ns(self) -> int:
        return int(self._clock.utc_ns())

    def monotonic_ns(self) -> int:
        with self._lock:
            return int(self._now_ns)

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds / 50)
        with self._lock:
            self._now_ns += round(seconds * 1e9)


def test_a_silent_camera_is_reported_once_a_second_until_it_speaks(stage: Any) -> None:
    stage.clock = SleptClock(stage.clock)
    seen, reported = threading.Event(), threading.Semaphore(0)

    def grabs() -> Iterator[Grab]:
        yield stage.frame()
        assert seen.wait(60)
        for _ in range(3):
            assert reported.acquire(timeout=60)
        yield stage.frame()
        # A while, so that it is seen to be back.
        while not any("again" in event for event in stage.events):
            yield stage.frame()
            stage.clock.sleep(0.1)

    def on_message(message: Any) -> None:
        stage.messages.append(message)
        if message.reason is FrameReason.NO_FRAME:
            reported.release()
        else:
            seen.set()

    # Its pictures are all the same.
    summary = stage.run({"cam0": stage.source(grabs(), live=True)}, on_message=on_message, frozen_ms=0)

    silent = [message for message in stage.messages if message.reason is FrameReason.NO_FRAME]
    assert len(silent) >= 3
    told = [event for event in stage.events if "the source gives" in event]
    assert [("no frame" in event, "again" in event) for event in told] == [(True, False), (False, True)]
    assert stage.messages[-1].reason is None
    assert [message.seq for message in stage.messages] == list(range(len(stage.messages)))
    assert [message.latency_ms["total"] for message in silent] == [0] * len(silent)
    assert summary.cameras["cam0"].processed >= 2


def test_the_status_says_that_the_source_is_lost_until_it_speaks_again(stage: Any) -> None:
    """Seen by somebody else over a real broker."""
    stage.clock = SleptClock(stage.clock)
    subscribed, good, lost, found = (threading.Event() for _ in range(4))
    sources: List[str] = []

    def on_status(_client: Any, _data: Any, arrived: Any) -> None:
        status = StatusMessage.model_validate_json(arrived.payload, strict=True)
        sources.append(status.source)
        (lost if status.source == "lost" else found if lost.is_set() else good).set()

    def frames_until(heard: threading.Event) -> Iterator[Grab]:
        while not heard.is_set():
            yield stage.frame()
            stage.clock.sleep(0.1)

    def grabs() -> Iterator[Grab]:
        yield from frames_until(good)
        assert lost.wait(60)
        yield from frames_until(found)

    with PrivateBroker() as broker:
        onlooker = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        onlooker.on_message = on_status
        onlooker.on_subscribe = lambda *_: subscribed.set()
        onlooker.connect("127.0.0.1", broker.port)
        onlooker.subscribe("nasion/cam0/status")
        onlooker.loop_start()
        assert subscribed.wait(60)
        stage.run({"cam0": stage.source(grabs(), live=True)}, mqtt={"url": broker.url})
        onlooker.loop_stop()

    assert [source for source, before in zip(sources, ["", *sources]) if source != before][:3] == ["ok", "lost", "ok"]


def test_a_recording_is_never_called_silent(stage: Any) -> None:
    """It may be read from a slow disk; only a camera owes us frames."""
    stage.clock = SleptClock(stage.clock)

    def grabs() -> Iterator[Grab]:
        threading.Event().wait(0.1)
        yield stage.frame()

    stage.run({"cam0": stage.source(grabs())})

    assert [message.reason for message in stage.messages] == [None]


def test_a_camera_that_hangs_does_not_keep_the_run_from_ending(stage: Any) -> None:
    hanging = threading.Event()

    def grabs() -> Iterator[Grab]:
        yield stage.frame()
        hanging.wait(60)

    def on_message(message: Any) -> None:
        if message.persons:
            stage.stop.set()

    stage.clock = SleptClock(stage.clock)
    summary = stage.run({"cam0": stage.source(grabs(), live=True)}, on_message=on_message)
    hanging.set()

    assert summary.cameras["cam0"].processed == 1


@pytest.mark.parametrize(
    ("shape", "said"),
    [((90, 320, 3), "(90, 320, 3)"), ((180, 320, 1), "(180, 320, 1)"), ((180, 320, 4), "180 x 320 x 3")],
)
def test_a_picture_that_does_not_fit_ends_the_run(stage: Any, shape: Any, said: str) -> None:
    def grabs() -> Iterator[Grab]:
        yield stage.frame()
        other = stage.frame(stage.dot()[:1, :1].repeat(shape[0], 0).repeat(shape[1], 1)[..., [0] * shape[2]])
        yield type(other)(other.picture, other.depth, stage.calibration(), other.stamp)

    with pytest.raises(NasionError) as caught:
        stage.run({"cam0": stage.source(grabs())})

    assert said in str(caught.value)


def test_a_calibration_that_changes_underway_ends_the_run(stage: Any) -> None:
    other = stage.frame()
    moved = type(other)(other.picture, other.depth, stage.calibration(330), other.stamp)

    with pytest.raises(NasionError, match="calibration changed"):
        stage.run({"cam0": stage.source([stage.frame(), moved])})


def test_a_picture_too_narrow_for_the_view_is_bad_input(stage: Any) -> None:
    with pytest.raises(InputError, match="cam0"):
        stage.run({"cam0": stage.source([], width=4000, height=2)})


def test_an_nvinfer_file_for_another_view_is_bad_input(stage: Any) -> None:
    from nasion.config.nvinfer import default_nvinfer_file

    with pytest.raises(InputError, match="view 'fine'"):
        stage.run({"cam0": stage.source([])}, view="fine", nvinfer=str(default_nvinfer_file("full")))


def test_the_video_has_every_processed_frame(stage: Any, tmp_path: Any) -> None:
    import cv2

    summary = stage.run(
        {name: stage.source(stage.frame() for _ in range(4)) for name in ("front", "rear")},
        save=str(tmp_path / "walk.avi"),
    )

    for name in ("front", "rear"):
        video = cv2.VideoCapture(str(tmp_path / f"walk-{name}.avi"))
        assert video.get(cv2.CAP_PROP_FRAME_COUNT) == summary.cameras[name].processed == 4
        assert (video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT)) == (320, 180)


def test_a_video_that_cannot_be_written_is_bad_input_and_sources_are_closed(stage: Any, tmp_path: Any) -> None:
    source = Closing(stage.source([]))

    with pytest.raises(InputError, match=r"walk\.mp4"):
        stage.run({"cam0": source}, save=str(tmp_path / "walk.mp4"))

    assert source.closed.is_set()
