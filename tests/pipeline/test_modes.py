"""Every frame, or the newest: what is processed, what is dropped, and that all of it is counted."""

import statistics
import threading
import time
from typing import Any, Iterator, List

import pytest
from nasion.engine.onnx_model import HeatMapModel
from nasion.pipeline import graph
from nasion.pipeline.summary import RunSummary
from nasion.sources.frame import Grab


def all_counted(stage: Any, summary: RunSummary) -> bool:
    """Every frame of the one camera was processed and published, or dropped for a reason."""
    camera = summary.cameras["cam0"]
    return len(stage.messages) == camera.processed == camera.frames - sum(camera.drops.values())


def test_every_frame_is_processed_in_order(stage: Any) -> None:
    grabs = [stage.frame(stage.dot(u=20.0 + 5 * number)) for number in range(50)]

    summary = stage.run({"cam0": stage.source(grabs)})

    assert [message.seq for message in stage.messages] == list(range(50))
    found = [message.persons[0].pixel[0] for message in stage.messages]
    assert found == pytest.approx([20.0 + 5 * number for number in range(50)], abs=0.5)
    camera = summary.cameras["cam0"]
    assert (camera.frames, camera.processed, camera.drops) == (50, 50, {})


class Gate:
    """A live source that shows ``ahead`` frames, then waits until the first is being published before it ends."""

    def __init__(self, stage: Any, ahead: int) -> None:
        self.stage, self.ahead = stage, ahead
        self.publishing, self.all_shown = threading.Event(), threading.Event()

    def grabs(self) -> Iterator[Grab]:
        yield self.stage.frame(self.stage.dot(u=20.0))
        assert self.publishing.wait(60)
        for number in range(self.ahead):
            yield self.stage.frame(self.stage.dot(u=40.0 + 5 * number))
        self.all_shown.set()

    def on_message(self, message: Any) -> None:
        self.stage.messages.append(message)
        self.publishing.set()
        assert self.all_shown.wait(60)


@pytest.mark.parametrize("old_gstreamer", [False, True])
def test_live_takes_the_newest_and_counts_what_it_overtook(
    stage: Any, monkeypatch: pytest.MonkeyPatch, old_gstreamer: bool
) -> None:
    """While one frame is worked on, 30 more come; of those the newest is taken next."""
    if old_gstreamer:
        monkeypatch.setattr("nasion.pipeline.graph.can_leak", lambda _appsrc: False)
    gate = Gate(stage, ahead=30)

    summary = stage.run({"cam0": stage.source(gate.grabs(), live=True)}, on_message=gate.on_message)

    camera = summary.cameras["cam0"]
    assert stage.messages[-1].persons[0].pixel[0] == pytest.approx(40.0 + 5 * 29, abs=0.5)
    assert [message.seq for message in stage.messages] == list(range(camera.processed))
    assert camera.frames == 31
    assert camera.drops["queue"] > 20
    assert all_counted(stage, summary)
    assert all(person.valid for message in stage.messages for person in message.persons)


def test_a_slow_receiver_of_messages_does_not_cost_frames_when_every_frame_is_wanted(stage: Any) -> None:
    def slowly(message: Any) -> None:
        stage.clock.sleep(0.01)
        stage.messages.append(message)

    summary = stage.run({"cam0": stage.source(stage.frame() for _ in range(20))}, on_message=slowly, mode="every-frame")

    assert len(stage.messages) == summary.cameras["cam0"].processed == 20


class SlowModel:
    """Stands for a network that takes ``seconds`` for each picture; what it gives is the real one's."""

    def __init__(self, model: Any, seconds: float) -> None:
        self._model, self._seconds = model, seconds

    def infer(self, tensor: Any) -> Any:
        time.sleep(self._seconds)
        return self._model.infer(tensor)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)


def ages_with_a_slow_network(stage: Any, monkeypatch: pytest.MonkeyPatch, seconds: float, live: bool) -> List[float]:
    """Milliseconds from the stamp of each frame to its message, every frame of a source that has them all at once."""
    monkeypatch.setattr(graph, "HeatMapModel", lambda *about, **how: SlowModel(HeatMapModel(*about, **how), seconds))
    ages: List[float] = []

    def on_message(message: Any) -> None:
        ages.append((stage.clock.monotonic_ns() - int(message.monotonic_ns)) / 1e6)
        assert message.latency_ms["total"] == pytest.approx(ages[-1], abs=50)

    grabs: List[Any] = [stage.frame(recorded_ns=number) for number in range(12)]
    grabs[6] = stage.corrupt("torn", 6)
    stage.run({"cam0": stage.source(grabs, live=live)}, on_message=on_message, mode="every-frame")
    return ages


