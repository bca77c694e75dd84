"""A receiver hands on what may be acted upon, and refuses the rest with the reason."""

import itertools
import json
import os
import signal
import time
from typing import Any, Callable, Dict, Iterator, List, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.errors import InputError
from nasion.messages import PersonMessage, StatusMessage
from nasion.mqtt.broker import PrivateBroker
from nasion.mqtt.judge import Now, read_boot_id, read_now
from nasion.mqtt.receiver import MOST_CAMERAS, Accepted, Heard, Judges, Receiver, Refused, judge_status
from nasion.settings import MqttSettings
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

NOW_NS = 1_700_000_000_000_000_000
#: A host that has been up for a day.
MONOTONIC_NS = 86_400_000_000_000
NOW = Now(NOW_NS, MONOTONIC_NS, MONOTONIC_NS)
Until = Callable[..., None]


def payload(captured_at_ns: int, **changed: Any) -> bytes:
    """A good message in JSON, but for the fields that are ``changed``; of this host, whose boot is `read_boot_id`."""
    message = PersonMessage(
        session="s1",
        seq=3,
        camera="cam0",
        frame_id="cam0_left_camera_optical_frame",
        captured_at=captured_at_ns / 1e9,
        captured_ns=str(captured_at_ns),
        published_at=captured_at_ns / 1e9,
        max_age_ms=200.0,
        persons=[],
        reason="no_face",
        latency_ms={},
    )
    return json.dumps({**json.loads(message.to_json()), **changed}).encode()


def ours(ago_s: float = 0.0, **changed: Any) -> bytes:
    """A message of this host and moment."""
    now = read_now()
    stamp_ns = now.monotonic_ns - int(ago_s * 1e9)
    return payload(now.utc_ns, monotonic_ns=str(stamp_ns), boot_id=read_boot_id(), **{"max_age_ms": 10_000, **changed})


HERE: Dict[str, Any] = {"monotonic_ns": str(MONOTONIC_NS - 10_000_000), "boot_id": "boot-1"}


def judges(camera: Optional[str] = None) -> Judges:
    return Judges("nasion", camera, max_age_ms=200.0, boot_id="boot-1")


def test_the_verdict_is_the_judges_and_the_message_is_read() -> None:
    judging = judges()
    heard = judging.hear("nasion/cam0/person", False, payload(NOW_NS, **HERE), NOW)
    assert isinstance(heard, Accepted)
    assert (heard.message.seq, heard.age_ms, heard.offset_ms) == (3, 10.0, None)
    again = judging.hear("nasion/cam0/person", False, payload(NOW_NS, **HERE), NOW)
    assert again == Refused("cam0", "repeated", "seq 3 after 3")
    assert judging.counts == {"accepted": 1, "repeated": 1}


def test_what_a_newer_publisher_says_beside_is_left_out() -> None:
    person = {
        "track_id": 1,
        "probability": 0.9,
        "pixel": [1, 2],
        "bearing_rad": [0, 0],
        "valid": False,
        "reason": "jump",
        "hat": True,
        **dict.fromkeys(("depth_m", "range_m", "position_m", "covariance_m2")),
        "depth": {"value": 2, "count": 25, "of": 25, "spread": 0, "hat": 1},
    }
    told = payload(NOW_NS, persons=[person], reason=None, hat="on", max_gap_ms=100, **HERE)
    heard = judges().hear("nasion/cam0/person", False, told, NOW)
    assert isinstance(heard, Accepted)
    assert heard.message.persons[0].depth.value == 2.0


def test_another_hosts_wall_clocks_offset_is_shown() -> None:
    judging = judges()
    for number in range(7):
        now = Now(*(clock + number * 100_000_000 for clock in NOW))
        stamp = str(5_000_000_000 + number * 100_000_000)
        published_at = (now.utc_ns - 7e6) / 1e9
        told = payload(
            now.utc_ns - 90_000_000, seq=number, monotonic_ns=stamp, boot_id="boot-2", published_at=published_at
        )
        heard = judging.hear("nasion/cam0/person", False, told, now)
    assert isinstance(heard, Accepted)
    assert heard.age_ms == 90.0
    assert heard.offset_ms == pytest.approx(7.0, abs=0.01)


