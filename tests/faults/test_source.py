"""The camera fails, returns, is too fast, too slow or too late: what a robot hears, over a real broker."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest
from nasion.pipeline.line import SILENCE_NS

from tests.faults.soak.account import settle
from tests.faults.soak.stage import Broker
from tests.faults.soak.witness import Witness

Start = Callable[..., Any]

UNET = Path(__file__).parents[2] / "weights" / "nasion-unet.onnx"


def outcome(run: Any) -> Any:
    """What the camera came to, once the program was stopped in order."""
    assert run.stop() == 0
    return run.summary["cameras"]["cam0"]


@pytest.mark.parametrize(("loss", "first"), [("silent", "lost"), ("away", "reconnecting")])
def test_a_camera_that_is_lost_and_comes_back(
    program: Start, broker: Broker, witness: Witness, until: Any, loss: str, first: str
) -> None:
    run = program(broker.url, mqtt={"max_age_ms": 5000})
    until(lambda: len(witness.persons) > 3)
    lost_ns = run.tell(loss)
    until(lambda: witness.statuses[-1].source != "ok")
    assert next(said.source for said in witness.statuses if said.at_ns > lost_ns) == first
    # The heartbeat goes on, and says why nobody is listed.
    until(lambda: [seen.reason for seen in witness.persons if seen.at_ns > lost_ns].count("no_frame") >= 2)
    back_ns = run.tell("back")
    until(lambda: witness.statuses[-1].source == "ok")
    until(lambda: any(seen.captured_ns > back_ns and seen.reason != "no_frame" for seen in witness.persons))
    until(lambda: witness.stats is not None and (witness.stats.source.lost or witness.stats.source.reconnecting))
    assert witness.stats is not None
    assert witness.stats.source.model_dump()[first] == 1

    published = outcome(run)["published"]
    account = settle((seen.seq for seen in witness.persons), published, broker.kills)
    assert (account.unexplained, account.balanced) == (0, True)


def test_the_silence_of_a_camera_is_noticed_early_enough_to_be_told_within_a_second() -> None:
    """What `scripts/soak --scenario source` measures, without a clock: looking and sending take their time, too."""
    assert SILENCE_NS <= 900_000_000


def test_a_camera_that_is_faster_than_the_network(program: Start, broker: Broker, witness: Witness, until: Any) -> None:
    """The newest frame wins; the others are counted, and no message tells of an old one twice.

    With the largest released network, which no processor runs 30 times a second in one thread.
    """
    run = program(broker.url, view="full", mqtt={"max_age_ms": 5000}, model=str(UNET))
    until(lambda: len(witness.persons) > 5)
    camera = outcome(run)
    assert camera["drops"]["queue"] > 0
    # A frame that was cut off by the end is the only other loss.
    assert camera["frames"] == camera["processed"] + sum(camera["drops"].values())
    captured = [seen.captured_ns for seen in witness.persons]
    assert captured == sorted(set(captured))


def test_a_camera_that_is_slower_than_the_network(program: Start, broker: Broker, witness: Witness, until: Any) -> None:
    """Nothing is dropped, and a pause of less than a second is no silence."""
    run = program(broker.url, mqtt={"max_age_ms": 5000})
    until(lambda: witness.persons)
    paced_ns = run.tell("pace 0.3")
    until(lambda: len([seen for seen in witness.persons if seen.at_ns > paced_ns]) > 8)
    camera = outcome(run)
    assert not [said for said in witness.statuses if said.source != "ok"]
    assert set(camera["drops"]) <= {"queue", "unfinished"}


def test_a_camera_that_delivers_late(program: Start, broker: Broker, witness: Witness, until: Any) -> None:
    """Nothing older than max_age is sent: the robot hears no person, but how many were too old."""
    run = program(broker.url, mqtt={"max_age_ms": 2000})
    until(lambda: witness.persons)
    late_ns = run.tell("late 3000")
    until(lambda: witness.stats is not None and witness.stats.published["stale"] > 10)
    published = outcome(run)["published"]
    assert published["stale"] > 10
    assert not [seen for seen in witness.persons if seen.captured_ns + 3e9 > late_ns + 1e9 and seen.age_ms > 3000]
    assert settle((seen.seq for seen in witness.persons), published, 0).unexplained == 0


def test_frames_that_are_damaged(program: Start, broker: Broker, witness: Witness, until: Any) -> None:
    run = program(broker.url, mqtt={"max_age_ms": 5000})
    until(lambda: witness.persons)
    run.tell("corrupt 7")
    until(lambda: witness.stats is not None and witness.stats.drops["corrupt_frame"] == 7)
    after_ns = witness.persons[-1].captured_ns
    until(lambda: any(seen.captured_ns > after_ns and seen.reason != "corrupt_frame" for seen in witness.persons))
    camera = outcome(run)
    assert camera["drops"]["corrupt_frame"] == 7
    assert any(seen.reason == "corrupt_frame" for seen in witness.persons)
    assert settle((seen.seq for seen in witness.persons), camera["published"], 0).unexplained == 0
