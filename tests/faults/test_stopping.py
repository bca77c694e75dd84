"""SIGTERM or SIGHUP in any state: the program ends by itself, with 0, and the broker knows that it has."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.faults.soak.stage import ROOT, Broker, wait_for
from tests.faults.soak.witness import Witness
from tests.program import attended

#: Nothing waits so long when all is well; a busy machine may.
PATIENCE_S = 60.0

LOADING = """
import sys, time
print("loading", flush=True)
time.sleep(300)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", ["run", "record", "demo", "listen"])
def test_while_its_libraries_are_loaded(command: str, number: signal.Signals, tmp_path: Path) -> None:
    """A library that takes for ever stands in for a slow disk."""
    (tmp_path / "typer.py").write_text(LOADING)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT / 'plugins'}"}
    with attended(
        subprocess.Popen(
            [sys.executable, "-m", "nasion", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loading\n"
        process.send_signal(number)
        _, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, err) == (0, "")


def test_a_command_that_has_an_end_was_broken_off(tmp_path: Path) -> None:
    """What ends by itself has not done its work when it is stopped before."""
    (tmp_path / "typer.py").write_text(LOADING)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT / 'plugins'}"}
    with attended(
        subprocess.Popen(
            [sys.executable, "-m", "nasion", "locate", "a.jpg"], stdout=subprocess.PIPE, text=True, env=environment
        )
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == -signal.SIGTERM


def test_while_there_is_no_broker(nasion: Any, until: Any) -> None:
    run = nasion("run", "--source", "demo:", "--mqtt", "mqtt://127.0.0.1:1")
    until(lambda: "retrying" in run.said())
    assert run.end(signal.SIGTERM) == 0
    assert "frames processed" in run.said()


def test_while_something_takes_the_connection_and_says_nothing(nasion: Any, until: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        run = nasion("run", "--source", "demo:", "--mqtt", f"mqtt://127.0.0.1:{server.getsockname()[1]}")
        server.accept()
        until(lambda: run.lines)
        assert run.end(signal.SIGTERM) == 0
    assert "Traceback" not in run.said()


def test_while_the_broker_refuses_us(nasion: Any, until: Any) -> None:
    guarded = Broker(["allow_anonymous false"])
    try:
        run = nasion("run", "--source", "demo:", "--mqtt", guarded.url)
        until(lambda: "the broker refuses us" in run.said())
        assert run.end(signal.SIGTERM) == 0
    finally:
        guarded.close()


def test_while_it_runs(nasion: Any, broker: Broker, witness: Witness, until: Any) -> None:
    run = nasion("run", "--source", "demo:", "--mqtt", broker.url)
    until(lambda: witness.persons)
    assert run.end(signal.SIGTERM) == 0
    until(lambda: witness.statuses[-1].process == "stopped")


@pytest.mark.parametrize("loss", ["silent", "away"])
def test_while_the_camera_is_lost(
    program: Callable[..., Any], broker: Broker, witness: Witness, until: Any, loss: str
) -> None:
    run = program(broker.url)
    until(lambda: witness.persons)
    run.tell(loss)
    until(lambda: witness.statuses[-1].source != "ok")
    assert run.stop() == 0
    until(lambda: witness.statuses[-1].process == "stopped")


def test_after_the_broker_has_died(nasion: Any, broker: Broker, witness: Witness, until: Any) -> None:
    run = nasion("run", "--source", "demo:", "--mqtt", broker.url)
    until(lambda: witness.persons)
    broker.kill()
    until(lambda: "connection lost" in run.said())
    assert run.end(signal.SIGTERM) == 0
    broker.start()


def test_while_the_broker_stands_still(
    program: Callable[..., Any], broker: Broker, witness: Witness, until: Any
) -> None:
    """It ends without the broker, whose last word of it is then `offline`, or `stopped` where there was room for it."""
    run = program(broker.url, mqtt={"keepalive_s": 60})
    until(lambda: witness.persons)
    broker.freeze()
    # Long enough that a message is in flight, whose acknowledgement does not come.
    time.sleep(1.0)
    assert run.stop() == 0
    broker.thaw()
    # The broker has all it will ever get; it had only to read it.
    wait_for(lambda: witness.statuses[-1].process in ("stopped", "offline"), "the last word", 10.0)