@pytest.mark.parametrize(
    "name",
    ["nasion/rear/person", "other/cam0/person", "nasion/cam0/other", "nasion/cam0", "", "nasion/a\x1b[2J/person"],
)
def test_other_topics_are_refused(name: str) -> None:
    heard = judges("cam0").hear(name, False, b"", NOW)
    assert isinstance(heard, Refused)
    assert (heard.camera, heard.cause) == ("+", "other_topic")


def test_names_without_end_are_not_followed() -> None:
    judging = judges()
    heard = [judging.hear(f"nasion/c{number}/{kind}", False, b"x", NOW) for number in range(1000) for kind in KINDS]
    assert {one.camera for one in heard if isinstance(one, Refused)} == {f"c{n}" for n in range(MOST_CAMERAS)} | {"+"}
    assert sum(judging.counts.values()) == len(heard)


KINDS = ("person", "status")
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner), max_leaves=5
)
FIELDS = sorted(json.loads(payload(NOW_NS, **HERE)))


@given(st.binary() | anything.map(lambda value: json.dumps(value).encode()))
def test_no_payload_breaks_the_receiver(garbage: bytes) -> None:
    for kind in KINDS:
        heard = judges().hear(f"nasion/cam0/{kind}", False, garbage, NOW)
        assert isinstance(heard, Refused)
        assert heard.cause in {"malformed", "not_json", "other_schema"}
        assert heard.detail.isprintable()


@given(st.dictionaries(st.sampled_from(FIELDS), anything, min_size=1))
def test_no_wrong_value_in_a_field_breaks_the_receiver(changed: Dict[str, Any]) -> None:
    heard = judges().hear("nasion/cam0/person", False, payload(NOW_NS, **{**HERE, **changed}), NOW)
    assert isinstance(heard, (Accepted, Refused))
    assert getattr(heard, "cause", "accepted") != "error"


def test_a_status_is_read_whatever_its_age() -> None:
    status = StatusMessage(session="s1", camera="cam0", process="online", source="ok", at=1.0)
    assert judge_status("cam0", status.to_json().encode()) == status
    other = {**json.loads(status.to_json()), "\x1b[2J": 1}
    for wrong, cause in (
        (status.to_json().replace("cam0", "cam1"), "other_camera"),
        (status.to_json().replace('"schema":1', '"schema":2'), "other_schema"),
        (json.dumps(other), "malformed"),
        (" " * 65_537, "too_large"),
    ):
        refused = judge_status("cam0", wrong.encode())
        assert isinstance(refused, Refused)
        assert refused.cause == cause
        assert refused.detail.isprintable()


def test_a_receiver_needs_a_broker() -> None:
    with pytest.raises(InputError, match="needs a broker"):
        Receiver(MqttSettings(url="none"), client_id="t", on_heard=print, on_event=print)


class Talker:
    """Says anything on any topic."""

    def __init__(self, broker: PrivateBroker) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def say(self, topic: str, what: bytes, retain: bool = False) -> None:
        self._client.publish(topic, what, qos=1, retain=retain).wait_for_publish(20)

    def end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def talker(broker: PrivateBroker) -> Iterator[Talker]:
    talker = Talker(broker)
    yield talker
    talker.end()


Listen = Callable[..., List[Heard]]


@pytest.fixture
def listening(broker: PrivateBroker, talker: Talker, until: Until) -> Iterator[Listen]:
    """``listening(camera=None)``: what a subscribed receiver has heard since."""
    receivers: List[Receiver] = []

    def listening(camera: Optional[str] = None, events: Optional[List[str]] = None) -> List[Heard]:
        heard: List[Heard] = []
        said = [] if events is None else events
        receiver = Receiver(
            MqttSettings(url=broker.url, max_age_ms=10_000.0),
            client_id=f"t{len(receivers)}",
            on_heard=heard.append,
            on_event=said.append,
            camera=camera,
        )
        receivers.append(receiver)
        receiver.start()
        # A retained status shows that the subscription stands.
        status = StatusMessage(session="s1", camera=camera or "cam0", process="online", source="ok", at=1.0)
        talker.say(f"nasion/{status.camera}/status", status.to_json().encode(), retain=True)
        until(lambda: heard)
        del heard[:]
        return heard

    yield listening
    for receiver in receivers:
        receiver.stop()


