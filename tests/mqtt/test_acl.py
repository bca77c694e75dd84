"""The broker as we ship it, `docker/mosquitto/`: everybody may do what is theirs, and nothing else."""

import os
import socket
import ssl
import subprocess
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import pytest
from nasion.messages import SETTABLE
from nasion.mqtt.contract import CHANNELS
from nasion.mqtt.publisher import open_publisher
from nasion.mqtt.receiver import Accepted, Heard, Receiver
from nasion.pipeline.controls import Controls
from nasion.settings import MqttSettings, RunSettings
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

SHIPPED = Path(__file__).parents[2] / "docker" / "mosquitto"
PATIENCE_S = 20.0
PATH = f"{os.environ['PATH']}:/usr/sbin"

Until = Callable[..., None]


def make_secrets(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(SHIPPED / "make_secrets"), str(folder), *arguments], capture_output=True, text=True, check=False
    )


@dataclass(frozen=True)
class Shipped:
    """A running mosquitto with our configuration; ``secrets``: what `make_secrets` made."""

    plain: int
    tls: int
    secrets: Path

    def password(self, user: str) -> str:
        return (self.secrets / f"{user}.password").read_text().strip()

    def settings(self, user: str, **more: Any) -> MqttSettings:
        """As a robot's configuration has it."""
        told = {
            "url": f"mqtts://localhost:{self.tls}",
            "username": user,
            "password_file": str(self.secrets / f"{user}.password"),
            "ca_file": str(self.secrets / "ca.pem"),
            **more,
        }
        return MqttSettings.model_validate(told)


def free_ports() -> Tuple[int, int]:
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(2)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        plain, tls = (probe.getsockname()[1] for probe in probes)
        return plain, tls


def listening(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


class Broker:
    """Starts mosquitto with exactly our files, but for their places and the ports."""

    def __init__(self, folder: Path, secrets: Path, *changes: Tuple[str, str]) -> None:
        plain, tls = free_ports()
        text = (SHIPPED / "mosquitto.conf").read_text()
        for shipped, here in (
            ("\nlistener 1883\n", f"\nlistener {plain} 127.0.0.1\n"),
            ("\nlistener 8883\n", f"\nlistener {tls} 127.0.0.1\n"),
            (" /mosquitto/config/", f" {SHIPPED}/"),
            (" /mosquitto/secrets/", f" {secrets}/"),
            *changes,
        ):
            assert shipped in text
            text = text.replace(shipped, here)
        assert " /mosquitto/" not in text
        if os.geteuid() == 0:
            # Else it would become a user who cannot read our folder.
            text += "user root\n"
        self.configuration = folder / "mosquitto.conf"
        self.configuration.write_text(text)
        self.shipped = Shipped(plain, tls, secrets)

    def __enter__(self) -> Shipped:
        self._process = subprocess.Popen(
            ["mosquitto", "-c", str(self.configuration)],
            env={**os.environ, "PATH": PATH},
            stderr=subprocess.DEVNULL,
            cwd=self.configuration.parent,
        )
        deadline = time.monotonic() + PATIENCE_S
        while not (listening(self.shipped.plain) and listening(self.shipped.tls)):
            assert self._process.poll() is None, "mosquitto does not start"
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return self.shipped

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_S)


@pytest.fixture(scope="session")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("secrets")
    users = [word for user in ("cam0", "cam1", "robot", "operator") for word in ("--user", user)]
    made = make_secrets(folder, "--host", "robot7.local", "--host", "10.1.2.3", "--client", "arm", *users)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory, secrets: Path) -> Iterator[Shipped]:
    with Broker(tmp_path_factory.mktemp("shipped"), secrets) as shipped:
        yield shipped


class Person:
    """Somebody at the broker: plain paho, over the plain listener or over TLS."""

    def __init__(
        self, shipped: Shipped, user: Optional[str], password: Optional[str] = None, context: Any = None
    ) -> None:
        self._answers: List[str] = []
        self._answered = threading.Event()
        self.heard: List[str] = []
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        if user is not None:
            self._client.username_pw_set(user, shipped.password(user) if password is None else password)
        if context is not None:
            self._client.tls_set_context(context)
        self._client.on_connect = lambda *told: self._answer(told[3].getName())
        self._client.on_publish = lambda *told: self._answer(told[3].getName())
        self._client.on_subscribe = lambda *told: self._answer(told[3][0].getName())
        self._client.on_message = lambda _client, _data, message: self.heard.append(message.topic)
        self._client.connect("localhost", shipped.tls if context else shipped.plain)
        self._client.loop_start()
        self.welcome = self._wait()

    def _answer(self, what: str) -> None:
        self._answers.append(what)
        self._answered.set()

    def _wait(self) -> str:
        assert self._answered.wait(PATIENCE_S)
        self._answered.clear()
        return self._answers[-1]

    def say(self, topic: str, retain: bool = False, payload: bytes = b"{}") -> str:
        """The broker's answer."""
        self._client.publish(topic, payload, qos=1, retain=retain)
        return self._wait()

    def listen(self, topics: str = "#") -> "Person":
        self._client.subscribe(topics, qos=1)
        self._wait()
        return self

    def end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


