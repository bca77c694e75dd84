"""Two programs that call their cameras by one name, at one broker: both are heard and say so, each listener sees it."""

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
    command = [sys.executable, str(RECEIVERS / "nasion_receiver.py"), "--port", str(broker.port)]
    receiver = Listener(command, tmp_path / "receiver.log")
    until(receiver.subscribed.is_set)
    yield receiver
    if receiver.process.poll() is None:
        receiver.end(signal.SIGKILL)


def test_the_sessions_take_turns_and_the_receivers_count_them(
    program: Callable[..., Any], receiver: Listener, broker: Broker, witness: Witness, until: Any
) -> None:
    first = program(broker.url, log="first", mqtt={"max_age_ms": 5000})
    until(lambda: len(receiver.accepted) > 3)
    assert receiver.sessions == 1
    second = program(broker.url, log="second", mqtt={"max_age_ms": 5000})
    # Each change from one to the other counts as a restart of the publisher: no camera restarts so often.
    until(lambda: receiver.sessions > 10)
    until(lambda: witness.statuses[-1].duplicate)
    assert second.stop() == 0
    # The farewell of the one that goes is not the last word while the other is there.
    until(lambda: [(said.process, said.duplicate) for said in witness.statuses[-2:]] == FAREWELL)
    assert first.running
    assert first.stop() == 0
    until(lambda: witness.statuses[-1].process == "stopped")
    assert receiver.end(signal.SIGINT) == 0
    assert not {"stale", "malformed"} & set(receiver.refused)
    for run in (first, second):
        published = run.summary["cameras"]["cam0"]["published"]
        assert published["refused"] == published["lost"] == 0, json.dumps(published)
        assert published["duplicates"] == 1
        assert run.log.read_text().count("duplicate camera: another program") == 1
