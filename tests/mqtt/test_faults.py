"""What the publisher does when the broker, the network or the publisher itself fails. All with real processes."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional

import pytest
from nasion.messages import StatusMessage
from nasion.mqtt.broker import PrivateBroker
from nasion.mqtt.publisher import MqttPublisher, open_publisher
from nasion.mqtt.receiver import Accepted, Heard, Receiver, Refused
from nasion.settings import MqttSettings

from tests.mqtt.network_path import NetworkPath
from tests.program import attended

Until = Callable[..., None]
#: Generous, because the machine that runs the tests also does other work; the promise holds for any value.
MAX_AGE_MS = 400.0


@pytest.fixture
def events() -> List[str]:
    return []


Open = Callable[..., MqttPublisher]


@pytest.fixture
def opened(clock: Any, events: List[str]) -> Iterator[Open]:
    """``opened(url, ...)``: a publisher that has been started; stopped after the test."""
    publishers: List[MqttPublisher] = []

    def opened(url: str, **settings: Any) -> MqttPublisher:
        publisher = open_publisher(
            MqttSettings(url=url, max_age_ms=MAX_AGE_MS, **settings),
            camera="cam0",
            session="s1",
            clock=clock,
            on_event=events.append,
        )
        assert isinstance(publisher, MqttPublisher)
        publisher.start()
        publishers.append(publisher)
        return publisher

    yield opened
    for publisher in publishers:
        publisher.stop()


class Camera:
    """Publishes 30 messages a second until told to end."""

    def __init__(self, publisher: MqttPublisher, seen: Any) -> None:
        self._publisher = publisher
        self._seen = seen
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        seq = 0
        while not self._ending.wait(1 / 30):
            self._publisher.publish(*self._seen(seq, max_age_ms=MAX_AGE_MS))
            seq += 1

    def __enter__(self) -> "Camera":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()


def processes(witness: Any) -> List[str]:
    return [StatusMessage.model_validate_json(arrival.payload).process for arrival in witness.on("nasion/cam0/status")]


def assert_accounts_balance(counts: Dict[str, int]) -> None:
    assert counts["offered"] == counts["sent"] + counts["replaced"] + counts["stale"] + counts["unsent"]
    assert counts["sent"] == counts["acknowledged"] + counts["refused"] + counts["lost"]


def test_a_broker_that_is_not_there_yet_is_retried_and_nothing_old_is_sent_when_it_comes(
    kept_port: int, opened: Open, events: List[str], watch: Any, seen: Any, until: Until
) -> None:
    publisher = opened(f"mqtt://127.0.0.1:{kept_port}")
    for seq in range(3):
        publisher.publish(*seen(seq))
    until(lambda: events)
    time.sleep(1.3)  # Another attempt, and the messages grow old.
    assert events == [f"cam0: broker mqtt://127.0.0.1:{kept_port}: Connection refused; retrying"]
    assert not publisher.connected

    with PrivateBroker(kept_port) as broker:
        witness = watch(broker)
        until(lambda: publisher.counters()["stale"] == 1)
        publisher.publish(*seen(3))
        until(lambda: witness.persons)
        assert [message.seq for message in witness.persons] == [3]
        assert ": connected after " in events[1]
        assert events[2:] == ["cam0: not sent meanwhile: 2 replaced"]
        publisher.stop()
    counts = publisher.counters()
    assert (counts["replaced"], counts["stale"], counts["acknowledged"]) == (2, 1, 1)
    assert_accounts_balance(counts)


def test_what_was_in_flight_when_the_broker_died_is_not_sent_to_the_next_one(
    kept_port: int, opened: Open, events: List[str], watch: Any, seen: Any, until: Until
) -> None:
    with PrivateBroker(kept_port) as first:
        publisher = opened(first.url)
        until(lambda: publisher.connected)
        publisher.publish(*seen(0))
        until(lambda: publisher.counters()["acknowledged"] == 1)
        os.kill(first.pid, signal.SIGSTOP)
        publisher.publish(*seen(1))
        until(lambda: publisher.counters()["sent"] == 2)
        publisher.publish(*seen(2))
        os.kill(first.pid, signal.SIGKILL)
    with PrivateBroker(kept_port) as second:
        witness = watch(second)
        time.sleep(MAX_AGE_MS / 1000)
        until(lambda: publisher.connected)
        publisher.publish(*seen(3))
        until(lambda: witness.persons)
        publisher.stop()
        # The broker acknowledges a message before it has handed it on.
        until(lambda: processes(witness)[-1] == "stopped")
        assert [message.seq for message in witness.persons] == [3]
    counts = publisher.counters()
    assert (counts["lost"], counts["acknowledged"], counts["connections"]) == (1, 2, 2)
    assert_accounts_balance(counts)
    assert "connection lost" in events[1]
    assert "connected after" in events[-2]
    assert events[-1] == "cam0: not sent meanwhile: 1 lost"


def test_a_broker_killed_and_restarted_under_load_delivers_only_fresh_messages(
    kept_port: int, opened: Open, watch: Any, seen: Any, until: Until
) -> None:
    publisher = opened(f"mqtt://127.0.0.1:{kept_port}")
    with Camera(publisher, seen):
        for _ in range(3):
            with PrivateBroker(kept_port) as broker:
                witness = watch(broker)
                until(lambda witness: len(witness.persons) >= 10, witness)
                os.kill(broker.pid, signal.SIGKILL)
            arrivals = witness.on("nasion/cam0/person")
            assert all(arrival.age_ms <= MAX_AGE_MS for arrival in arrivals)
            seqs = [arrival.person.seq for arrival in arrivals]
            assert seqs == sorted(set(seqs))
    publisher.stop()
    assert_accounts_balance(publisher.counters())


@pytest.mark.parametrize(
    "keepalive_s",
    [
        pytest.param(2, id="frozen-for-less-than-it-takes-to-notice"),
        pytest.param(1, id="frozen-until-the-connection-is-given-up"),
    ],
)
def test_a_broker_frozen_for_three_seconds_delivers_at_most_one_stale_message_and_the_receiver_refuses_it(
    broker: PrivateBroker, opened: Open, watch: Any, seen: Any, until: Until, keepalive_s: int
) -> None:
    heard: List[Heard] = []
    witness = watch(broker)
    # As patient as the witness, so that the broker does not end it for the silence that is its own.
    receiver = Receiver(
        MqttSettings(url=broker.url, keepalive_s=60),
        client_id="test",
        on_heard=heard.append,
        on_event=print,
    )
    receiver.start()
    publisher = opened(broker.url, keepalive_s=keepalive_s)

    def accepted() -> List[int]:
        return [one.message.seq for one in list(heard) if isinstance(one, Accepted)]

    with Camera(publisher, seen):
        until(lambda: len(accepted()) >= 10)
        os.kill(broker.pid, signal.SIGSTOP)
        time.sleep(3)
        before = accepted()
        os.kill(broker.pid, signal.SIGCONT)
        until(lambda: len(accepted()) >= len(before) + 30)
    publisher.stop()
    receiver.stop()
    until(lambda: processes(witness)[-1] == "stopped")

    stale = [arrival.person.seq for arrival in witness.on("nasion/cam0/person") if arrival.age_ms > MAX_AGE_MS]
    refused = [one.cause for one in heard if isinstance(one, Refused)]
    # The freeze may fall between the broker's handing of one message to the two of them: to one it was still fresh.
    assert stale or refused
    assert len(stale) <= 1
    assert refused in ([], ["stale"])
    assert refused or stale[0] in before
    assert all(one.age_ms <= MAX_AGE_MS for one in heard if isinstance(one, Accepted))
    # 90 pictures in three seconds; a busy machine takes fewer.
    assert publisher.counters()["replaced"] >= 20
    assert_accounts_balance(publisher.counters())


PUBLISH_FOR_EVER = """
import sys, time
from nasion.mqtt.publisher import open_publisher
from nasion.settings import MqttSettings