Come = Callable[..., Person]


@pytest.fixture
def come(shipped: Shipped) -> Iterator[Come]:
    people: List[Person] = []

    def come(user: Optional[str], *more: Any) -> Person:
        people.append(Person(shipped, user, *more))
        return people[-1]

    yield come
    for person in people:
        person.end()


#: What a camera publishes, and what is set, below nasion/<camera>/.
OWN = [
    *(channel.topic for channel in CHANNELS.values() if channel.by == "nasion" and "{" not in channel.topic),
    *(f"state/{key}" for key in SETTABLE),
]
SET = [f"set/{key}" for key in SETTABLE]


def verdicts(person: Person, topics: List[str]) -> Dict[str, bool]:
    return {topic: person.say(topic) in ("Success", "No matching subscribers") for topic in topics}


class TestWriting:
    def test_a_camera_writes_all_of_its_own_topics(self, come: Come) -> None:
        topics = [f"nasion/cam0/{kind}" for kind in OWN]
        assert verdicts(come("cam0"), topics) == dict.fromkeys(topics, True)

    @pytest.mark.parametrize(
        "topics",
        [
            pytest.param([f"nasion/cam1/{kind}" for kind in OWN + SET], id="another-cameras"),
            pytest.param([f"nasion/cam0/{kind}" for kind in SET], id="its-own-settings"),
            pytest.param([f"other/cam0/{kind}" for kind in OWN], id="under-another-prefix"),
            pytest.param(["nasion/cam0", "nasion/cam0/else", "nasion/cam0/person/x", "cam0", "x"], id="anywhere-else"),
        ],
    )
    def test_a_camera_writes_nothing_else(self, come: Come, topics: List[str]) -> None:
        assert verdicts(come("cam0"), topics) == dict.fromkeys(topics, False)

    @pytest.mark.parametrize("camera", ["cam0", "robot"])
    def test_a_robot_writes_nothing_not_even_as_if_it_were_a_camera(self, come: Come, camera: str) -> None:
        topics = [f"nasion/{camera}/{kind}" for kind in OWN + SET]
        assert verdicts(come("robot"), topics) == dict.fromkeys(topics, False)

    def test_an_operator_sets_and_does_nothing_else(self, come: Come) -> None:
        operator = come("operator")
        topics = [f"nasion/cam0/{kind}" for kind in SET]
        assert verdicts(operator, topics) == dict.fromkeys(topics, True)
        for camera in ("cam0", "operator"):
            topics = [f"nasion/{camera}/{kind}" for kind in OWN]
            assert verdicts(operator, topics) == dict.fromkeys(topics, False)


class TestReading:
    @pytest.mark.parametrize(
        ("user", "kinds"),
        [
            ("cam0", ["status", *SET]),
            ("cam1", []),
            ("robot", [kind for kind in OWN if kind != "image"]),
            ("operator", OWN + SET),
        ],
    )
    def test_everybody_hears_what_is_theirs(self, come: Come, until: Until, user: str, kinds: List[str]) -> None:
        """Mosquitto takes a subscription to anything and withholds what is not to be heard."""
        listener = come(user).listen()
        camera, operator = come("cam0"), come("operator")
        for kind in OWN:
            camera.say(f"nasion/cam0/{kind}")
        for kind in SET:
            operator.say(f"nasion/cam0/{kind}")
        # What may be heard has come when the last word, which may be, is there.
        last = f"nasion/{user}/set/threshold" if user.startswith("cam") else "nasion/cam0/status"
        (operator if "/set/" in last else camera).say(last)
        expected = [*(f"nasion/cam0/{kind}" for kind in kinds), last]
        until(lambda: listener.heard.count(last) == expected.count(last))
        assert sorted(listener.heard) == sorted(expected)


def trusting(shipped: Shipped) -> ssl.SSLContext:
    """Strictly, as Python does from 3.13 on."""
    context = ssl.create_default_context(cafile=str(shipped.secrets / "ca.pem"))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