def test_a_recordings_frames_do_not_age_in_front_of_a_slow_network(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading goes on while the network works; a frame's age counts from when the network takes it."""
    ages = ages_with_a_slow_network(stage, monkeypatch, 0.15, live=False)

    assert len(ages) == 12
    assert statistics.median(ages) < 2 * 150


def test_the_frames_of_a_camera_that_waits_do(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """They were taken when they were taken."""
    assert max(ages_with_a_slow_network(stage, monkeypatch, 0.15, live=True)) > 3 * 150


@pytest.mark.parametrize(("every", "kept"), [(1, 10), (3, 4), (10, 1), (11, 1)])
def test_each_nth_frame(stage: Any, every: int, kept: int) -> None:
    grabs = [stage.frame(recorded_ns=number) for number in range(10)]

    summary = stage.run({"cam0": stage.source(grabs)}, every=every)

    assert [int(message.recorded_ns) for message in stage.messages] == list(range(0, 10, every))
    assert summary.cameras["cam0"].drops.get("every", 0) == 10 - kept


def test_a_run_ends_after_so_many_frames(stage: Any) -> None:
    endless = (stage.frame() for _ in iter(int, 1))

    summary = stage.run({"cam0": stage.source(endless)}, frames=7)

    assert len(stage.messages) == 7
    assert summary.cameras["cam0"].drops == {}


def test_a_live_run_ends_after_so_many_frames(stage: Any) -> None:
    def endless() -> Iterator[Grab]:
        while True:
            stage.clock.sleep(0.002)
            yield stage.frame()

    summary = stage.run({"cam0": stage.source(endless(), live=True)}, frames=7)

    assert [message.seq for message in stage.messages] == list(range(7))
    assert all_counted(stage, summary)


def test_a_run_ends_after_some_time_and_what_was_begun_is_finished(stage: Any) -> None:
    endless = (stage.frame() for _ in iter(int, 1))

    summary = stage.run({"cam0": stage.source(endless)}, seconds=0.3)

    assert summary.seconds >= 0.3
    assert len(stage.messages) > 0
    assert all_counted(stage, summary)


def test_a_run_ends_when_it_is_asked_to(stage: Any) -> None:
    def on_message(message: Any) -> None:
        stage.messages.append(message)
        stage.stop.set()

    endless = (stage.frame() for _ in iter(int, 1))
    summary = stage.run({"cam0": stage.source(endless)}, on_message=on_message)

    assert all_counted(stage, summary)


def test_two_runs_over_a_recording_say_the_same(stage: Any) -> None:
    """Everything but clocks, latencies and session."""
    said = []
    for _ in range(2):
        stage.messages.clear()
        grabs = [
            stage.frame(stage.dot(u=20.0 + 3 * number), 1 + 0.01 * number, number * 33_000_000) for number in range(30)
        ]
        grabs[4] = stage.corrupt("torn", 4 * 33_000_000)
        stage.run({"cam0": stage.source(grabs)})
        changing = {"session", "captured_at", "captured_ns", "monotonic_ns", "published_at", "latency_ms"}
        said.append([message.model_dump(exclude=changing) for message in stage.messages])

    assert said[0] == said[1]
    assert len(said[0]) == 30


def test_the_stages_of_the_latency_add_up(stage: Any) -> None:
    summary = stage.run({"cam0": stage.source(stage.frame() for _ in range(5))})

    for message in stage.messages:
        latency = dict(message.latency_ms)
        total = latency.pop("total")
        assert list(latency) == ["receive", "wait", "preprocess", "network", "locate", "range"]
        assert sum(latency.values()) == pytest.approx(total)
        assert all(spent >= 0 for spent in latency.values())
    figures = summary.cameras["cam0"].latency_ms
    assert list(figures) == ["receive", "wait", "preprocess", "network", "locate", "range", "publish", "total"]
    assert figures["total"].median <= figures["total"].p95 <= figures["total"].p99


def test_the_summary_says_it_for_people(stage: Any) -> None:
    summary = stage.run({"front": stage.source(stage.frame() for _ in range(6))}, every=2)

    first, second = summary.lines()
    assert first.startswith("front: 3 of 6 frames processed")
    assert "every 3" in first
    assert "network" in second
