"""Several batches of two cameras in flight, dropped, doubled and out of order: each result is of its own frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Set, Tuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nasion.pipeline.summary import RunSummary
from nasion.sources.frame import Grab

from tests.doubles import nv_double
from tests.pipeline.conftest import Stage

FRAMES = 10
#: Where a camera's dot is, and how far away it is at first.
CAMERAS = {"front": (50.0, 1.0), "rear": (120.0, 4.0)}
NAMES = list(CAMERAS)
#: GST_CLOCK_TIME_NONE, as a PTS that nobody has set.
NONE = 2**64 - 1
Marks = Set[Tuple[int, int]]
MARKS = st.sets(st.tuples(st.integers(0, 1), st.integers(0, FRAMES - 1)), max_size=4)
BATCHES = st.sets(st.integers(0, FRAMES - 1), max_size=3)


def grab(stage: Stage, name: str, number: int) -> Grab:
    v, first_m = CAMERAS[name]
    return stage.frame(stage.dot(20.0 + 5 * number, v), first_m + 0.05 * number, number)


def run(stage: Stage, names: list[str] = NAMES, **more: Any) -> RunSummary:
    stage.messages.clear()
    return stage.run(
        {name: stage.source([grab(stage, name, number) for number in range(FRAMES)]) for name in names},
        engine="deepstream",
        jump={"mode": "off"},
        **more,
    )


def found(stage: Stage) -> Marks:
    """The frames with a person, each with the place and the depth of that very frame of that very camera."""
    seen = []
    for message in stage.messages:
        number, (v, first_m) = int(message.recorded_ns or 0), CAMERAS[message.camera]
        for person in message.persons:
            assert person.pixel == pytest.approx((20.0 + 5 * number, v), abs=0.5)
            assert person.depth_m == pytest.approx(first_m + 0.05 * number)
            seen.append((NAMES.index(message.camera), number))
    assert len(seen) == len(set(seen)), "a frame was answered twice"
    for name in NAMES:
        numbers = [message.seq for message in stage.of(name)]
        assert numbers == sorted(set(numbers))
    return set(seen)


def check_account(stage: Stage, summary: RunSummary) -> Marks:
    """Nothing is forgotten: each frame was answered or is counted as lost."""
    seen = found(stage)
    for name, camera in summary.cameras.items():
        pad = NAMES.index(name)
        assert camera.frames == FRAMES
        assert camera.processed == len([mark for mark in seen if mark[0] == pad])
        assert camera.processed + camera.drops.get("lost", 0) == FRAMES
        assert set(camera.drops) <= {"lost", "unknown"}
    return seen


def unknown(summary: RunSummary) -> list[int]:
    return [camera.drops.get("unknown", 0) for camera in summary.cameras.values()]


# Each run leaves some 40 MB in this process: GStreamer never lets go of elements written in Python, as the doubles are.
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    dropped=MARKS,
    twice=MARKS,
    foreign=st.dictionaries(
        st.tuples(st.integers(0, 1), st.integers(0, FRAMES - 1)), st.sampled_from([NONE, FRAMES, 10**15]), max_size=4
    ),
    swallowed=BATCHES,
    held=BATCHES,
)
def test_each_result_is_of_its_own_frame_or_counted(
    stage: Stage,
    device: nv_double.Reality,
    dropped: Marks,
    twice: Marks,
    foreign: dict[tuple[int, int], int],
    swallowed: set[int],
    held: set[int],
) -> None:
    came: list[tuple[int, int]] = []

    def foreign_pts(pad: int, number: int, pts: int) -> int:
        """All that comes out of nvinfer passes here."""
        came.append((pad, number))
        # The frames were taken before the run began: both cameras count from 0, and only the pad tells them apart.
        assert pts == number
        return foreign.get((pad, number), pts)

    device.dropped_by_mux = lambda pad, number: (pad, number) in dropped
    device.twice = lambda pad, number: (pad, number) in twice
    device.foreign_pts = foreign_pts
    device.swallowed = lambda batch: batch in swallowed
    device.held = lambda batch: batch in held

    summary = run(stage)

    seen = check_account(stage, summary)
    assert seen <= set(came) - set(foreign) - dropped
    if not held:
        assert seen == set(came) - set(foreign)
    for pad in (0, 1):
        copies = [mark for mark in came if mark[0] == pad]
        strays = len([mark for mark in copies if mark in foreign]) + len(
            [mark for mark in set(copies) if mark not in foreign and copies.count(mark) > 1]
        )
        assert unknown(summary)[pad] == strays


@pytest.mark.parametrize("pts", [NONE, 10**15, 1])
def test_a_pts_that_nobody_knows_loses_no_other_frame(stage: Stage, device: nv_double.Reality, pts: int) -> None:
    device.foreign_pts = lambda pad, number, own: pts if (pad, number) == (0, 4) else own

    summary = run(stage)

    assert (0, 4) not in check_account(stage, summary)
    assert summary.cameras["front"].drops == {"lost": 1, "unknown": 1}
    assert summary.cameras["rear"].drops == {}


def test_a_batch_that_is_overtaken_is_lost_and_not_taken_for_the_next(stage: Stage, device: nv_double.Reality) -> None:
    device.held = lambda batch: batch == 3

    summary = run(stage, ["front"])

    assert check_account(stage, summary) == {(0, number) for number in range(FRAMES) if number != 3}
    assert summary.cameras["front"].drops == {"lost": 1}


def test_a_buffer_that_is_lost_between_nvinfer_and_the_results_shifts_no_other(
    stage: Stage, device: nv_double.Reality, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pairs go by order, every later frame would get the heat map of the one before."""
    from nasion.deepstream import graph

    lost: list[tuple[int, int]] = []
    own = graph.DeepStreamGraph._take_heat

    def take_heat(self: Any, buffer: Any) -> Any:
        own(self, buffer)
        taken.append(buffer.pts)
        if len(taken) == 3:
            lost.extend(self._reader.frames(buffer))
        return len(taken) != 3

    taken: list[int] = []
    monkeypatch.setattr(graph.DeepStreamGraph, "_take_heat", take_heat)

    summary = run(stage)

    assert lost
    assert len(check_account(stage, summary)) == 2 * FRAMES - len(lost)
    for pad, name in enumerate(NAMES):
        assert summary.cameras[name].drops.get("lost", 0) == len([mark for mark in lost if mark[0] == pad])
    assert unknown(summary) == [0, 0]
    assert device.batches.undefined == []


