"""`nasion listen` as a person or a script uses it: a real broker, and a process where signals and terminals count."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, ContextManager, Dict, Iterator, List, Optional, Tuple

import pytest
from nasion.cli.listen import client_id, outcome
from nasion.cli.main import main
from nasion.messages import PersonEntry, PersonMessage, StatusMessage
from nasion.mqtt.boot import read_boot_id
from nasion.mqtt.broker import PrivateBroker
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.program import attended, line_with

#: Patient, because the machine that runs the tests also does other work.
PATIENT = ["--max-age-ms", "2000"]
LISTEN = [sys.executable, "-m", "nasion", "listen", *PATIENT]
#: Nothing waits this long when all is well.
PATIENCE_S = 30.0


def person(valid: bool = True) -> PersonEntry:
    return PersonEntry.model_validate(
        {
            "track_id": 1,
            "probability": 0.93,
            "pixel": [700.0, 350.0],
            "bearing_rad": [0.0796, -0.0398],
            "valid": valid,
            "reason": None if valid else "too_near",
            "depth_m": 1.5 if valid else None,
            "range_m": 1.506 if valid else None,
            "position_m": [0.12, 0.06, 1.5] if valid else None,
            "covariance_m2": [1e-4, 0.0, 0.0, 0.0, 1e-4, 0.0, 0.0, 0.0, 4e-4] if valid else None,
            "depth": {"value": 1.5, "count": 25, "of": 25, "spread": 0.003},
        }
    )


def message(seq: int, *, camera: str = "cam0", ago_s: float = 0.0, persons: Optional[List[PersonEntry]] = None) -> str:
    captured_ns = time.time_ns() - int(ago_s * 1e9)
    listed = [person()] if persons is None else persons
    return PersonMessage.model_validate(
        {
            "session": "s1",
            "seq": seq,
            "camera": camera,
            "frame_id": f"{camera}_left_camera_optical_frame",
            "captured_at": captured_ns / 1e9,
            "captured_ns": str(captured_ns),
            "monotonic_ns": str(time.monotonic_ns() - int(ago_s * 1e9)),
            "boot_id": read_boot_id(),
            "published_at": time.time(),
            "max_age_ms": 2000.0,
            "persons": listed,
            "reason": None if listed else "no_face",
            "latency_ms": {"total": 9.0},
        }
    ).to_json()


class Cameras:
    """Context manager: publishes what it is told, ten times a second, until the test has what it wants or fails."""

    def __init__(self, port: int) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._ending = threading.Event()
        self._threads: List[threading.Thread] = []

    def status(self, camera: str, **changed: Any) -> None:
        fields = {"session": "s1", "camera": camera, "process": "online", "source": "ok", "at": 0.0, **changed}
        self._client.publish(
            f"nasion/{camera}/status", StatusMessage.model_validate(fields).to_json(), qos=1, retain=True
        ).wait_for_publish(PATIENCE_S)

    def film(self, camera: str = "cam0", **how: Any) -> None:
        def run() -> None:
            seq = 0
            while not self._ending.wait(0.1):
                self._client.publish(f"nasion/{camera}/person", message(seq, camera=camera, **how))
                seq += 1

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()

    def __enter__(self) -> "Cameras":
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def cameras(broker: PrivateBroker) -> Iterator[Cameras]:
    with Cameras(broker.port) as cameras:
        yield cameras


@dataclass(frozen=True)
class Ended:
    code: int
    stdout: str
    stderr: str


@pytest.fixture
def listen(
    broker: PrivateBroker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """``listen(...)``: the ended command, with what it wrote."""

    def listen(*arguments: str) -> Ended:
        monkeypatch.setattr("sys.argv", ["nasion", "listen", "--mqtt", broker.url, *PATIENT, *arguments])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        return Ended(code, *capsys.readouterr())

    return listen


def test_json_has_one_accepted_message_a_line_and_nothing_else(cameras: Cameras, listen: Any) -> None:
    cameras.film()
    ended = listen("--json", "--seconds", "1.5")
    assert ended.code == 0
    messages = [PersonMessage.model_validate_json(line, strict=True) for line in ended.stdout.splitlines()]
    assert len(messages) > 2
    seqs = [message.seq for message in messages]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    assert f"heard: {len(messages)} accepted, 0 refused\n" in ended.stderr


@pytest.mark.parametrize("mode", [["--json"], []])
def test_stale_messages_are_refused_and_that_is_said_once_not_each_time(
    cameras: Cameras, listen: Any, mode: List[str]
) -> None:
    cameras.film(ago_s=3.0)
    ended = listen(*mode, "--seconds", "1.5")
    assert ended.code == 0
    assert "person" not in ended.stdout
    told = [line for line in ended.stderr.splitlines() if "cam0: refused" in line]
    assert len(told) == 1
    assert re.fullmatch(r"nasion: cam0: refused 1: stale, 3\d{3} ms old, the limit is 2000 ms", told[0])
    assert re.search(r"heard: 0 accepted, (\d+) refused: \1 stale\n", ended.stderr)


@pytest.mark.parametrize("mode", [["--json"], []])
def test_two_programs_under_one_name_are_told_once(cameras: Cameras, listen: Any, mode: List[str]) -> None:
    cameras.status("front", duplicate=True)
    cameras.status("rear")
    cameras.film("front")
    again = threading.Timer(0.5, cameras.status, ["front"], {"duplicate": True})
    again.start()
    told = [line for line in listen(*mode, "--seconds", "1.5").stderr.splitlines() if "duplicate" in line]
    again.join()
    assert told == ["nasion: front: duplicate camera: two programs publish under this name, and both are shown"]


def test_two_listeners_have_two_names_also_as_process_1_of_two_containers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)
    names = [client_id() for _ in range(100)]
    assert len(set(names)) == 100
    # As long as every broker takes.
    assert max(map(len, names)) <= 23


def test_refusals_are_counted_by_code() -> None:
    assert outcome({"accepted": 3}) == "3 accepted, 0 refused"
    assert outcome({"accepted": 0, "stale": 2, "not_json": 1}) == "0 accepted, 3 refused: 1 not_json, 2 stale"


def test_lines_for_people_when_piped(cameras: Cameras, listen: Any) -> None:
    cameras.status("front")
    cameras.status("rear", source="reconnecting")
    cameras.status("side", process="offline", source="lost")
    cameras.film("front")
    cameras.film("rear", persons=[person(valid=False)])
    cameras.film("side", persons=[])
    lines = listen("--seconds", "1.5").stdout.splitlines()
    last = {line.split()[0]: line for line in lines}
    assert "person 1: 1.51 m at [+0.12 +0.06 +1.50], azimuth +4.6°, elevation -2.3°, p 0.93" in last["front"]
    assert "online" in last["front"]
    assert "person 1: too_near, azimuth" in last["rear"]
    assert "online, source reconnecting" in last["rear"]
    assert "nobody: no_face" in last["side"]
    assert "offline" in last["side"]


def test_lines_for_people_are_in_the_terminals_own_encoding(
    broker: PrivateBroker, cameras: Cameras, tmp_path: Path
) -> None:
    cameras.film()
    command = [*LISTEN, "--mqtt", broker.url, "--seconds", "1.5"]
    latin = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    written = subprocess.run(command, cwd=tmp_path, env=latin, stdout=subprocess.PIPE, check=True).stdout
    assert "azimuth +4.6°, elevation".encode("latin-1") in written


def test_one_camera_only(cameras: Cameras, listen: Any) -> None:
    cameras.film("front")
    cameras.film("rear")
    ended = listen("--camera", "rear", "--json", "--seconds", "1.5")
    assert {json.loads(line)["camera"] for line in ended.stdout.splitlines()} == {"rear"}


def test_another_prefix_hears_nothing_of_this_one(cameras: Cameras, listen: Any) -> None:
    cameras.film()
    assert listen("--prefix", "other", "--json", "--seconds", "1.5").stdout == ""


def started(*arguments: str, **how: Any) -> "ContextManager[subprocess.Popen[str]]":
    command = [*LISTEN, *arguments]
    return attended(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_it_in_order(
    broker: PrivateBroker, cameras: Cameras, tmp_path: Path, number: signal.Signals
) -> None:
    cameras.film()
    with started("--mqtt", broker.url, "--json", cwd=tmp_path) as process:
        line_with(process.stdout, "captured_ns")
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    assert "Traceback" not in said
    assert "heard: " in said


@pytest.mark.parametrize("mode", [["--json"], []])
def test_it_ends_quietly_when_its_reader_goes(
    broker: PrivateBroker, cameras: Cameras, tmp_path: Path, mode: List[str]
) -> None:
    cameras.film()
    with started("--mqtt", broker.url, *mode, cwd=tmp_path) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        process.wait(PATIENCE_S)
    assert process.returncode == 0
    assert "Traceback" not in said
    assert "Broken" not in said


def test_a_broker_that_is_not_there_is_retried_visibly(kept_port: int, tmp_path: Path) -> None:
    address = f"mqtt://127.0.0.1:{kept_port}"
    with started("--mqtt", address, "--json", cwd=tmp_path) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == f"nasion: broker {address}: Connection refused; retrying\n"
        with PrivateBroker(kept_port):
            line_with(process.stderr, f"^nasion: broker {address}: connected after ")
            with Cameras(kept_port) as cameras:
                cameras.film()
                line_with(process.stdout, '"camera":"cam0"')
        line_with(process.stderr, f"^nasion: broker {address}: connection lost")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--mqtt", "none"], "a receiver needs a broker"),
        (["--mqtt", "http://broker"], "must begin with mqtt://"),
        (["--mqtt", "mqtt://robot:hush@broker:x"], "the port must be a number"),
        (["--prefix", "a/b"], "--prefix: 'a/b' contains /"),
        (["--camera", "a+b"], "--camera: 'a+b' contains +"),
        (["--mqtt", "mqtts://broker", "--ca-file", "nowhere.pem"], "nowhere.pem: No such file"),
        (["--seconds", "-1"], "--seconds"),
        (["--max-age-ms", "0"], "--max-age-ms"),
        (["--max-age-ms", "1e300"], "--max-age-ms"),
        (["--max-age-ms", "nan"], "--max-age-ms"),
        (["--colour"], "No such option"),
    ],
)
def test_bad_usage_is_one_clear_line_and_code_2(
    arguments: List[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["nasion", "listen", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert said in err
    assert "hush" not in err
    assert out == ""


def on_a_terminal(command: List[str], folder: Path, until: Callable[[str], bool]) -> Tuple[str, int]:
    """What the command draws on a terminal of 160 x 50, until that is enough; it is then ended with Ctrl-C."""
    master, slave = pty.openpty()
    environment: Dict[str, str] = {**os.environ, "TERM": "xterm", "COLUMNS": "160", "LINES": "50"}
    with subprocess.Popen(
        command, cwd=folder, stdin=slave, stdout=slave, stderr=slave, env=environment, close_fds=True
    ) as process:
        os.close(slave)
        drawn = ""
        deadline = time.monotonic() + PATIENCE_S
        while not until(drawn) and time.monotonic() < deadline:
            if select.select([master], [], [], 0.1)[0]:
                drawn += os.read(master, 65536).decode(errors="replace")
        process.send_signal(signal.SIGINT)
        while process.poll() is None and time.monotonic() < deadline:
            if select.select([master], [], [], 0.1)[0]:
                try:
                    drawn += os.read(master, 65536).decode(errors="replace")
                except OSError:
                    break
        if process.poll() is None:
            # Nobody reads its terminal any more: it might wait for that for ever, and we for it.
            process.kill()
    os.close(master)
    return drawn, process.returncode


def test_a_live_table_on_a_terminal(broker: PrivateBroker, cameras: Cameras, tmp_path: Path) -> None:
    cameras.status("front")
    cameras.film("front")
    cameras.film("rear", ago_s=3.0)
    wanted = ["front", "online", "0.93", "1.51 m", "+0.12 +0.06 +1.50", "+4.6 -2.3", "rear", "no status", "stale"]
    drawn, code = on_a_terminal(
        [*LISTEN, "--mqtt", broker.url], tmp_path, lambda drawn: all(text in drawn for text in wanted)
    )
    assert [text for text in wanted if text not in drawn] == []
    assert code == 0
    assert "Traceback" not in drawn
