"""The receivers that people copy judge as ours does: Python and C++ over a real broker, ROS on a stand-in."""

import importlib
import json
import math
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
from types import ModuleType, SimpleNamespace
from typing import Any, Callable, Dict, Iterator, List

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.messages import PersonMessage
from nasion.mqtt.boot import read_boot_id
from nasion.mqtt.broker import PrivateBroker
from nasion.mqtt.receiver import FUTURE_TOLERANCE_MS, Accepted, Now, judge_person
from nasion.settings import MQTT_ENVIRONMENT
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

RECEIVERS = Path(__file__).parents[2] / "docs" / "receivers"
PATIENCE_S = 20.0
#: Old and fresh are far apart, because the machine that runs the tests also does other work.
MAX_AGE_MS = 5000.0
NOW = Now(1_700_000_000_000_000_000, 86_400_000_000_000, "boot-1")

sys.path.insert(0, str(RECEIVERS))
python: Any = importlib.import_module("nasion_receiver")
ros: Any = importlib.import_module("nasion_ros2")


def person(range_m: float = 2.0, **changed: Any) -> Dict[str, Any]:
    """A person straight ahead."""
    return {
        "track_id": 1,
        "probability": 0.9,
        "pixel": [640.0, 360.0],
        "bearing_rad": [0.0, 0.0],
        "valid": True,
        "reason": None,
        "depth_m": range_m,
        "range_m": range_m,
        "position_m": [0.25, -0.5, range_m],
        "covariance_m2": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
        "depth": {"value": range_m, "count": 25, "of": 25, "spread": 0.003},
        **changed,
    }


def nowhere() -> Dict[str, Any]:
    """A person whose distance is not known."""
    lacking = dict.fromkeys(("depth_m", "range_m", "position_m", "covariance_m2"))
    return {**person(1.0), "valid": False, "reason": "jump", **lacking}


def payload(now: Now, age_ms: float = 0.0, *, seq: int = 0, stamped: bool = False, **changed: Any) -> bytes:
    """A message in JSON whose picture was taken ``age_ms`` before ``now``; ``stamped``: by the monotonic clock too."""
    captured_ns = now.utc_ns - int(age_ms * 1e6)
    message = PersonMessage(
        session="s1",
        seq=seq,
        camera="cam0",
        frame_id="cam0_left_camera_optical_frame",
        captured_at=captured_ns / 1e9,
        captured_ns=str(captured_ns),
        published_at=captured_ns / 1e9,
        max_age_ms=MAX_AGE_MS,
        persons=[],
        reason="no_face",
        latency_ms={},
    )
    if stamped:
        message = message.stamped(now.monotonic_ns - int(age_ms * 1e6), now.boot_id)
    return json.dumps({**json.loads(message.to_json()), **changed}).encode()


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    age_ms=st.floats(-1e4, 1e4),
    stamped=st.booleans(),
    boot_id=st.sampled_from(["boot-1", "boot-2", None]),
    step_ns=st.integers(-(10**15), 10**15),
)
def test_the_python_receiver_judges_like_ours(age_ms: float, stamped: bool, boot_id: Any, step_ns: int) -> None:
    """Also when the wall clock is stepped on the way, and on another host or boot."""
    told = payload(NOW, age_ms, stamped=stamped)
    now = Now(NOW.utc_ns + step_ns, NOW.monotonic_ns, boot_id)
    ours = judge_person("cam0", told, now)
    message, its_age_ms, cause = python.Gate(boot_id=boot_id).judge(told, now.utc_ns, now.monotonic_ns)
    if isinstance(ours, Accepted):
        assert message is not None
        assert its_age_ms == pytest.approx(ours.age_ms)
    else:
        assert (message, cause) == (None, ours.cause)


@given(changed=st.dictionaries(st.sampled_from(sorted(json.loads(payload(NOW, stamped=True)))), anything, min_size=1))
def test_no_wrong_value_breaks_the_python_receiver(changed: Dict[str, Any]) -> None:
    gate = python.Gate(boot_id="boot-1")
    told = json.dumps({**json.loads(payload(NOW, stamped=True)), **changed}).encode()
    message, _, cause = gate.judge(told, NOW.utc_ns, NOW.monotonic_ns)
    assert (message is None) == (cause is not None)
    if message is not None:
        assert python.nearest(message) is None
        assert ros.pose_of(message) is None