def test_several_batches_are_in_flight_while_a_result_is_slow(stage: Stage, device: nv_double.Reality) -> None:
    """The probes of four threads run at once; the pool of the mux bounds how far ahead they get."""

    def on_message(message: Any) -> None:
        stage.messages.append(message)
        # The first result is held up until two more batches are in nvinfer; for ever where they do not come.
        while device.most_in_flight < 2:
            stage.clock.sleep(0.001)

    summary = run(stage, on_message=on_message)

    assert len(check_account(stage, summary)) == 2 * FRAMES
    assert 2 <= device.most_in_flight <= 4


@pytest.mark.parametrize("every", [3, 7])
def test_live_with_drops_in_every_place_pairs_nothing_wrongly(
    stage: Stage, device: nv_double.Reality, every: int
) -> None:
    device.dropped_by_mux = lambda pad, number: number % every == pad
    device.twice = lambda pad, number: number % every == 1 + pad
    device.held = lambda batch: batch % 5 == 2

    def grabs(name: str) -> Iterator[Grab]:
        for number in range(40):
            stage.clock.sleep(0.002)
            yield grab(stage, name, number)

    summary = stage.run(
        {name: stage.source(grabs(name), live=True) for name in NAMES}, engine="deepstream", jump={"mode": "off"}
    )

    seen = found(stage)
    for pad, name in enumerate(NAMES):
        camera = summary.cameras[name]
        assert camera.processed == len([mark for mark in seen if mark[0] == pad])
        gone = sum(count for cause, count in camera.drops.items() if cause != "unknown")
        assert camera.processed + gone == camera.frames == 40