def test_messages_are_judged_as_they_arrive(talker: Talker, listening: Listen, until: Until) -> None:
    heard = listening()
    talker.say("nasion/cam0/person", ours(seq=1))
    talker.say("nasion/cam0/person", ours(11.0, seq=2))
    talker.say("nasion/cam0/person", ours(-100.0, seq=3))
    talker.say("nasion/cam0/person", ours(seq=1))
    talker.say("nasion/cam0/person", payload(time.time_ns(), session="s2"))
    talker.say("nasion/cam0/person", b"nonsense")
    until(lambda: len(heard) == 6)
    causes = [one.cause if isinstance(one, Refused) else type(one).__name__ for one in heard]
    assert causes == ["Accepted", "stale", "future", "repeated", "other_session", "not_json"]


def test_what_the_broker_kept_is_refused(talker: Talker, listening: Listen, until: Until) -> None:
    talker.say("nasion/cam0/person", ours(), retain=True)
    heard = listening()
    # It may come before the status that shows the subscription.
    late = listening()
    until(lambda: heard or late or True)
    talker.say("nasion/cam0/person", ours(seq=9))
    until(lambda: any(isinstance(one, Accepted) for one in late))
    assert [one.message.seq for one in late if isinstance(one, Accepted)] == [9]


def test_all_cameras_are_heard_or_only_the_one_asked_for(talker: Talker, listening: Listen, until: Until) -> None:
    every, one = listening(), listening("rear")
    for camera in ("front", "rear"):
        talker.say(f"nasion/{camera}/person", ours(camera=camera))
    talker.say("nasion/rear/other", b"not for us")
    talker.say("nasion/rear/deep/person", b"not for us")
    until(lambda: len([heard for heard in every if isinstance(heard, Accepted)]) == 2)
    until(lambda: one)
    assert [heard.message.camera for heard in one if isinstance(heard, Accepted)] == ["rear"]


def test_it_subscribes_anew_after_the_brokers_restart(kept_port: int, until: Until) -> None:
    heard: List[Heard] = []
    events: List[str] = []
    with PrivateBroker(kept_port) as first:
        receiver = Receiver(
            MqttSettings(url=first.url, max_age_ms=10_000.0),
            client_id="t",
            on_heard=heard.append,
            on_event=events.append,
        )
        receiver.start()
        until(lambda: events)
        os.kill(first.pid, signal.SIGKILL)
    with PrivateBroker(kept_port) as second:
        until(lambda: len(events) == 3)
        talker = Talker(second)

        def talk() -> bool:
            """It subscribes at a moment of its own; what it hears thereafter is not kept by the broker."""
            talker.say("nasion/cam0/person", ours(seq=next(seqs)))
            return bool(heard)

        seqs = itertools.count()
        until(talk)
        talker.end()
        receiver.stop()
    address = f"broker mqtt://127.0.0.1:{first.port}: "
    assert events[0] == f"{address}connected"
    assert events[1].startswith(f"{address}connection lost: ")
    assert events[2].startswith(f"{address}connected after ")
    assert receiver.counters() == {"accepted": len(heard)}


def test_nothing_is_handed_on_after_the_stop(broker: PrivateBroker, talker: Talker, until: Until) -> None:
    heard: List[Heard] = []
    events: List[str] = []
    receiver = Receiver(MqttSettings(url=broker.url), client_id="t", on_heard=heard.append, on_event=events.append)
    receiver.start()
    until(lambda: events)
    receiver.stop()
    talker.say("nasion/cam0/person", payload(time.time_ns()))
    time.sleep(0.1)
    assert not heard
