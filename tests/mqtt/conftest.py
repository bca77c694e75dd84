"""What the broker tests share: a real mosquitto, real time, and a witness that is not our own receiver."""

import json
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Iterator, List, Optional, Tuple

import jsonschema
import pytest
from nasion.messages import PersonMessage
from nasion.mqtt.boot import read_boot_id
from nasion.mqtt.broker import PrivateBroker
from nasion.mqtt.contract import CHANNELS, json_schema, name_of
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

#: Long enough for a machine that does other work; nothing waits this long when all is well.
PATIENCE_S = 20.0


class RealClock:
    """The host's clocks."""

    def utc_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))


@dataclass(frozen=True)
class Arrival:
    """A message as the broker delivered it."""

    topic: str
    payload: bytes
    retained: bool
    at_ns: int

    @property
    def person(self) -> PersonMessage:
        return PersonMessage.model_validate_json(self.payload, strict=True)

    @property
    def age_ms(self) -> float:
        return (self.at_ns - int(self.person.captured_ns)) / 1e6


NEW_KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"


class Authority:
    """An authority of the tests' own that certifies whatever it is asked to; PEM files in ``folder``."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self.ca_file = str(folder / f"{name}.pem")
        self._openssl(f"req -x509 {NEW_KEY} -days 2 -subj /CN={name} -keyout {name}.key -out {name}.pem")

    def certify(self, name: str, *names: str, days: int = 2) -> Tuple[str, str]:
        """A certificate and its key; ``names``: e.g. ``DNS:localhost``; below 0 days it has expired."""
        (self._folder / "extensions").write_text(f"subjectAltName={','.join(names)}\n" if names else "\n")
        self._openssl(f"req {NEW_KEY} -subj /CN={name} -keyout {name}.key -out {name}.request")
        self._openssl(
            f"x509 -req -in {name}.request -CA {self._name}.pem -CAkey {self._name}.key -CAcreateserial -days {days} "
            f"-extfile extensions -out {name}.pem"
        )
        return str(self._folder / f"{name}.pem"), str(self._folder / f"{name}.key")

    def _openssl(self, command: str) -> None:
        subprocess.run(["openssl", *command.split()], cwd=self._folder, check=True, capture_output=True)


@pytest.fixture(scope="session")
def make_authority(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Authority]:
    """``make_authority(name)``: one with a folder of its own."""
    return lambda name: Authority(tmp_path_factory.mktemp(name), name)


VALIDATORS = {
    name: jsonschema.Draft202012Validator(json_schema(name)) for name, channel in CHANNELS.items() if channel.model
}


def fault(arrival: Arrival) -> Optional[str]:
    """What is wrong with a message by the published contract; None where all is well."""
    _, _, levels = arrival.topic.split("/", 2)
    name = name_of(levels)
    if name is None:
        return f"{arrival.topic}: no topic of the contract"
    if CHANNELS[name].model is None:
        return None if arrival.payload[:2] == b"\xff\xd8" else f"{arrival.topic}: no JPEG"

    def no_constant(constant: str) -> None:
        raise AssertionError(f"{arrival.topic}: {constant} is not JSON")

    wrong = jsonschema.exceptions.best_match(
        VALIDATORS[name].iter_errors(json.loads(arrival.payload, parse_constant=no_constant))
    )
    return None if wrong is None else f"{arrival.topic}: {wrong.json_path}: {wrong.message}"


class Witness:
    """Plain paho that notes all it is sent, and is back within milliseconds of the broker's return.

    When it ends, everything that it was sent is held against the published schemas.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._arrivals: List[Arrival] = []
        self._ending = threading.Event()
        self._subscribed = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._ending.is_set():
            client = Client(
                CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False
            )
            client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
            client.on_subscribe = lambda *_: self._subscribed.set()
            client.on_message = self._note
            try:
                client.connect("127.0.0.1", self._port)
            except OSError:
                time.sleep(0.02)
                continue
            while client.loop(0.05) == 0 and not self._ending.is_set():
                pass
            self._subscribed.clear()
            client.disconnect()

    def _note(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._arrivals.append(Arrival(message.topic, bytes(message.payload), message.retain, time.time_ns()))

    def wait_subscribed(self) -> None:
        assert self._subscribed.wait(PATIENCE_S)

    def on(self, topic: str) -> List[Arrival]:
        return [arrival for arrival in list(self._arrivals) if arrival.topic == topic]

    @property
    def arrivals(self) -> List[Arrival]:
        return list(self._arrivals)

    @property
    def persons(self) -> List[PersonMessage]:
        return [arrival.person for arrival in self.on("nasion/cam0/person")]

    def end(self) -> None:
        self._ending.set()
        self._thread.join(PATIENCE_S)
        assert [wrong for wrong in map(fault, self._arrivals) if wrong] == []

    def begin(self) -> "Witness":
        self._thread.start()
        self.wait_subscribed()
        return self


@pytest.fixture
def clock() -> RealClock:
    return RealClock()


@pytest.fixture
def watch() -> Iterator[Callable[[PrivateBroker], Witness]]:
    """``watch(broker)``: a witness that is subscribed to everything."""
    witnesses: List[Witness] = []

    def watch(broker: PrivateBroker) -> Witness:
        witnesses.append(Witness(broker.port))
        return witnesses[-1].begin()

    yield watch
    for witness in witnesses:
        witness.end()


@pytest.fixture
def until() -> Callable[..., None]:
    """``until(happened, ...)``: wait for what must come; the test fails where it does not."""

    def until(happened: Callable[..., Any], *arguments: Any) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not happened(*arguments):
            assert time.monotonic() < deadline, "it did not happen"
            time.sleep(0.005)

    return until


Seen = Callable[..., Tuple[PersonMessage, int]]


@pytest.fixture
def seen() -> Seen:
    """``seen(seq, ...)``: a message about nobody, captured now or ``ago_s`` before, and its monotonic stamp."""

    def seen(
        seq: int,
        *,
        camera: str = "cam0",
        ago_s: float = 0.0,
        max_age_ms: float = 200.0,
        session: str = "s1",
        captured_ns: Optional[int] = None,
    ) -> Tuple[PersonMessage, int]:
        utc_ns = time.time_ns() - int(ago_s * 1e9) if captured_ns is None else captured_ns
        message = PersonMessage(
            session=session,
            seq=seq,
            camera=camera,
            frame_id=f"{camera}_left_camera_optical_frame",
            captured_at=utc_ns / 1e9,
            captured_ns=str(utc_ns),
            published_at=0.0,
            max_age_ms=max_age_ms,
            persons=[],
            reason="no_face",
            latency_ms={"total": 12.5},
        )
        monotonic_ns = time.monotonic_ns() - int(ago_s * 1e9)
        return message.stamped(monotonic_ns, read_boot_id()), monotonic_ns

    return seen
