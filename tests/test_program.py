"""What tests rely on: a test that fails says so, and leaves nothing behind."""

import signal
import socket
import subprocess
import threading

import pytest
from nasion.mqtt.broker import PrivateBroker

from tests.program import attended, line_with


def test_a_process_whose_test_fails_is_killed_and_the_failure_told() -> None:
    threads = threading.active_count()
    with pytest.raises(AssertionError, match="why"), attended(subprocess.Popen(["sleep", "1000"])) as process:
        raise AssertionError("why")
    assert process.returncode == -signal.SIGKILL
    assert threading.active_count() == threads


def test_a_process_that_never_ends_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.program._PATIENCE_S", 0.1)
    with attended(subprocess.Popen(["sleep", "1000"])) as process:
        pass
    assert process.returncode == -signal.SIGKILL


def test_a_line_that_never_comes_is_told_with_those_that_did() -> None:
    with attended(subprocess.Popen(["printf", "one\ntwo\n"], stdout=subprocess.PIPE, text=True)) as process:
        assert line_with(process.stdout, "^o(.*)")[1] == "ne"
        with pytest.raises(AssertionError, match=r"no line with three in .*two"):
            line_with(process.stdout, "three")


def test_a_kept_port_is_for_the_tests_own_brokers(kept_port: int) -> None:
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", kept_port))
        with PrivateBroker(kept_port):
            socket.create_connection(("127.0.0.1", kept_port)).close()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", kept_port))