@given(garbage=st.binary() | anything.map(lambda value: json.dumps(value).encode()))
def test_no_garbage_is_accepted_by_the_python_receiver(garbage: bytes) -> None:
    assert python.Gate().judge(garbage, NOW.utc_ns, NOW.monotonic_ns) == (None, None, "malformed")


def test_ones_own_limit_counts_where_it_is_the_stricter_one() -> None:
    gate = python.Gate(max_age_ms=100.0)
    assert gate.judge(payload(NOW, 101), NOW.utc_ns, NOW.monotonic_ns)[2] == "stale"
    assert gate.judge(payload(NOW, 99), NOW.utc_ns, NOW.monotonic_ns)[2] is None
    assert python.Gate(max_age_ms=1e9).judge(payload(NOW, 5001), NOW.utc_ns, NOW.monotonic_ns)[2] == "stale"


def test_silence_is_measured_from_the_last_accepted_message() -> None:
    gate = python.Gate()
    assert gate.silent_s(NOW.monotonic_ns) == math.inf
    gate.judge(payload(NOW), NOW.utc_ns, NOW.monotonic_ns)
    gate.judge(b"garbage", NOW.utc_ns, NOW.monotonic_ns + 10**9)
    assert gate.silent_s(NOW.monotonic_ns + 2 * 10**9) == 2.0


def test_the_tolerance_is_the_same_everywhere() -> None:
    assert python.FUTURE_TOLERANCE_MS == FUTURE_TOLERANCE_MS
    assert f"kFutureToleranceMs = {FUTURE_TOLERANCE_MS};" in (RECEIVERS / "nasion_receiver.cpp").read_text()
    assert f"more than {FUTURE_TOLERANCE_MS:.0f} ms from now" in (RECEIVERS / "README.md").read_text()


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
    built = [compiler, *("-Werror", *words[1:-2]), program, words[-1]]
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
            command = [sys.executable, str(RECEIVERS / "nasion_receiver.py"), "--host", host, "--port", str(port)]
        else:
            command = [request.getfixturevalue("compiled"), host, str(port)]
        programs.append(Program(command, **environment))
        return programs[-1]

    yield start
    assert [program.end() for program in programs] == [0] * len(programs)


def say(port: int, *payloads: bytes) -> None:
    """As a publisher does, one after the other."""
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.connect("127.0.0.1", port)
    client.loop_start()
    for told in payloads:
        client.publish("nasion/cam0/person", told, qos=1).wait_for_publish(PATIENCE_S)
    client.disconnect()
    client.loop_stop()


def here() -> Now:
    return Now(time.time_ns(), time.monotonic_ns(), read_boot_id())


HOUR_MS = 3_600_000.0