class TestComingIn:
    @pytest.mark.parametrize("tls", [False, True])
    @pytest.mark.parametrize(
        ("user", "password", "welcome"),
        [
            ("robot", None, "Success"),
            ("robot", "wrong", "Not authorized"),
            ("robot", "", "Not authorized"),
            ("stranger", "wrong", "Not authorized"),
            (None, None, "Not authorized"),
        ],
    )
    def test_only_with_name_and_password(
        self, shipped: Shipped, come: Come, user: Optional[str], password: Optional[str], welcome: str, tls: bool
    ) -> None:
        context = trusting(shipped) if tls else None
        assert come(user, password, context).welcome == welcome

    def test_another_users_password_is_wrong(self, shipped: Shipped, come: Come) -> None:
        assert come("robot", shipped.password("operator")).welcome == "Not authorized"

    def test_plain_words_are_not_heard_on_the_port_for_tls(self, shipped: Shipped) -> None:
        with socket.create_connection(("127.0.0.1", shipped.tls), timeout=PATIENCE_S) as connection:
            connection.sendall(b"\x10\x0f\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x02me")
            try:
                answer = connection.recv(100)
            except ConnectionResetError:
                answer = b""
        assert answer[:1] != b"\x20", "a CONNACK"

    @pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
    def test_tls_older_than_1_2_is_refused(self, shipped: Shipped) -> None:
        context = trusting(shipped)
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", shipped.tls), timeout=PATIENCE_S) as connection, pytest.raises(
            ssl.SSLError, match="PROTOCOL_VERSION"
        ):
            context.wrap_socket(connection, server_hostname="localhost")

    def test_nothing_is_remembered_over_a_restart(self, tmp_path: Path, secrets: Path, until: Until) -> None:
        broker = Broker(tmp_path, secrets)
        with broker as shipped:
            camera = Person(shipped, "cam0")
            camera.say("nasion/cam0/status", retain=True)
            listener = Person(shipped, "robot").listen()
            until(lambda: listener.heard == ["nasion/cam0/status"])
            camera.end()
            listener.end()
        with broker as shipped:
            listener, camera = Person(shipped, "robot").listen(), Person(shipped, "cam0")
            camera.say("nasion/cam0/person")
            until(lambda: listener.heard)
            assert listener.heard == ["nasion/cam0/person"]
            camera.end()
            listener.end()
        assert [path.name for path in tmp_path.iterdir()] == ["mosquitto.conf"]

    def test_it_can_ask_for_certificates_too(self, tmp_path: Path, secrets: Path, until: Until) -> None:
        files = {"cert_file": str(secrets / "arm.pem"), "key_file": str(secrets / "arm.key")}
        with Broker(tmp_path, secrets, ("#require_certificate true", "require_certificate true")) as shipped:
            for more, said in ((files, ": connected"), ({}, "it asks for a client certificate")):
                events: List[str] = []
                receiver = Receiver(
                    shipped.settings("robot", **more),
                    client_id="t",
                    on_heard=print,
                    on_event=events.append,
                )
                receiver.start()
                until(lambda events: events, events)
                receiver.stop()
                assert said in events[0]


