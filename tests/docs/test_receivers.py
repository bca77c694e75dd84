"""The receivers that people copy, over a real broker: Python and C++ as they are started, ROS 2 on a double of rclpy.

How they judge is in test_conformance.py.
"""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest
from nasion.mqtt.broker import PrivateBroker
from nasion.mqtt.judge import Now, read_boot_id, read_now
from nasion.settings import MQTT_ENVIRONMENT
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.docs.copied import RECEIVERS, make, ros
from tests.docs.doubles import double_of_ros

PATIENCE_S = 20.0
#: Old and fresh are far apart, because the machine that runs the tests also does other work.
MAX_AGE_MS = 5000.0
TOPIC = "nasion/cam0/person"


def payload(now: Now, age_ms: float = 0.0, *, seq: int = 0, **changed: Any) -> bytes:
    """A message of this host about nobody, in JSON, whose picture was taken ``age_ms`` before ``now``."""
    captured_ns = now.utc_ns - int(age_ms * 1e6)
    whole = {
        **make.Story("").message(),
        "seq": seq,
        "captured_at": captured_ns / 1e9,
        "captured_ns": str(captured_ns),
        "monotonic_ns": str(now.monotonic_ns - int(age_ms * 1e6)),
        "boot_id": read_boot_id(),
        "max_age_ms": MAX_AGE_MS,
        "persons": [],
        "reason": "no_face",
        **changed,
    }
    return json.dumps(whole).encode()


# Over a real broker


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The C++ receiver, built as its head says; skipped where compiler or libraries are missing."""
    source = RECEIVERS / "nasion_receiver.cpp"
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is not installed: the C++ receiver is not built")
    headers = "#include <mosquitto.h>\n#include <nlohmann/json.hpp>\nint main() {}\n"
    program = str(tmp_path_factory.mktemp("receiver") / "nasion_receiver")
    probe = [compiler, "-std=c++17", "-fsyntax-only", "-x", "c++", "-"]
    if subprocess.run(probe, input=headers, text=True, capture_output=True, check=False).returncode:
        pytest.skip("libmosquitto-dev or nlohmann-json3-dev is not installed: the C++ receiver is not built")
    line = next(line for line in source.read_text().splitlines() if line.startswith("//   g++ "))
    words = line[2:].split()
    assert words[0] == "g++"
    # With sanitizers, which end it where anything is undefined.
    strict = ["-Werror", "-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    built = [compiler, *words[1:-2], program, words[-1], *strict]
    subprocess.run(built, cwd=RECEIVERS, check=True)
    return program


Started = Callable[..., "Program"]


class Program:
    """A receiver that runs, and what it said so far."""

    def __init__(self, command: List[str], **environment: str) -> None:
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, **environment}
        )
        self._lines: List[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.append(line.rstrip("\n"))

    def wait_for(self, count: int, *starts: str) -> List[str]:
        """The lines that begin so, once there are ``count`` of them."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = [line for line in list(self._lines) if line.startswith(starts)]
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline, self._lines
            time.sleep(0.01)

    def end(self) -> int:
        self._process.send_signal(signal.SIGINT)
        code = self._process.wait(PATIENCE_S)
        self._reader.join()
        return code


@pytest.fixture(params=["python", "c++"])
def start(request: pytest.FixtureRequest) -> Iterator[Started]:
    """``start(host, port, **environment)``: the receiver as a person starts it, subscribed."""
    programs: List[Program] = []

    def start(host: str, port: int, **environment: str) -> Program:
        if request.param == "python":
            where = ["--host", host, "--port", str(port), "--max-age-ms", f"{MAX_AGE_MS:g}"]
            command = [sys.executable, str(RECEIVERS / "nasion_receiver.py"), *where]
        else:
            command = [request.getfixturevalue("compiled"), host, str(port), "nasion", "cam0", f"{MAX_AGE_MS:g}"]
        programs.append(Program(command, **environment))
        return programs[-1]

    yield start
    assert [program.end() for program in programs] == [0] * len(programs)


def say(port: int, *payloads: bytes, retain: bool = False) -> None:
    """As a publisher does, one after the other."""
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for told in payloads:
        client.publish(TOPIC, told, qos=1, retain=retain).wait_for_publish(PATIENCE_S)
    client.disconnect()
    client.loop_stop()


HOUR_MS = 3_600_000.0


