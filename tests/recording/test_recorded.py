"""A source that is recorded is still that source, and a live run is replayed with the same outcome."""

import threading
from pathlib import Path
from typing import Any, Callable, Dict, List

import numpy as np
import pytest
from nasion.core.calibration import Calibration, Intrinsics
from nasion.messages import PersonMessage
from nasion.pipeline import app
from nasion.recording.recorded import RecordedSource
from nasion.recording.recorder import FRAMES_WAITING
from nasion.settings import DepthSettings, RunSettings
from nasion.sources.clock import SystemClock
from nasion.sources.depth_map import DepthMap
from nasion.sources.frame import End, Frame, Grab, Source, SourceHealth, Stamp, Watched
from nasion.sources.memory import MemorySource

Maker = Callable[..., Frame]


class CameraDouble(MemorySource):
    """A camera that says how it is."""

    health = SourceHealth("reconnecting", {"reopened": 2}, ("low_lighting",), 29.5)
    interrupted = False

    def interrupt(self) -> None:
        self.interrupted = True


def watched(source: Source) -> Watched:
    assert isinstance(source, Watched)
    return source


def test_it_is_the_source_in_all_that_is_asked_of_it(studio: Any, frame: Maker) -> None:
    frames = [frame(number) for number in range(2)]
    camera = CameraDouble(frames, frames[0].calibration, live=True, fps=15.0, uri="zed:1")
    with studio.recorder() as recorder:
        source = RecordedSource(camera, recorder, "cam0", every=1)
        assert (source.uri, source.live, source.fps, source.calibration) == ("zed:1", True, 15.0, camera.calibration)
        assert watched(source).health == camera.health
        watched(source).interrupt()
        assert camera.interrupted
        assert [source.read() for _ in range(3)] == [*frames, End()]
        source.close()
    assert len(studio.play(studio.folder / "walk.mcap")) == 3


def test_a_source_that_says_nothing_of_itself_is_healthy(studio: Any, frame: Maker) -> None:
    with studio.recorder() as recorder:
        source = RecordedSource(MemorySource([], frame(0).calibration), recorder, "cam0", every=1)
        assert watched(source).health == SourceHealth("ok", {}, (), None)
        watched(source).interrupt()


def test_what_a_live_source_lost_in_the_recording_is_seen_in_its_health(studio: Any, frame: Maker) -> None:
    grab = frame(0, stereo=True, size=(1280, 720))
    with studio.recorder() as recorder:
        source = RecordedSource(
            MemorySource([grab] * (FRAMES_WAITING + 4), grab.calibration, live=True), recorder, "cam0", every=1
        )
        while not isinstance(source.read(), End):
            pass
        lost = recorder.count("cam0").dropped_frames
        assert lost > 0
        assert watched(source).health.counters == {"not_recorded": lost}


@pytest.fixture
def run(spot_model: Path) -> Callable[..., List[Dict[str, Any]]]:
    """Run over one source; the messages without what belongs to a run or to a recording."""

    def run_(source: Source) -> List[Dict[str, Any]]:
        messages: List[PersonMessage] = []
        told = {
            "cameras": [{"source": "it"}],
            "engine": "onnxruntime",
            "mode": "every-frame",
            "model": str(spot_model),
            "mqtt": {"url": "none"},
        }
        app.run(
            RunSettings.model_validate(told),
            clock=SystemClock(),
            on_message=messages.append,
            on_event=lambda _: None,
            stop=threading.Event(),
            opener=lambda *_, **__: source,
        )
        own = {"session", "captured_at", "captured_ns", "monotonic_ns", "boot_id", "published_at", "latency_ms"}
        return [message.model_dump(exclude=own | {"recorded_ns"}) for message in messages]

    return run_


def test_a_live_run_is_replayed_with_the_same_jumps_and_tracks(
    studio: Any, run: Callable[[Source], List[Dict[str, Any]]]
) -> None:
    """What the gates make of a frame depends on the time since the one before, to the nanosecond."""
    grabs: List[Grab] = []
    rows, columns = np.mgrid[:180, :320]
    calibration = Calibration(Intrinsics(320, 180, 256.0, 256.0, 160.0, 90.0), 0.12)
    clock = SystemClock()
    wall_ns, now_ns = clock.utc_ns(), clock.monotonic_ns()
    for number, (after_ms, metres) in enumerate(
        [(0, 2.0), (33, 2.1), (66, 6.0), (99, 2.2), (1500, 6.0), (1533, 6.1), (1566, 1.0), (1600, 6.2)]
    ):
        picture = np.zeros((180, 320, 3), np.uint8)
        picture[:, :, 2] = 250 * np.exp(-((columns - 100 - number) ** 2 + (rows - 80) ** 2) / (2 * 2.7**2))
        depth = DepthMap(np.full((180, 320), metres, np.float32), DepthSettings())
        # Somebody sets the wall clock in the middle.
        stamp = Stamp(wall_ns + after_ms * 10**6 - (number > 3) * 10**12, now_ns + after_ms * 1_000_003)
        grabs.append(Frame(picture, depth, calibration, stamp))
    with studio.recorder() as recorder:
        source = MemorySource(grabs, calibration, live=True)
        first = run(RecordedSource(source, recorder, "cam0", every=1))
    again = run(studio.source(studio.folder / "walk.mcap"))
    assert len(first) == len(grabs)
    assert [message["persons"][0]["reason"] for message in first].count("jump") >= 2
    assert again == first


def test_every_second_frame_is_recorded_as_it_is_searched(studio: Any, frame: Maker) -> None:
    frames = [frame(number) for number in range(5)]
    with studio.recorder() as recorder:
        source = RecordedSource(MemorySource(frames, frames[0].calibration), recorder, "cam0", every=2)
        assert [source.read() for _ in range(6)] == [*frames, End()]
    grabs = studio.play(studio.folder / "walk.mcap")[:-1]
    assert [grab.recorded_ns for grab in grabs] == [frames[number].recorded_ns for number in (0, 2, 4)]
