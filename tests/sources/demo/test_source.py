"""The demo as a source: a camera's pace when live, every frame and the same ones when not."""

import numpy as np
import pytest
from nasion.settings import DepthSettings
from nasion.sources.demo.source import DemoSource
from nasion.sources.demo.walk import CYCLE_FRAMES
from nasion.sources.frame import End, Frame


def opened(clock, paced: bool, **how) -> DemoSource:  # type: ignore[no-untyped-def]
    return DemoSource("demo:", 720, DepthSettings(), clock, paced, **how)


def test_every_frame_is_given_with_the_time_it_belongs_to(clock) -> None:  # type: ignore[no-untyped-def]
    source = opened(clock, paced=False, frames=4)
    assert (source.live, source.fps) == (False, 30)
    for index in range(4):
        clock.turn(1.0)
        frame = source.read()
        assert isinstance(frame, Frame)
        assert frame.recorded_ns == round(index * 1e9 / 30)
        assert frame.stamp.monotonic_ns == clock.monotonic_ns()
        assert frame.stamp.utc_ns == clock.utc_ns()
        assert np.array_equal(frame.picture, source.scene.render(index)[0])
        truth = source.scene.truth(index)
        assert truth is not None
        assert float(np.median(frame.depth.patch(truth.u, truth.v, 5))) == pytest.approx(truth.xyz[2], rel=0.01)
    assert source.read() == End()
    assert clock.slept == []


def test_live_it_waits_for_each_frames_time(clock) -> None:  # type: ignore[no-untyped-def]
    source = opened(clock, paced=True)
    assert source.live is True
    began = clock.monotonic_ns()
    for index in range(4):
        frame = source.read()
        assert isinstance(frame, Frame)
        assert frame.recorded_ns is None
        assert frame.stamp.monotonic_ns - began == pytest.approx(index * 1e9 / 30, abs=1000)
        assert np.array_equal(frame.picture, source.scene.render(index)[0])


def test_live_frames_nobody_asked_for_are_lost_as_a_cameras_are(clock) -> None:  # type: ignore[no-untyped-def]
    source = opened(clock, paced=True)
    source.read()
    clock.turn(1.01)
    frame = source.read()
    assert isinstance(frame, Frame)
    assert np.array_equal(frame.picture, source.scene.render(30)[0])


@pytest.mark.parametrize("frames", [None, 3 * CYCLE_FRAMES])
def test_without_loop_it_ends_after_one_walk(clock, frames) -> None:  # type: ignore[no-untyped-def]
    source = opened(clock, paced=True, loop=False, frames=frames)
    source.read()
    clock.turn((CYCLE_FRAMES - 0.5) / 30)
    assert isinstance(source.read(), Frame)
    assert source.read() == End()


def test_it_goes_on_for_ever_else(clock) -> None:  # type: ignore[no-untyped-def]
    source = opened(clock, paced=True)
    source.read()
    clock.turn(3600)
    assert isinstance(source.read(), Frame)


def test_closed_it_gives_no_frame(clock) -> None:  # type: ignore[no-untyped-def]
    source = opened(clock, paced=False)
    source.close()
    source.close()
    assert source.read() == End()
