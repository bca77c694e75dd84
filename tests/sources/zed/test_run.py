"""The real application, with GStreamer and a network, on a ZED that is a double."""

import threading
import time
from collections import deque
from pathlib import Path
from typing import Any, Callable, List, Optional

import pytest
from nasion.core.results import FrameReason
from nasion.messages import PersonMessage
from nasion.pipeline import app
from nasion.pipeline.summary import RunSummary
from nasion.settings import RunSettings
from nasion.sources.clock import SystemClock
from nasion.sources.open import open_source
from nasion.sources.zed.source import ZedSource

from tests.doubles.pyzed_double import Reality, install


class FastClock(SystemClock):
    """Time passes 50 times as fast while somebody waits for a camera; back-off and silence take no real seconds."""

    def __init__(self) -> None:
        self._ahead_ns, self._lock = 0, threading.Lock()

    def utc_ns(self) -> int:
        return super().utc_ns() + self._ahead_ns

    def monotonic_ns(self) -> int:
        return super().monotonic_ns() + self._ahead_ns

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / 50)
        if threading.current_thread().name.startswith("feeder"):
            with self._lock:
                self._ahead_ns += round(seconds * 1e9 * 49 / 50)


class Show:
    """A run of the application; what it said and how the source was meanwhile."""

    def __init__(self, model: Path, clock: Any) -> None:
        self.model, self.clock = model, clock
        self.messages: List[PersonMessage] = []
        self.events: List[str] = []
        self.source: Optional[ZedSource] = None
        self.stop = threading.Event()

    def run(self, uri: str, on_message: Callable[[PersonMessage], None], **settings: Any) -> RunSummary:
        def opener(uri: str, **about: Any) -> Any:
            self.source = open_source(uri, **about)  # type: ignore[assignment]
            return self.source

        def keep(message: PersonMessage) -> None:
            self.messages.append(message)
            on_message(message)

        told = {
            "cameras": [{"source": uri}],
            "engine": "onnxruntime",
            "model": str(self.model),
            "mqtt": {"url": "none"},
            "jump": {"mode": "off"},
            **settings,
        }
        return app.run(
            RunSettings.model_validate(told),
            clock=self.clock,
            on_message=keep,
            on_event=self.events.append,
            stop=self.stop,
            opener=opener,
        )


def say_nothing(_message: PersonMessage) -> None:
    """Nobody listens."""


def distances(messages: List[PersonMessage]) -> "List[float]":
    return [person.depth_m for message in messages for person in message.persons if person.depth_m is not None]


@pytest.mark.parametrize("native", [(1280, 720), (1920, 1080)])
def test_every_frame_of_a_recording_gives_the_position_of_its_own_depth_and_the_run_ends(
    monkeypatch: pytest.MonkeyPatch, spot_model: Path, tmp_path: Path, native: "tuple[int, int]"
) -> None:
    clock = SystemClock()
    path = tmp_path / "walk.svo2"
    path.touch()
    reality = install(monkeypatch, Reality(clock=clock, frames=12, native=native, grabs=deque(["SUCCESS"] * 3)))
    reality.grabs.append("CORRUPTED_FRAME")
    show = Show(spot_model, clock)

    summary = show.run(f"svo:{path}", say_nothing)

    camera = summary.cameras["cam0"]
    assert (camera.frames, camera.processed, camera.drops) == (12, 11, {"corrupt_frame": 1})
    assert [message.reason for message in show.messages] == [None] * 3 + [FrameReason.CORRUPT_FRAME] + [None] * 8
    assert distances(show.messages) == pytest.approx([1 + 0.01 * number for number in range(12) if number != 3])
    u, v = show.messages[0].persons[0].pixel
    assert (u, v) == pytest.approx((native[0] / 2, native[1] / 2), abs=1)
    assert not reality.is_open


def test_a_camera_that_is_lost_comes_back_and_the_run_goes_on(
    monkeypatch: pytest.MonkeyPatch, spot_model: Path
) -> None:
    clock = FastClock()
    reality = install(monkeypatch, Reality(clock=clock, before_grab=lambda: time.sleep(0.01)))
    show = Show(spot_model, clock)
    states: List[str] = []

    def on_message(message: PersonMessage) -> None:
        assert show.source is not None
        if message.reason is FrameReason.NO_FRAME:
            states.append(show.source.health.state)
            # Away until it was said to be lost.
            reality.present = states[-1] == "lost"
        elif len(distances(show.messages)) == 5:
            reality.present = False
        elif "lost" in states and reality.present and len(distances(show.messages)) >= 10:
            show.stop.set()

    summary = show.run("zed:4711?size=720", on_message)

    assert states[0] == "reconnecting"
    assert states[-1] == "lost"
    assert show.source is not None
    health = show.source.health
    assert health.state == "ok"
    assert health.counters["lost"] == health.counters["reopened"] == 1
    assert health.counters["reopen_failed"] >= 3
    assert reality.rebooted == [4711]
    away = [event for event in show.events if event.startswith("cam0: zed:4711?size=720: ")]
    assert "lost (CAMERA_NOT_DETECTED" in away[-3]
    assert "back after " in away[-1]
    # Positions on both sides, each of its own depth, in order, and every frame accounted for.
    found = distances(show.messages)
    assert found == sorted(set(found))
    assert len(found) >= 10
    camera = summary.cameras["cam0"]
    assert camera.frames == camera.processed + sum(camera.drops.values())
    assert camera.source == health.counters
    assert any(line.startswith("cam0: source: ") and "reopened 1" in line for line in summary.lines())
    assert "unpaired" not in camera.drops
    captured = [int(message.captured_ns) for message in show.messages if message.persons]
    assert captured == sorted(set(captured))
    assert not reality.is_open