class Clock:
    utc_ns = staticmethod(time.time_ns)
    monotonic_ns = staticmethod(time.monotonic_ns)

open_publisher(MqttSettings(url=sys.argv[1]), camera="cam0", session="s1", clock=Clock(), on_event=print).start()
time.sleep(60)
"""


def test_when_the_publisher_is_killed_the_broker_says_offline(
    broker: PrivateBroker, watch: Any, until: Until, tmp_path: Path
) -> None:
    witness = watch(broker)
    with attended(subprocess.Popen([sys.executable, "-c", PUBLISH_FOR_EVER, broker.url], cwd=tmp_path)) as process:
        until(lambda: processes(witness) == ["online"])
        process.kill()
    until(lambda: processes(witness) == ["online", "offline"])
    late = watch(broker)
    until(lambda: processes(late))
    will = StatusMessage.model_validate_json(late.on("nasion/cam0/status")[0].payload, strict=True)
    assert (will.process, will.source, will.session) == ("offline", "lost", "s1")


class Cable(NetworkPath):
    """One that can be cut, so that neither end hears of it."""

    def __init__(self, port: int) -> None:
        self.cut = threading.Event()
        super().__init__(port, self._begin_uncut)

    def _begin_uncut(self) -> Callable[[], bool]:
        # Only the connections made so far are cut.
        cut = self.cut
        return lambda: not cut.is_set()

    def cut_now(self) -> None:
        self.cut.set()
        self.cut = threading.Event()


def test_after_a_cut_cable_the_last_word_is_online_not_the_last_will_of_the_old_connection(
    broker: PrivateBroker, opened: Open, watch: Any, until: Until
) -> None:
    witness = watch(broker)
    cable = Cable(broker.port)
    publisher = opened(f"mqtt://127.0.0.1:{cable.port}", keepalive_s=1)
    until(lambda: processes(witness) == ["online"])
    cable.cut_now()
    until(lambda: not publisher.connected)
    until(lambda: publisher.connected)
    time.sleep(2.5)  # The broker would have noticed the old connection's silence by now.
    assert processes(witness)[-1] == "online"
    assert set(processes(witness)) <= {"online", "offline"}
    cable.close()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[PrivateBroker]:
    """A broker that knows the user `robot` with the password `right`."""
    passwords = tmp_path / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "robot", "right"], check=True)
    with PrivateBroker(options=["allow_anonymous false", f"password_file {passwords}"]) as broker:
        yield broker


@pytest.mark.parametrize("user", ["robot:wrong-one", "robot", "nobody:right", None])
def test_refused_credentials_are_said_by_name_and_never_shown_nor_called_connected(
    guarded: PrivateBroker, opened: Open, events: List[str], seen: Any, until: Until, user: Optional[str]
) -> None:
    publisher = opened(f"mqtt://{user}@127.0.0.1:{guarded.port}" if user else guarded.url)
    publisher.publish(*seen(0))
    until(lambda: events)
    time.sleep(0.1)
    assert len(events) == 1
    assert "the broker refuses us: Not authorized; we came " in events[0]
    assert "wrong-one" not in events[0]
    assert not publisher.connected
    assert publisher.counters()["sent"] == 0


def test_right_credentials_are_accepted(guarded: PrivateBroker, opened: Open, events: List[str], until: Until) -> None:
    publisher = opened(f"mqtt://robot:right@127.0.0.1:{guarded.port}")
    until(lambda: events)
    assert events == [f"cam0: broker mqtt://robot:***@127.0.0.1:{guarded.port}: connected"]
    assert publisher.connected


def test_a_server_that_does_not_speak_mqtt_is_retried(opened: Open, events: List[str], until: Until) -> None:
    server = socket.create_server(("127.0.0.1", 0))
    answered = []

    def answer() -> None:
        for _ in range(2):
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                answered.append(1)

    thread = threading.Thread(target=answer)
    thread.start()
    publisher = opened(f"mqtt://127.0.0.1:{server.getsockname()[1]}")
    until(lambda: len(answered) == 2)
    thread.join()
    server.close()
    assert not publisher.connected
    assert "retrying" in events[0]


@pytest.fixture
def certified(tmp_path: Path) -> Iterator[PrivateBroker]:
    """A broker with a certificate for `localhost` that only ``tmp_path/ca.pem`` vouches for."""
    (tmp_path / "names").write_text("subjectAltName=DNS:localhost\n")
    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    for command in (
        f"req -x509 {key} -days 2 -subj /CN=authority -keyout ca.key -out ca.pem",
        f"req {key} -subj /CN=localhost -keyout key.pem -out request.pem",
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out certificate.pem",
    ):
        subprocess.run(["openssl", *command.split()], cwd=tmp_path, check=True, capture_output=True)
    files = [f"certfile {tmp_path}/certificate.pem", f"keyfile {tmp_path}/key.pem"]
    with PrivateBroker(options=["allow_anonymous true", *files]) as broker:
        yield broker


def test_tls_with_our_ca(
    certified: PrivateBroker, opened: Open, events: List[str], tmp_path: Path, seen: Any, until: Until
) -> None:
    publisher = opened(f"mqtts://localhost:{certified.port}", ca_file=str(tmp_path / "ca.pem"))
    until(lambda: publisher.connected)
    publisher.publish(*seen(0))
    until(lambda: publisher.counters()["acknowledged"] == 1)
    assert events == [f"cam0: broker mqtts://localhost:{certified.port}: connected"]


@pytest.mark.parametrize(
    ("host", "ca", "said"),
    [
        ("localhost", None, "its certificate is refused: unable to get local issuer certificate"),
        ("127.0.0.1", "ca.pem", "its certificate is refused: IP address mismatch"),
    ],
)
def test_a_certificate_that_cannot_be_verified_is_refused(
    certified: PrivateBroker,
    opened: Open,
    events: List[str],
    tmp_path: Path,
    until: Until,
    host: str,
    ca: Optional[str],
    said: str,
) -> None:
    publisher = opened(f"mqtts://{host}:{certified.port}", ca_file=ca and str(tmp_path / ca))
    until(lambda: events)
    assert said in events[0]
    assert not publisher.connected
