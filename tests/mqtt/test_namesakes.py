"""Two programs that speak for one camera: each notices the other and says so, and `status` tells who is left."""

import json
import os
import signal
import time
from typing import Any, Callable, Dict, Iterator, List, Tuple

import pytest
from nasion.mqtt.broker import PrivateBroker
from nasion.mqtt.namesakes import MOST, Namesakes
from nasion.mqtt.publisher import open_publisher
from nasion.mqtt.publishing import Publisher
from nasion.settings import MqttSettings
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

Until = Callable[..., None]
STATUS = "nasion/cam0/status"


class Program:
    """A publisher for ``cam0`` and what it has to say to people."""

    def __init__(self, broker: PrivateBroker, clock: Any, session: str) -> None:
        self.events: List[str] = []
        self._publisher: Publisher = open_publisher(
            MqttSettings(url=broker.url), camera="cam0", session=session, clock=clock, on_event=self.events.append
        )
        self._publisher.start()

    def stop(self) -> None:
        self._publisher.stop()

    @property
    def duplicates(self) -> int:
        return self._publisher.counters()["duplicates"]

    @property
    def said(self) -> List[str]:
        """Of others of its name."""
        return [event for event in self.events if "duplicate camera" in event]


Begin = Callable[[str], Program]


@pytest.fixture
def begin(broker: PrivateBroker, clock: Any) -> Iterator[Begin]:
    programs: List[Program] = []

    def begin(session: str) -> Program:
        programs.append(Program(broker, clock, session))
        return programs[-1]

    yield begin
    for program in programs:
        program.stop()


@pytest.fixture
def say(broker: PrivateBroker) -> Iterator[Callable[..., None]]:
    """``say(payload)``: somebody else's words on the camera's `status`."""
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()

    def say(payload: Any, *, retain: bool = True) -> None:
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        client.publish(STATUS, body, qos=1, retain=retain).wait_for_publish()

    yield say
    client.disconnect()
    client.loop_stop()


def status(session: str, process: str = "online") -> Dict[str, Any]:
    told = {"session": session, "process": process, "source": "ok", "duplicate": False}
    return {"schema": 1, "camera": "cam0", "at": 1.0, **told}


def heard(witness: Any) -> List[Tuple[str, str, bool]]:
    statuses = [json.loads(arrival.payload) for arrival in witness.on(STATUS)]
    return [(said["session"], said["process"], said["duplicate"]) for said in statuses]


def test_both_notice_say_it_once_and_who_stays_takes_it_back(
    broker: PrivateBroker, begin: Begin, watch: Any, until: Until
) -> None:
    witness = watch(broker)
    first = begin("s1")
    until(lambda: heard(witness) == [("s1", "online", False)])
    second = begin("s2")
    until(lambda: {("s1", "online", True), ("s2", "online", True)} <= set(heard(witness)))
    time.sleep(0.2)
    # One word each, and then they leave it at that.
    assert len(heard(witness)) == 4
    assert (first.duplicates, second.duplicates) == (1, 1)
    assert [len(program.said) for program in (first, second)] == [1, 1]
    assert "session 's2') publishes as nasion/cam0, too; give each camera its own name" in first.said[0]

    second.stop()
    until(lambda: heard(witness)[-1] == ("s1", "online", False))
    late = watch(broker)
    until(lambda: heard(late))
    # What stays with the broker is of the program that is left, not the farewell of the other.
    assert heard(late) == [("s1", "online", False)]
    assert first.said[-1].endswith("we are the only one again that publishes as nasion/cam0")
    first.stop()
    until(lambda: heard(witness)[-1] == ("s1", "stopped", False))
    assert heard(witness)[-3:] == [("s2", "stopped", True), ("s1", "online", False), ("s1", "stopped", False)]


def test_three_know_of_each_other(broker: PrivateBroker, begin: Begin, watch: Any, until: Until) -> None:
    witness = watch(broker)
    programs = []
    for session in ("s1", "s2", "s3"):
        programs.append(begin(session))
        until(lambda session: session in [said[0] for said in heard(witness)], session)
    until(lambda: [program.duplicates for program in programs] == [1, 1, 1])
    programs[2].stop()
    until(lambda: ("s3", "stopped", True) in heard(witness))
    time.sleep(0.2)
    # The two that are left still have each other.
    assert {said[2] for said in heard(witness)[-2:]} == {True}
    assert [program.duplicates for program in programs] == [1, 1, 1]


