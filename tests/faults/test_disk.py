"""A disk that is full while the annotated video or the recording is written: the run goes on, and its end says so."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.soak.stage import Broker
from tests.faults.soak.witness import Witness


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize(
    ("command", "flag", "file", "said"),
    [
        ("run", "--save", "walk.avi", "the video broke off"),
        ("record", "--out", "walk.mcap", "No space left on device"),
    ],
)
def test_messages_flow_on_and_the_exit_code_tells(
    nasion: Any,
    broker: Broker,
    witness: Witness,
    until: Any,
    small_disk: Path,
    command: str,
    flag: str,
    file: str,
    said: str,
) -> None:
    run = nasion(command, "--source", "demo:", "--mqtt", broker.url, flag, small_disk / file)
    # A recording that has stopped gives a little of its room back.
    until(lambda: os.statvfs(small_disk).f_bfree == 0 or "recording stopped" in run.said())
    full = len(witness.persons)
    until(lambda: len(witness.persons) > full + 10)
    assert run.end(signal.SIGTERM) == 1
    until(lambda: witness.statuses[-1].process == "stopped")
    assert "Traceback" not in run.said()
    assert said in run.said()
