"""Two programs that call their cameras by one name, at one broker: both say so, and a receiver hears one of them."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.faults.soak.stage import RECEIVERS, Broker, Listener
from tests.faults.soak.witness import Witness

FAREWELL = [("stopped", True), ("online", False)]


@pytest.fixture
def receiver(broker: Broker, until: Any, tmp_path: Path) -> Iterator[Listener]:
    """The ready receiver, subscribed."""
    # Patient, because the machine that runs the tests also does other work.
    patient = ["--max-age-ms", "5000", "--silent-ms", "5000"]
    command = [sys.executable, str(RECEIVERS / "nasion_receiver.py"), "--port", str(broker.port), *patient]
    receiver = Listener(command, tmp_path / "receiver.log")
    until(receiver.subscribed.is_set)
    yield receiver
    if receiver.process.poll() is None:
        receiver.end(signal.SIGKILL)


def test_a_receiver_hears_one_session_and_counts_the_other_as_refused(
    program: Callable[..., Any], receiver: Listener, broker: Broker, witness: Witness, until: Any
) -> None:
    first = program(broker.url, log="first", mqtt={"max_age_ms": 5000})
    until(lambda: len(receiver.accepted) > 3)
    assert receiver.sessions == 1
    second = program(broker.url, log="second", mqtt={"max_age_ms": 5000})
    until(lambda: receiver.refused["other_session"] > 10)
    assert receiver.sessions == 1
    until(lambda: witness.statuses[-1].duplicate)
    assert second.stop() == 0
    # The farewell of the one that goes is not the last word while the other is there.
    until(lambda: [(said.process, said.duplicate) for said in witness.statuses[-2:]] == FAREWELL)
    assert first.running
    assert first.stop() == 0
    until(lambda: witness.statuses[-1].process == "stopped")
    assert receiver.end(signal.SIGINT) == 0
    assert set(receiver.refused) == {"other_session"}
    for run in (first, second):
        published = run.summary["cameras"]["cam0"]["published"]
        assert published["refused"] == published["lost"] == 0, json.dumps(published)
        assert published["duplicates"] == 1
        assert run.log.read_text().count("duplicate camera: another program") == 1
