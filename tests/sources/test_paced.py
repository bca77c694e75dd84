"""A recording played at its own pace, as if it were a camera."""

from typing import Any, List, Optional

import numpy as np
import pytest
from nasion.core.calibration import Calibration, Intrinsics
from nasion.settings import DepthSettings
from nasion.sources.depth_map import DepthMap
from nasion.sources.frame import CorruptFrame, End, Frame, Grab, Stamp
from nasion.sources.paced import PacedSource

CALIBRATION = Calibration(Intrinsics(4, 4, 4.0, 4.0, 2.0, 2.0), 0.12)
LONG_AGO = Stamp(1, 1)


class Recording:
    """Gives what it was made with."""

    live = False
    uri = "rgbd:walk"
    fps = 30.0
    calibration = CALIBRATION
    closed = 0

    def __init__(self, grabs: List[Grab]) -> None:
        self._grabs = grabs

    def read(self) -> Grab:
        return self._grabs.pop(0)

    def close(self) -> None:
        self.closed += 1


def frame(recorded_ns: Optional[int]) -> Frame:
    depth = DepthMap(np.ones((4, 4), np.float32), DepthSettings())
    return Frame(np.zeros((4, 4, 3), np.uint8), depth, CALIBRATION, LONG_AGO, recorded_ns)


def test_each_frame_comes_when_its_time_has_come(clock: Any) -> None:
    begin = 1_600_000_000_000_000_000
    recording = Recording(
        [frame(begin), frame(begin + 40_000_000), CorruptFrame(LONG_AGO, "cut", begin + 90_000_000), End("cut off")]
    )
    source = PacedSource(recording, clock)
    assert (source.live, source.uri, source.fps, source.calibration) == (True, "rgbd:walk", 30.0, CALIBRATION)
    began = clock.monotonic_ns()
    grabs = [source.read() for _ in range(4)]
    stamps = [grab.stamp.monotonic_ns - began for grab in grabs if not isinstance(grab, End)]
    assert stamps == pytest.approx([0, 40_000_000, 90_000_000], abs=1000)
    assert isinstance(grabs[1], Frame)
    assert grabs[1].recorded_ns == begin + 40_000_000
    assert isinstance(grabs[2], CorruptFrame)
    assert grabs[2].why == "cut"
    assert grabs[3] == End("cut off")


def test_a_frame_whose_time_has_passed_comes_at_once(clock: Any) -> None:
    source = PacedSource(Recording([frame(0), frame(40_000_000)]), clock)
    source.read()
    clock.turn(1.0)
    before = clock.monotonic_ns()
    source.read()
    assert clock.monotonic_ns() == before


def test_closing_closes_the_recording(clock: Any) -> None:
    recording = Recording([])
    PacedSource(recording, clock).close()
    assert recording.closed == 1