def test_the_story_of_a_stream(start: Started) -> None:
    with PrivateBroker() as broker:
        program = start("127.0.0.1", broker.port)
        program.wait_for(1, "subscribed nasion/cam0/person")
        now = here()
        elsewhere: Dict[str, Any] = {"monotonic_ns": "5", "boot_id": "another"}
        two: Dict[str, Any] = {
            "reason": None,
            "persons": [person(3.0), person(2.0), nowhere()],
        }
        nan = payload(now, seq=20).replace(b'"max_age_ms": 5000.0', b'"max_age_ms": NaN')
        assert b"NaN" in nan
        hour_ns = int(HOUR_MS * 1e6)
        say(
            broker.port,
            payload(now, seq=0, stamped=True),
            payload(now, seq=3, stamped=True, **two),
            # The publisher's wall clock is an hour wrong, either way: on one host that does not matter.
            payload(now, seq=4, stamped=True, captured_ns=str(now.utc_ns - hour_ns)),
            payload(now, seq=5, stamped=True, captured_ns=str(now.utc_ns + hour_ns)),
            payload(now, HOUR_MS, seq=6, stamped=True, captured_ns=str(now.utc_ns)),
            payload(now, -HOUR_MS, seq=7, stamped=True, captured_ns=str(now.utc_ns)),
            # From another host.
            payload(now, seq=8, **elsewhere),
            payload(now, HOUR_MS, seq=9, **elsewhere),
            payload(now, -HOUR_MS, seq=10, **elsewhere),
            payload(now, seq=8),
            payload(now, seq=2),
            nan,
            b"",
            b"[]",
            payload(now, seq=20, schema=2),
            payload(now, seq=20, captured_ns=now.utc_ns),
            payload(now, seq=20, captured_ns="9" + "0" * 18),
            payload(now, seq=20, reason=None, persons=[person(position_m=[1.0, 2.0])]),
            payload(now, seq=20, reason=None, persons=[{**person(), "range_m": "near"}]),
            # The publisher was started anew.
            payload(now, seq=0, session="s2"),
            payload(now, seq=1, session="s2"),
        )
        lines = program.wait_for(21, "accepted", "refused")
    verdicts = [line.split(" age ")[0] if line.startswith("accepted") else line.split()[1].strip(";") for line in lines]
    assert verdicts == [
        "accepted session 1 seq 0 missed 0",
        "accepted session 1 seq 3 missed 2",
        "accepted session 1 seq 4 missed 2",
        "accepted session 1 seq 5 missed 2",
        "stale",
        "future",
        "accepted session 1 seq 8 missed 4",
        "stale",
        "future",
        *["repeated"] * 2,
        *["malformed"] * 5,
        "future",
        *["malformed"] * 2,
        "accepted session 2 seq 0 missed 4",
        "accepted session 2 seq 1 missed 4",
    ]
    assert lines[0].endswith(": nobody (no_face)")
    assert json.loads(lines[1].partition(": at ")[2]) == [0.25, -0.5, 2.0]
    counts = json.loads(lines[-3].partition("so far ")[2])
    assert counts == {"stale": 2, "future": 3, "repeated": 2, "malformed": 7}


def test_damaged_payloads_break_nothing(start: Started) -> None:
    luck = random.Random(0)
    whole = payload(here(), stamped=True, reason=None, persons=[person()])
    damaged = [b"[" * 100_000, b'{"persons":' * 1000]
    for _ in range(300):
        pieces = bytearray(whole)
        for _ in range(luck.randint(1, 4)):
            place = luck.randrange(len(pieces))
            pieces[place : place + luck.randint(0, 3)] = luck.randbytes(luck.randint(0, 3))
        damaged.append(bytes(pieces))
    with PrivateBroker() as broker:
        program = start("127.0.0.1", broker.port)
        program.wait_for(1, "subscribed")
        say(broker.port, *damaged)
        say(broker.port, payload(here(), seq=10**9, session="the last one"))
        lines = program.wait_for(len(damaged) + 1, "accepted", "refused")
    assert lines[-1].startswith("accepted")
    assert sum("malformed" in line.split(";")[0] for line in lines) > 150


def test_silence_is_said_and_the_brokers_return_is_found(kept_port: int, start: Started) -> None:
    with PrivateBroker(kept_port) as first:
        program = start("127.0.0.1", first.port)
        program.wait_for(1, "subscribed")
        program.wait_for(1, "silent: stop")
        say(first.port, payload(here(), stamped=True))
        program.wait_for(1, "heard again")
        os.kill(first.pid, signal.SIGKILL)
    program.wait_for(1, "disconnected")
    program.wait_for(2, "silent: stop")
    with PrivateBroker(kept_port) as second:
        program.wait_for(2, "subscribed")
        say(second.port, payload(here(), seq=1, stamped=True))
        program.wait_for(2, "accepted")