def test_a_last_will_that_comes_after_our_online_does_not_stay(
    broker: PrivateBroker, begin: Begin, watch: Any, until: Until, say: Callable[..., None]
) -> None:
    """A robot's computer dies, another one takes over at once, and only then does the broker miss the first."""
    witness = watch(broker)
    program = begin("s2")
    until(lambda: heard(witness))
    say(status("s1", "offline"))
    until(lambda: len(heard(witness)) == 3)
    assert [said[:2] for said in heard(witness)] == [("s2", "online"), ("s1", "offline"), ("s2", "online")]
    assert (program.duplicates, program.said) == (0, [])


def test_what_a_dead_session_left_with_the_broker_is_no_other_program(
    broker: PrivateBroker, begin: Begin, watch: Any, until: Until, say: Callable[..., None]
) -> None:
    say(status("dead"))
    witness = watch(broker)
    program = begin("s1")
    until(lambda: len(heard(witness)) == 2)
    time.sleep(0.2)
    assert heard(witness) == [("dead", "online", False), ("s1", "online", False)]
    assert program.duplicates == 0


def test_who_goes_and_comes_back_is_a_new_episode(begin: Begin, until: Until, say: Callable[..., None]) -> None:
    program = begin("s1")
    until(lambda: program.events)
    for process in ("online", "online", "offline"):
        say(status("s2", process))
    until(lambda: len(program.said) == 2)
    assert program.duplicates == 1
    say(status("s2"))
    until(lambda: program.duplicates == 2)


def test_what_was_known_of_others_is_forgotten_with_the_connection(
    kept_port: int, clock: Any, watch: Any, until: Until
) -> None:
    """They may have died with the broker, which then has no last will to say."""
    with PrivateBroker(kept_port) as first:
        staying, other = Program(first, clock, "s1"), Program(first, clock, "s2")
        until(lambda: staying.duplicates == other.duplicates == 1)
        os.kill(first.pid, signal.SIGKILL)
        until(lambda: "connection lost" in " ".join(other.events))
        other.stop()
    with PrivateBroker(kept_port) as second:
        witness = watch(second)
        until(lambda: heard(witness))
        staying.stop()
        until(lambda: len(heard(witness)) == 2)
        assert heard(witness) == [("s1", "online", False), ("s1", "stopped", False)]


@pytest.mark.parametrize(
    "payload",
    [b"", b"\xff", b"null", b"[]", b"{}", b'{"session": 1, "process": "online"}', b"[" * 100_000, status("s1")],
    ids=repr,
)
def test_no_words_of_others_break_it(begin: Begin, until: Until, say: Callable[..., None], payload: Any) -> None:
    program = begin("s1")
    until(lambda: program.events)
    say(payload)
    say(status("s2"))
    until(lambda: program.duplicates == 1)
    assert len(program.said) == 1


def test_made_up_sessions_do_not_pile_up(begin: Begin, until: Until, say: Callable[..., None]) -> None:
    program = begin("s1")
    until(lambda: program.events)
    for number in range(3 * MOST):
        say(status(f"made-up-{number}"))
    for number in range(MOST):
        say(status(f"made-up-{number}", "stopped"))
    until(lambda: len(program.said) == 2)
    assert program.duplicates == 1


class _Refusal:
    is_failure = True


class _Asking:
    """Of a client only what is asked of it here."""

    def message_callback_add(self, topic: str, callback: Any) -> None: ...

    def subscribe(self, topic: str, options: Any) -> Tuple[int, int]:  # noqa: ARG002
        return 0, 7


def test_a_broker_that_does_not_let_us_hear_is_told() -> None:
    events: List[str] = []
    asking: Any = _Asking()
    ours = Namesakes("nasion", "cam0", "s1", on_first=print, on_say=print, on_event=events.append)
    ours.prepare(asking)
    ours.up()
    ours.subscribed(6, [_Refusal()])
    assert events == []
    ours.subscribed(7, [_Refusal()])
    assert events == [f"the broker does not let us hear {STATUS}; another program there goes unnoticed"]