class TestTheWholeWay:
    """Publisher and receiver, configured as a robot is."""

    def test_a_robot_hears_its_camera(self, shipped: Shipped, clock: Any, seen: Any, until: Until) -> None:
        heard: List[Heard] = []
        events: List[str] = []
        receiver = Receiver(
            shipped.settings("robot", max_age_ms=10_000.0),
            client_id="r",
            on_heard=heard.append,
            on_event=events.append,
        )
        receiver.start()
        publisher = open_publisher(
            shipped.settings("cam0"), camera="cam0", session="s1", clock=clock, on_event=events.append
        )
        publisher.start()
        until(lambda: heard)
        publisher.publish(*seen(0, max_age_ms=10_000.0))
        until(lambda: any(isinstance(one, Accepted) for one in heard))
        publisher.stop()
        receiver.stop()
        assert len(events) == 2
        assert all(event.endswith(": connected") for event in events)
        assert publisher.counters()["acknowledged"] == 1
        assert shipped.password("cam0") not in str(events)

    def test_a_camera_obeys_its_operator_and_nobody_else(
        self, shipped: Shipped, come: Come, clock: Any, until: Until
    ) -> None:
        events: List[str] = []
        publisher = open_publisher(
            shipped.settings("cam0"), camera="cam0", session="s1", clock=clock, on_event=events.append
        )
        told = RunSettings.model_validate({"cameras": [{"source": "demo:"}]})
        controls = Controls("cam0", told, threshold=0.6, session="s1", clock=clock, on_event=events.append)
        publisher.obey(controls)
        robot, operator, other = come("robot").listen(), come("operator"), come("cam1")
        publisher.start()
        until(lambda: robot.heard.count("nasion/cam0/state/image") == 1)
        for who in (robot, other):
            assert who.say("nasion/cam0/set/image", payload=b'{"value": true}') == "Not authorized"
        assert operator.say("nasion/cam0/set/max_persons", payload=b'{"value": 3}') == "Success"
        until(lambda: robot.heard.count("nasion/cam0/state/max_persons") == 2)
        publisher.stop()
        assert (controls.in_force.max_persons, controls.in_force.image.enabled) == (3, False)
        assert [event for event in events if "refuse" in event] == []

    def test_two_programs_with_the_credentials_of_one_camera_notice_each_other(
        self, shipped: Shipped, clock: Any, until: Until
    ) -> None:
        programs = [
            open_publisher(shipped.settings("cam0"), camera="cam0", session=session, clock=clock, on_event=print)
            for session in ("s1", "s2")
        ]
        for program in programs:
            program.start()
            until(lambda program: program.counters()["connections"] == 1, program)
        until(lambda: [program.counters()["duplicates"] for program in programs] == [1, 1])
        for program in programs:
            program.stop()

    def test_a_camera_under_anothers_name_is_refused_said_once_and_counted(
        self, shipped: Shipped, clock: Any, seen: Any, until: Until
    ) -> None:
        events: List[str] = []
        publisher = open_publisher(
            shipped.settings("cam1"), camera="cam0", session="s1", clock=clock, on_event=events.append
        )
        publisher.start()
        for seq in range(3):
            publisher.publish(*seen(seq))
            until(lambda count: publisher.counters()["refused"] == count, seq + 1)
        publisher.stop()
        assert events[0].endswith(": connected")
        refusals = [f"cam0: the broker refuses nasion/cam0/{kind}: Not authorized" for kind in ("status", "person")]
        assert events[1:] == refusals


class TestMakingSecrets:
    def test_nobody_but_the_owner_can_read_what_is_secret(self, secrets: Path) -> None:
        for path in secrets.iterdir():
            public = path.suffix == ".pem"
            assert path.stat().st_mode & 0o777 == (0o644 if public else 0o600), path

    def test_passwords_are_random_and_only_their_hashes_are_the_brokers(self, secrets: Path) -> None:
        passwords = {path.read_text().strip() for path in secrets.glob("*.password")}
        assert len(passwords) == 4
        assert min(map(len, passwords)) >= 32
        told = (secrets / "passwords").read_text()
        assert [password for password in passwords if password in told] == []

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "mosquitto", "robot7.local", "10.1.2.3"])
    def test_the_certificate_is_for_every_host(self, secrets: Path, host: str) -> None:
        check = "-checkip" if host[0].isdigit() else "-checkhost"
        told = subprocess.run(
            ["openssl", "x509", "-in", str(secrets / "server.pem"), "-noout", check, host],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert "does match" in told

    def test_what_is_there_is_kept_and_only_what_is_new_is_added(self, tmp_path: Path) -> None:
        assert make_secrets(tmp_path).returncode == 0
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        again = make_secrets(tmp_path)
        assert (again.returncode, again.stdout) == (0, "")
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
        more = make_secrets(tmp_path, "--user", "cam1", "--client", "arm")
        assert more.returncode == 0
        after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        assert set(after) - set(before) == {"cam1.password", "arm.pem", "arm.key"}
        assert {name for name in before if before[name] != after[name]} <= {"passwords", "ca.srl"}
        assert after["passwords"].startswith(before["passwords"])

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["--user", "a/b"], "--user needs a name of letters"),
            (["--user", "a:b"], "a:b cannot be the name"),
            (["--client", "ca"], "ca cannot be the name"),
            (["--host", "-x"], "--host needs a name"),
            (["--user"], "--user needs a name"),
            (["--nonsense"], "unknown argument --nonsense"),
            (["second"], "one folder, not also second"),
        ],
    )
    def test_bad_usage_is_one_line_and_makes_nothing(self, tmp_path: Path, arguments: List[str], said: str) -> None:
        made = make_secrets(tmp_path / "secrets", *arguments)
        assert made.returncode == 2
        assert said in made.stderr
        assert made.stderr.count("\n") == 1
        assert not (tmp_path / "secrets").exists()

    def test_what_git_has_holds_no_secret(self) -> None:
        shipped = {path.name for path in SHIPPED.rglob("*")}
        assert {"acl", "make_secrets", "mosquitto.conf"} <= shipped
        assert not [name for name in shipped if name == "passwords" or name.endswith((".key", ".pem", ".password"))]
