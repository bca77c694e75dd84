"""A camera that hangs gives its last picture on and on, under living times: no position may come of it."""

from typing import Iterator, List, Tuple

import numpy as np
import pytest
from nasion.core.results import FrameReason
from nasion.sources.frame import Grab

from tests.pipeline.conftest import Stage

MS = 1_000_000


def reasons(stage: Stage) -> List[Tuple[str, bool]]:
    return [(message.reason.value if message.reason else "", bool(message.persons)) for message in stage.messages]


def frames(stage: Stage, pictures: List[int], period_ms: int = 100) -> Iterator[Grab]:
    """One for each number: the same number, the same picture. Their times are a recording's."""
    for n, number in enumerate(pictures):
        yield stage.frame(stage.dot(u=120.0 + number), recorded_ns=n * period_ms * MS)


def test_positions_end_after_the_limit_and_come_back_with_the_next_picture(stage: Stage) -> None:
    summary = stage.run({"cam0": stage.source(frames(stage, [1, 2, *[3] * 9, 4, 5]), live=True)}, mode="every-frame")
    # The third picture is new at 200 ms; at 800 ms it has stood still for more than 500 ms.
    assert reasons(stage) == [*[("", True)] * 8, *[("frozen", False)] * 3, *[("", True)] * 2]
    camera = summary.cameras["cam0"]
    assert camera.drops["frozen"] == 3
    assert (camera.frames, camera.processed) == (13, 10)


@pytest.mark.parametrize(("limit_ms", "frozen"), [(100, 9), (1000, 0), (0, 0)])
def test_the_limit_can_be_set(stage: Stage, limit_ms: float, frozen: int) -> None:
    stage.run({"cam0": stage.source(frames(stage, [1] * 11), live=True)}, mode="every-frame", frozen_ms=limit_ms)
    assert [reason for reason, _ in reasons(stage)].count("frozen") == frozen


def test_a_live_camera_that_hangs_is_told_once_and_once_when_it_lives(stage: Stage) -> None:
    def grabs() -> Iterator[Grab]:
        while not any("new pictures" in event for event in stage.events):
            still = not any("repeats" in event for event in stage.events)
            yield stage.frame(stage.dot(u=100.0 + (0 if still else len(stage.messages) % 100)))
            stage.clock.sleep(0.02)

    stage.run({"cam0": stage.source(grabs(), live=True)}, frozen_ms=100)
    told = [event for event in stage.events if "the source" in event]
    assert [("repeats its picture" in event, "new pictures again" in event) for event in told] == [
        (True, False),
        (False, True),
    ]
    assert stage.messages[-1].reason is not FrameReason.FROZEN


def test_noise_is_life(stage: Stage) -> None:
    """A still scene before a real sensor: one bit differs somewhere."""

    def grabs() -> Iterator[Grab]:
        for n in range(20):
            picture = stage.dot()
            picture[n, n, 0] ^= np.uint8(1)
            yield stage.frame(picture, recorded_ns=n * 100 * MS)

    summary = stage.run({"cam0": stage.source(grabs(), live=True)}, mode="every-frame")
    assert "frozen" not in summary.cameras["cam0"].drops
    assert summary.cameras["cam0"].processed == 20


def test_a_recording_may_stand_still(stage: Stage) -> None:
    summary = stage.run({"cam0": stage.source(frames(stage, [1] * 30))})
    assert "frozen" not in summary.cameras["cam0"].drops
    assert summary.cameras["cam0"].processed == 30
