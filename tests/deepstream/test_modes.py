"""Every frame, or the newest: what DeepStream's queues must not change.

Pictures that stay the same are no camera that froze here: ``frozen_ms`` is off where a busy machine may take long.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from nasion.core.results import FrameReason
from nasion.sources.frame import Grab

from tests.doubles import nv_double
from tests.pipeline.conftest import Stage


def test_every_frame_is_processed_in_order(stage: Stage, device: nv_double.Reality) -> None:
    assert device.faults == []
    grabs = [stage.frame(stage.dot(u=20.0 + 5 * number)) for number in range(50)]

    summary = stage.run({"cam0": stage.source(grabs)}, engine="deepstream")

    assert [message.seq for message in stage.messages] == list(range(50))
    found = [message.persons[0].pixel[0] for message in stage.messages]
    assert found == pytest.approx([20.0 + 5 * number for number in range(50)], abs=0.5)
    camera = summary.cameras["cam0"]
    assert (camera.frames, camera.processed, camera.drops) == (50, 50, {})


@pytest.mark.parametrize("live", [False, True])
def test_no_buffer_is_kept(stage: Stage, device: nv_double.Reality, live: bool) -> None:
    """On a device the pools of mux and nvinfer would run dry."""
    most = 0

    def on_message(_message: Any) -> None:
        nonlocal most
        most = max(most, len(device.surfaces))

    grabs = (stage.frame() for _ in range(60))
    stage.run({"cam0": stage.source(grabs, live=live)}, engine="deepstream", on_message=on_message, frozen_ms=0)

    gc.collect()
    assert device.surfaces == {}
    assert 1 <= most <= 10


def test_live_takes_the_newest_however_much_fits_into_deepstream(stage: Stage, device: nv_double.Reality) -> None:
    """While the network has one frame, 30 more come: one of them is ready inside, the next one taken is the newest."""
    inferring, all_shown = threading.Event(), threading.Event()

    def hold() -> None:
        inferring.set()
        assert all_shown.wait(60)

    def grabs() -> Iterator[Grab]:
        yield stage.frame(stage.dot(u=20.0))
        assert inferring.wait(60)
        for number in range(30):
            yield stage.frame(stage.dot(u=40.0 + 5 * number))
        all_shown.set()

    device.before_inference = hold
    summary = stage.run({"cam0": stage.source(grabs(), live=True)}, engine="deepstream")

    camera = summary.cameras["cam0"]
    # A busy machine may have called the waiting camera silent meanwhile.
    searched = [message for message in stage.messages if message.reason is not FrameReason.NO_FRAME]
    assert searched[-1].persons[0].pixel[0] == pytest.approx(40.0 + 5 * 29, abs=0.5)
    assert len(searched) == camera.processed <= 4
    assert camera.drops == {"queue": 31 - camera.processed}
    assert all(person.valid for message in searched for person in message.persons)


@pytest.mark.parametrize("live", [False, True])
def test_a_run_ends_after_so_many_frames(stage: Stage, device: nv_double.Reality, live: bool) -> None:
    assert device.faults == []

    def endless() -> Iterator[Grab]:
        while True:
            stage.clock.sleep(0.002)
            yield stage.frame()

    summary = stage.run({"cam0": stage.source(endless(), live=live)}, engine="deepstream", frames=7, frozen_ms=0)

    assert [message.seq for message in stage.messages] == list(range(7))
    camera = summary.cameras["cam0"]
    assert camera.frames == camera.processed + sum(camera.drops.values())


@pytest.mark.parametrize("live", [False, True])
def test_a_run_of_two_cameras_ends_when_it_is_asked_to(stage: Stage, device: nv_double.Reality, live: bool) -> None:
    assert device.faults == []

    def on_message(message: Any) -> None:
        stage.messages.append(message)
        if len(stage.messages) == 20:
            stage.stop.set()

    def endless() -> Iterator[Grab]:
        while True:
            stage.clock.sleep(0.002)
            yield stage.frame()

    summary = stage.run(
        {name: stage.source(endless(), live=live) for name in ("front", "rear")},
        engine="deepstream",
        frozen_ms=0,
        on_message=on_message,
    )

    for name, camera in summary.cameras.items():
        assert len(stage.of(name)) == camera.processed == camera.frames - sum(camera.drops.values())
        assert "unfinished" not in camera.drops or not live


def test_one_camera_that_ends_early_leaves_the_other_going(stage: Stage, device: nv_double.Reality) -> None:
    """A batch that will not get full is pushed after one frame time."""
    stage.run(
        {"short": stage.source([stage.frame()]), "long": stage.source(stage.frame() for _ in range(20))},
        engine="deepstream",
        frozen_ms=0,
    )

    assert (len(stage.of("short")), len(stage.of("long"))) == (1, 20)
    assert set(device.batch_sizes) <= {1, 2}


def test_a_silent_camera_does_not_hold_up_the_other(stage: Stage, device: nv_double.Reality) -> None:
    """The next frame comes only when the one before was published: no second one can fill the batch."""
    assert device.faults == []
    published, over = threading.Semaphore(0), threading.Event()

    def on_message(message: Any) -> None:
        if message.camera == "speaking" and message.persons:
            published.release()

    def speaking() -> Iterator[Grab]:
        for _ in range(5):
            yield stage.frame()
            assert published.acquire(timeout=30)
        over.set()

    def silent() -> Iterator[Grab]:
        assert over.wait(120)
        yield from ()

    summary = stage.run(
        {"speaking": stage.source(speaking(), live=True), "silent": stage.source(silent(), live=True)},
        engine="deepstream",
        frozen_ms=0,
        on_message=on_message,
    )

    assert summary.cameras["speaking"].processed == 5


def test_the_stages_of_the_latency_are_those_of_the_other_engine_and_add_up(
    stage: Stage, device: nv_double.Reality
) -> None:
    assert device.faults == []
    stage.run({"cam0": stage.source(stage.frame() for _ in range(5))}, engine="deepstream")

    for message in stage.messages:
        latency = dict(message.latency_ms)
        total = latency.pop("total")
        assert list(latency) == ["receive", "wait", "preprocess", "network", "locate", "range"]
        assert sum(latency.values()) == pytest.approx(total)
        assert all(spent >= 0 for spent in latency.values())