def test_the_story_of_a_stream(start: Started) -> None:
    with PrivateBroker() as broker:
        # What the broker keeps was true once.
        say(broker.port, payload(read_now(), max_age_ms=1e9), retain=True)
        program = start("127.0.0.1", broker.port)
        program.wait_for(1, "subscribed nasion/cam0/person")
        program.wait_for(1, "refused retained")
        now = read_now()
        persons = [make.person(0.25, -0.5, 3.0), make.person(0.25, -0.5, 2.0), make.nowhere()]
        two: Dict[str, Any] = {"reason": None, "persons": persons}
        hour_ns = int(HOUR_MS * 1e6)
        nameless = json.loads(payload(now, seq=20))
        del nameless["reason"]
        say(
            broker.port,
            payload(now, seq=0),
            payload(now, seq=3, **two),
            # The publisher's wall clock is an hour wrong, either way: on one host that does not matter.
            payload(now, seq=4, captured_ns=str(now.utc_ns - hour_ns)),
            payload(now, seq=5, captured_ns=str(now.utc_ns + hour_ns)),
            payload(now, HOUR_MS, seq=6, captured_ns=str(now.utc_ns)),
            payload(now, HOUR_MS, seq=6, max_age_ms=1e12),
            payload(now, -HOUR_MS, seq=7, captured_ns=str(now.utc_ns)),
            payload(now, seq=5),
            payload(now, seq=2),
            json.dumps(nameless).encode(),
            payload(now, seq=20).replace(b'"max_age_ms": 5000.0', b'"max_age_ms": NaN'),
            b"",
            b"[]",
            payload(now, seq=20, schema=2),
            payload(now, seq=20, camera="cam1"),
            payload(now, seq=20, reason=None, persons=[make.person(range_m=9.0)]),
            payload(now, seq=20).decode().encode("utf-16"),
            # The publisher was started anew, or there are two of them.
            payload(now, seq=0, session="s2"),
            payload(now, seq=8),
        )
        lines = program.wait_for(20, "accepted", "refused")[1:]
    verdicts = [line.split(" age ")[0] if line.startswith("accepted") else line.split()[1].strip(";") for line in lines]
    assert verdicts == [
        "accepted session 1 seq 0 missed 0",
        "accepted session 1 seq 3 missed 2",
        "accepted session 1 seq 4 missed 2",
        "accepted session 1 seq 5 missed 2",
        *["stale"] * 2,
        "future",
        *["repeated"] * 2,
        "malformed",
        *["not_json"] * 2,
        "malformed",
        "other_schema",
        "other_camera",
        "impossible",
        "not_json",
        "other_session",
        "accepted session 1 seq 8 missed 4",
    ]
    assert lines[0].endswith(": nobody (no_face)")
    assert json.loads(lines[1].partition(": at ")[2]) == [0.25, -0.5, 2.0]
    counts = json.loads(lines[-2].partition("so far ")[2].split(";")[0])
    assert counts == {
        **{"future": 1, "impossible": 1, "malformed": 2, "not_json": 3, "other_camera": 1, "other_schema": 1},
        **{"other_session": 1, "repeated": 2, "retained": 1, "stale": 2},
    }


def test_damaged_payloads_break_nothing(start: Started) -> None:
    luck = random.Random(0)
    whole = payload(read_now(), reason=None, persons=[make.person()])
    # The first one says which session is heard; what is damaged cannot take its place.
    damaged = [whole, b"[" * 60_000, b'{"persons":' * 1000]
    for _ in range(300):
        pieces = bytearray(whole)
        for _ in range(luck.randint(1, 4)):
            place = luck.randrange(len(pieces))
            pieces[place : place + luck.randint(0, 3)] = bytes(luck.choices(range(256), k=luck.randint(0, 3)))
        damaged.append(bytes(pieces))
    with PrivateBroker() as broker:
        program = start("127.0.0.1", broker.port)
        program.wait_for(1, "subscribed")
        say(broker.port, *damaged)
        say(broker.port, payload(read_now(), seq=10**9))
        lines = program.wait_for(len(damaged) + 1, "accepted", "refused")
    assert lines[-1].startswith("accepted")
    assert sum(line.startswith(("refused malformed", "refused not_json")) for line in lines) > 150
    assert not any(line.startswith("refused error") for line in lines)


def test_what_is_too_large_does_not_even_come(start: Started) -> None:
    """The broker was told so; it would fill the memory before it could be refused."""
    with PrivateBroker() as broker:
        program = start("127.0.0.1", broker.port)
        program.wait_for(1, "subscribed")
        say(broker.port, b"x" * 70_000, b"x" * 66_000, payload(read_now()))
        lines = program.wait_for(2, "accepted", "refused")
    assert [line.split()[:2] for line in lines] == [["refused", "too_large;"], ["accepted", "session"]]


