"""The demo's own broker: there when wanted, gone afterwards."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable, Type

import pytest
from nasion.errors import DependencyError, NasionError
from nasion.mqtt import broker as module
from nasion.mqtt.broker import PrivateBroker

from tests.program import attended


def listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_answers_within_its_context_and_is_gone_afterwards() -> None:
    with PrivateBroker() as broker:
        pid, port = broker.pid, broker.port
        assert broker.url == f"mqtt://127.0.0.1:{port}"
        assert listening(port)
    assert not alive(pid)
    assert not listening(port)


def test_two_at_once_do_not_collide() -> None:
    with PrivateBroker() as one, PrivateBroker() as other:
        assert one.port != other.port


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_it_ends_however_its_context_ends(end: Type[BaseException]) -> None:
    pids = []

    def use() -> None:
        with PrivateBroker() as broker:
            pids.append(broker.pid)
            raise end

    with pytest.raises(end):
        use()
    assert not alive(pids[0])


def test_it_ends_even_when_it_hangs() -> None:
    with PrivateBroker() as broker:
        pid = broker.pid
        subprocess.run(["kill", "-STOP", str(pid)], check=True)
    assert not alive(pid)


def test_it_does_not_outlive_us_when_we_are_killed(tmp_path: Path, until: Callable[..., None]) -> None:
    program = (
        "import time; from nasion.mqtt.broker import PrivateBroker\n"
        "with PrivateBroker() as broker: print(broker.pid, flush=True); time.sleep(60)"
    )
    with attended(subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, stdout=subprocess.PIPE)) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert alive(pid)
        process.kill()
    until(lambda: not alive(pid))


def test_it_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with PrivateBroker():
        assert list(tmp_path.iterdir())
    assert not list(tmp_path.iterdir())


def test_it_is_not_reached_by_ctrl_c_in_our_terminal() -> None:
    with PrivateBroker() as broker:
        assert os.getpgid(broker.pid) != os.getpgid(0)


def test_without_mosquitto_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(module, "SYSTEM_FOLDERS", str(tmp_path))
    with pytest.raises(DependencyError, match="apt-get install --no-install-recommends mosquitto"):
        PrivateBroker()


def test_a_port_that_is_taken_is_a_failure_with_mosquittos_own_words() -> None:
    with PrivateBroker() as first, pytest.raises(NasionError, match="Address already in use"):
        PrivateBroker(first.port).__enter__()


def test_a_bad_option_is_a_failure_with_mosquittos_own_words() -> None:
    with pytest.raises(NasionError, match="Unknown configuration variable"):
        PrivateBroker(options=["nonsense 1"]).__enter__()