def test_a_frozen_brokers_stale_messages_are_refused(start: Started) -> None:
    with PrivateBroker() as broker:
        program = start("127.0.0.1", broker.port)
        program.wait_for(1, "subscribed")
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        client.connect("127.0.0.1", broker.port)
        os.kill(broker.pid, signal.SIGSTOP)
        for seq in range(10):
            client.publish("nasion/cam0/person", payload(here(), seq=seq, stamped=True, max_age_ms=200.0), qos=0)
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
    persons = [person(3.0), nowhere(), person(2.0)]
    message = json.loads(payload(NOW, captured_ns="1700000000123456789", reason=None, persons=persons))
    pose = ros.pose_of(message)
    assert pose["position"] == [0.25, -0.5, 2.0]
    assert (pose["sec"], pose["nanosec"]) == (1_700_000_000, 123_456_789)
    assert pose["frame_id"] == "cam0_left_camera_optical_frame"
    assert len(pose["covariance"]) == 36
    rows = [pose["covariance"][start : start + 6] for start in range(0, 36, 6)]
    assert [row[:3] for row in rows[:3]] == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]
    assert [rows[axis][axis] for axis in (3, 4, 5)] == [ros.UNKNOWN_ORIENTATION_RAD2] * 3
    assert sum(value != 0 for value in pose["covariance"]) == 12


def stand_in_for_ros(monkeypatch: pytest.MonkeyPatch, parameters: Dict[str, Any]) -> SimpleNamespace:
    """rclpy and geometry_msgs as far as the node uses them; what was published and logged."""
    seen = SimpleNamespace(poses=[], logged=[], topics=[])

    class Node:
        def __init__(self, name: str) -> None:
            self.name = name

        def declare_parameter(self, name: str, default: Any) -> Any:
            return SimpleNamespace(value=parameters.get(name, default))

        def create_publisher(self, kind: Any, topic: str, _qos: Any) -> Any:
            seen.topics.append((kind.__name__, topic))
            return SimpleNamespace(publish=seen.poses.append)

        def create_timer(self, _period_s: float, _call: Any) -> None: ...

        def get_logger(self) -> Any:
            return SimpleNamespace(info=seen.logged.append, warning=seen.logged.append)

    class PoseWithCovarianceStamped:
        def __init__(self) -> None:
            self.header = SimpleNamespace(frame_id="", stamp=SimpleNamespace(sec=0, nanosec=0))
            pose = SimpleNamespace(position=SimpleNamespace(), orientation=SimpleNamespace(w=0.0))
            self.pose = SimpleNamespace(pose=pose, covariance=[])

    for name, content in (
        ("rclpy", {}),
        ("rclpy.node", {"Node": Node}),
        ("rclpy.qos", {"qos_profile_sensor_data": None}),
        ("geometry_msgs", {}),
        ("geometry_msgs.msg", {"PoseWithCovarianceStamped": PoseWithCovarianceStamped}),
    ):
        module = ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)
    return seen


def test_the_ros_node_republishes_only_what_may_be_acted_upon(monkeypatch: pytest.MonkeyPatch) -> None:
    with PrivateBroker() as broker:
        seen = stand_in_for_ros(monkeypatch, {"port": broker.port})
        node = ros.make_node()
        deadline = time.monotonic() + PATIENCE_S
        while "subscribed nasion/cam0/person" not in seen.logged:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        somebody: Dict[str, Any] = {"reason": None, "persons": [person()]}
        say(
            broker.port,
            payload(here(), seq=0, stamped=True, **somebody),
            payload(here(), HOUR_MS, seq=1, stamped=True, **somebody),
            payload(here(), seq=2, stamped=True),
            payload(here(), seq=3, stamped=True, **somebody),
        )
        while node.gate.accepted < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        node.report()
        node.client.disconnect()
        node.client.loop_stop()
    assert seen.topics == [("PoseWithCovarianceStamped", "person")]
    assert len(seen.poses) == 2
    (pose, _) = seen.poses
    assert pose.header.frame_id == "cam0_left_camera_optical_frame"
    assert (pose.pose.pose.position.x, pose.pose.pose.position.z, pose.pose.pose.orientation.w) == (0.25, 2.0, 1.0)
    assert 'accepted 3, missed 1, sessions 1, refused {"stale": 1}' in seen.logged