def test_silence_is_said_and_the_brokers_return_is_found(kept_port: int, start: Started) -> None:
    with PrivateBroker(kept_port) as first:
        program = start("127.0.0.1", first.port)
        program.wait_for(1, "subscribed")
        program.wait_for(1, "silent: stop")
        say(first.port, payload(read_now()))
        program.wait_for(1, "heard again")
        os.kill(first.pid, signal.SIGKILL)
    program.wait_for(1, "disconnected")
    program.wait_for(2, "silent: stop")
    with PrivateBroker(kept_port) as second:
        program.wait_for(2, "subscribed")
        say(second.port, payload(read_now(), seq=1))
        program.wait_for(2, "accepted")


def test_a_frozen_brokers_stale_messages_are_refused(start: Started) -> None:
    with PrivateBroker() as broker:
        program = start("127.0.0.1", broker.port)
        program.wait_for(1, "subscribed")
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        client.connect("127.0.0.1", broker.port)
        os.kill(broker.pid, signal.SIGSTOP)
        for seq in range(10):
            client.publish("nasion/cam0/person", payload(read_now(), seq=seq, max_age_ms=200.0), qos=0)
        time.sleep(1.0)
        os.kill(broker.pid, signal.SIGCONT)
        lines = program.wait_for(10, "accepted", "refused")
        client.disconnect()
    assert {line.split()[1] for line in lines} == {"stale"}


