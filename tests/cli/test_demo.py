"""`nasion demo` as a newcomer meets it: one process, a real broker of its own, a person located in metres."""

import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from nasion.cli.main import main
from nasion.messages import PersonMessage, StatusMessage
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.program import attended, line_with

DEMO = [sys.executable, "-m", "nasion", "demo"]
#: Nothing waits this long when all is well.
PATIENCE_S = 120.0


def listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


class Subscriber:
    """Somebody who looks on from elsewhere while the demo runs."""

    def __init__(self, port: int) -> None:
        self.statuses: List[StatusMessage] = []
        self.persons: List[PersonMessage] = []
        self.stopped = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe("nasion/#")
        self._client.on_message = self._note
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _note(self, _client: Client, _data: Any, arrived: Any) -> None:
        if arrived.topic == "nasion/cam0/status":
            self.statuses.append(StatusMessage.model_validate_json(arrived.payload, strict=True))
            if self.statuses[-1].process == "stopped":
                self.stopped.set()
        elif arrived.topic == "nasion/cam0/person":
            self.persons.append(PersonMessage.model_validate_json(arrived.payload, strict=True))

    def end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def test_from_the_scene_over_the_broker_to_json(tmp_path: Path) -> None:
    with attended(
        subprocess.Popen(
            [*DEMO, "--seconds", "4", "--json"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    ) as process:
        assert process.stderr is not None
        port = int(line_with(process.stderr, r"listen --mqtt mqtt://127\.0\.0\.1:(\d+)")[1])
        subscriber = Subscriber(port)
        written, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said
    messages = [PersonMessage.model_validate_json(line, strict=True) for line in written.splitlines()]
    assert [message.seq for message in messages] == list(range(len(messages)))
    assert messages
    assert {message.camera for message in messages} == {"cam0"}
    # What came over the broker is part of what was written, and ends with the publisher's last word.
    assert subscriber.stopped.wait(PATIENCE_S)
    subscriber.end()
    assert subscriber.statuses[0].process == "online"
    unstamped = [message.model_copy(update={"published_at": 0.0}) for message in messages]
    assert all(message.model_copy(update={"published_at": 0.0}) in unstamped for message in subscriber.persons)
    assert re.search(rf"a position in \d+ of {len(messages)} frames", said)
    assert "Traceback" not in said
    assert not listening(port)


def test_without_an_end_ctrl_c_ends_it_in_order(tmp_path: Path) -> None:
    with attended(
        subprocess.Popen([*DEMO, "--json"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        port = int(line_with(process.stderr, r"listen --mqtt mqtt://127\.0\.0\.1:(\d+)")[1])
        line_with(process.stdout, "captured_ns")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said
    assert "a position in" in said
    assert "Traceback" not in said
    assert not listening(port)


def test_a_live_screen_on_a_terminal_and_what_is_told_in_a_file(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    environment: Dict[str, str] = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "50"}
    wanted = ["arrived over mqtt://127.0.0.1:", "from above", "online", "▲"]
    told = tmp_path / "told"
    with told.open("w") as file, attended(
        subprocess.Popen(DEMO, cwd=tmp_path, stdin=slave, stdout=slave, stderr=file, env=environment)
    ) as process:
        os.close(slave)
        drawn = read_until(master, lambda drawn: all(text in drawn for text in wanted))
        process.send_signal(signal.SIGINT)
        # The end of the screen; whoever wrote there would have to be read.
        drawn += read_until(master, lambda _: process.poll() is not None)
        os.close(master)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
    assert process.returncode == 0, drawn
    assert [text for text in wanted if text not in drawn] == []
    lines = told.read_text().splitlines()
    assert [line for line in lines if not line.startswith("nasion: ")] == []
    assert any("model: nasion-lite" in line for line in lines)
    assert "next: " in lines[-1]
    assert "model: " not in drawn


def read_until(descriptor: int, enough: Callable[[str], bool]) -> str:
    drawn = b""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and not enough(drawn.decode(errors="replace")):
        if select.select([descriptor], [], [], 0.1)[0]:
            try:
                drawn += os.read(descriptor, 65536)
            except OSError:  # The other side was closed.
                break
    return drawn.decode(errors="replace")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--view", "wide"], "--view"),
        (["--seconds", "0"], "--seconds"),
        (["--source", "nowhere/at/all"], "nowhere/at/all"),
        (["--source", "demo:?size=3"], "size"),
    ],
)
def test_bad_usage_is_one_clear_line_and_code_2(
    arguments: List[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["nasion", "demo", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert said in err.splitlines()[-1]
    assert out == ""


def test_without_mosquitto_it_says_how_to_get_it_and_ends_with_code_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("nasion.mqtt.broker.SYSTEM_FOLDERS", str(tmp_path))
    monkeypatch.setattr("sys.argv", ["nasion", "demo"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 3
    assert "apt-get install --no-install-recommends mosquitto" in capsys.readouterr().err