@pytest.fixture(scope="module")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder: a certificate for `localhost` and one for a client by the authority ca.pem, another one, passwords."""
    folder = tmp_path_factory.mktemp("pem")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    for command in (
        f"req -x509 {key} -days 2 -subj /CN=authority -keyout ca.key -out ca.pem",
        f"req -x509 {key} -days 2 -subj /CN=another -keyout other.key -out other.pem",
        f"req {key} -subj /CN=localhost -keyout key.pem -out request.pem",
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out certificate.pem",
        f"req {key} -subj /CN=robot -keyout robot.key -out request.pem",
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -out robot.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(folder / "passwords"), "robot", "right"], check=True)
    return folder


def guarded(pem: Path, *more: str) -> PrivateBroker:
    """A broker that speaks TLS only and knows the user `robot` with the password `right`."""
    files = [f"certfile {pem}/certificate.pem", f"keyfile {pem}/key.pem", f"password_file {pem}/passwords"]
    return PrivateBroker(options=[*files, "allow_anonymous false", *more])


WHO = {"NASION_MQTT_USER": "robot", "NASION_MQTT_PASSWORD": "right"}


def test_by_tls_only_a_certificate_of_our_authority_is_taken(start: Started, pem: Path) -> None:
    trust = {"NASION_MQTT_CA_FILE": str(pem / "ca.pem")}
    with guarded(pem) as broker:
        trusting = start("localhost", broker.port, **trust, **WHO)
        trusting.wait_for(1, "subscribed")
        refused = start("localhost", broker.port, **trust, **{**WHO, "NASION_MQTT_PASSWORD": "wrong"})
        refused.wait_for(1, "refused by the broker")
        wary = start("localhost", broker.port, **WHO, NASION_MQTT_CA_FILE=str(pem / "other.pem"))
        misled = start("127.0.0.1", broker.port, **trust, **WHO)
        wary.wait_for(1, "disconnected")
        misled.wait_for(1, "disconnected")
        assert wary.wait_for(0, "subscribed") == misled.wait_for(0, "subscribed") == []


def test_a_broker_that_asks_for_a_certificate_is_shown_ours(start: Started, pem: Path) -> None:
    trust = {"NASION_MQTT_CA_FILE": str(pem / "ca.pem")}
    ours = {"NASION_MQTT_CERT_FILE": str(pem / "robot.pem"), "NASION_MQTT_KEY_FILE": str(pem / "robot.key")}
    with guarded(pem, "require_certificate true", f"cafile {pem}/ca.pem") as broker:
        start("localhost", broker.port, **trust, **ours, **WHO).wait_for(1, "subscribed")
        unknown = start("localhost", broker.port, **trust, **WHO)
        unknown.wait_for(1, "disconnected")
        assert unknown.wait_for(0, "subscribed") == []


@pytest.mark.parametrize("receiver", ["python", "c++"])
def test_without_its_authority_no_receiver_speaks_in_clear(receiver: str, request: pytest.FixtureRequest) -> None:
    with PrivateBroker() as broker:
        command = [sys.executable, str(RECEIVERS / "nasion_receiver.py"), "--port", str(broker.port)]
        if receiver == "c++":
            command = [request.getfixturevalue("compiled"), "127.0.0.1", str(broker.port)]
        told = {**os.environ, **WHO, "NASION_MQTT_CA_FILE": "/nowhere/ca.pem"}
        ended = subprocess.run(command, env=told, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert ended.returncode != 0
    assert "subscribed" not in ended.stdout


def test_all_know_the_same_variables_as_nasion() -> None:
    for name in ("nasion_receiver.py", "nasion_receiver.cpp", "README.md"):
        text = (RECEIVERS / name).read_text()
        assert set(re.findall(r"NASION_[A-Z_]+[A-Z]", text)) == set(MQTT_ENVIRONMENT.values()), name


# ROS


def test_the_pose_is_that_of_the_nearest_person_with_a_position() -> None:
    persons = [
        make.person(z=3.0),
        make.nowhere(),
        make.person(0.25, -0.5, 2.0, covariance_m2=[1, 2, 3, 4, 5, 6, 7, 8, 9]),
    ]
    message = json.loads(payload(read_now(), captured_ns="1700000000123456789", reason=None, persons=persons))
    pose = ros.pose_of(message)
    assert pose["position"] == [0.25, -0.5, 2.0]
    assert (pose["sec"], pose["nanosec"]) == (1_700_000_000, 123_456_789)
    assert pose["frame_id"] == "cam0_left_camera_optical_frame"
    assert len(pose["covariance"]) == 36
    rows = [pose["covariance"][start : start + 6] for start in range(0, 36, 6)]
    assert [row[:3] for row in rows[:3]] == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]
    assert [rows[axis][axis] for axis in (3, 4, 5)] == [ros.UNKNOWN_ORIENTATION_RAD2] * 3
    assert sum(value != 0 for value in pose["covariance"]) == 12


def test_the_ros_node_republishes_only_what_may_be_acted_upon(monkeypatch: pytest.MonkeyPatch) -> None:
    with PrivateBroker() as broker:
        seen = double_of_ros(monkeypatch, {"port": broker.port, "max_age_ms": MAX_AGE_MS})
        node = ros.make_node()
        node.watch()
        deadline = time.monotonic() + PATIENCE_S
        while "subscribed nasion/cam0/person" not in seen.logged:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        somebody: Dict[str, Any] = {"reason": None, "persons": [make.person(0.25, -0.5, 2.0)]}
        say(
            broker.port,
            payload(read_now(), seq=0, **somebody),
            payload(read_now(), HOUR_MS, seq=1, **somebody),
            payload(read_now(), seq=2),
            payload(read_now(), seq=3, **somebody),
        )
        while node.gate.counts["accepted"] < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        node.report()
        node.client.disconnect()
        node.client.loop_stop()
    assert [call.__name__ for _, call in seen.timers] == ["report", "watch"]
    assert "silent: stop" in seen.logged
    assert seen.topics == [("PoseWithCovarianceStamped", "person")]
    assert len(seen.poses) == 2
    (pose, _) = seen.poses
    assert pose.header.frame_id == "cam0_left_camera_optical_frame"
    assert (pose.pose.pose.position.x, pose.pose.pose.position.z, pose.pose.pose.orientation.w) == (0.25, 2.0, 1.0)
    assert 'accepted 3, missed 1, sessions 1, refused {"stale": 1}' in seen.logged


def test_a_callback_that_fails_does_not_end_the_hearing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when ROS refuses a value: paho's thread would end, and nothing would be heard any more."""
    with PrivateBroker() as broker:
        seen = double_of_ros(monkeypatch, {"port": broker.port, "max_age_ms": MAX_AGE_MS})
        node = ros.make_node()
        deadline = time.monotonic() + PATIENCE_S
        while "subscribed nasion/cam0/person" not in seen.logged:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        monkeypatch.setattr(ros, "pose_of", lambda _: {})
        say(broker.port, payload(read_now(), seq=0), payload(read_now(), seq=1))
        while node.gate.counts["error"] < 2:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        node.client.disconnect()
        node.client.loop_stop()
    assert [line for line in seen.logged if line.startswith("refused error")] == [
        "refused error; KeyError('frame_id')"
    ] * 2
