"""A receiver hands on what may be acted upon, and refuses the rest with the reason."""

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
from nasion.mqtt.receiver import (
    FUTURE_TOLERANCE_MS,
    Accepted,
    Heard,
    Now,
    Receiver,
    Refused,
    judge_person,
    judge_status,
)
from nasion.settings import MqttSettings
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

NOW_NS = 1_700_000_000_000_000_000
#: A host that has been up for a day.
MONOTONIC_NS = 86_400_000_000_000
NOW = Now(NOW_NS, MONOTONIC_NS, "boot-1")
Until = Callable[..., None]


def payload(captured_at_ns: int, **changed: Any) -> bytes:
    """A good message in JSON, but for the fields that are ``changed``."""
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


@given(age_ns=st.integers(-(10**12), 10**12), max_age_ms=st.floats(0.001, 1e6))
def test_a_message_is_accepted_exactly_while_it_is_fresh(age_ns: int, max_age_ms: float) -> None:
    heard = judge_person("cam0", payload(NOW_NS - age_ns, max_age_ms=max_age_ms), NOW)
    age_ms = age_ns / 1e6
    if age_ms > max_age_ms:
        assert isinstance(heard, Refused)
        assert heard.cause == "stale"
    elif age_ms < -FUTURE_TOLERANCE_MS:
        assert isinstance(heard, Refused)
        assert heard.cause == "future"
    else:
        assert isinstance(heard, Accepted)
        assert heard.age_ms == pytest.approx(age_ms)


def test_ages_are_exact_to_the_nanosecond() -> None:
    assert isinstance(judge_person("cam0", payload(NOW_NS - 200_000_000), NOW), Accepted)
    assert isinstance(judge_person("cam0", payload(NOW_NS - 200_000_001), NOW), Refused)


@given(age_ns=st.integers(-(10**12), 10**12), step_ns=st.integers(-(10**17), 10**17))
def test_on_one_host_no_step_of_the_wall_clock_makes_a_message_older_or_younger(age_ns: int, step_ns: int) -> None:
    stamp = str(MONOTONIC_NS - age_ns)
    heard = judge_person("cam0", payload(NOW_NS + step_ns, monotonic_ns=stamp, boot_id="boot-1"), NOW)
    age_ms = age_ns / 1e6
    if -FUTURE_TOLERANCE_MS <= age_ms <= 200:
        assert isinstance(heard, Accepted)
        assert heard.age_ms == pytest.approx(age_ms)
        assert heard.offset_ms is None
    else:
        assert isinstance(heard, Refused)
        assert heard.cause == ("stale" if age_ms > 0 else "future")


@pytest.mark.parametrize("boot_id", ["boot-2", None])
def test_another_boots_monotonic_stamp_means_nothing_and_the_wall_clocks_offset_is_shown(boot_id: Any) -> None:
    elsewhere = {"monotonic_ns": "5", "boot_id": boot_id} if boot_id else {}
    heard = judge_person("cam0", payload(NOW_NS - 90_000_000, published_at=(NOW_NS - 7e6) / 1e9, **elsewhere), NOW)
    assert isinstance(heard, Accepted)
    assert heard.age_ms == 90.0
    assert heard.offset_ms == pytest.approx(7.0, abs=0.01)
    refused = judge_person("cam0", payload(NOW_NS + 10**9, **elsewhere), NOW)
    assert isinstance(refused, Refused)
    assert "(published -1000 ms ago by the hosts' wall clocks)" in refused.detail


def test_a_host_without_a_boot_id_judges_by_the_wall_clock() -> None:
    message = payload(NOW_NS, monotonic_ns="5", boot_id="boot-1")
    assert isinstance(judge_person("cam0", message, Now(NOW_NS)), Accepted)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (b"", "Invalid JSON"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"[]", "should be an object"),
        (payload(NOW_NS, schema=2), "schema: 2; this receiver reads 1"),
        (b'{"schema": 1}', "session: Field required"),
        (payload(NOW_NS, reason=None), "lists persons, or gives a reason"),
        (payload(NOW_NS, reason="tired"), "reason: "),
        (payload(NOW_NS, seq="3"), "seq: "),
        (payload(NOW_NS, seq=-1), "seq: "),
        (payload(NOW_NS, captured_ns=NOW_NS), "captured_ns: "),
        (payload(NOW_NS, captured_ns="9" * 5000), "captured_ns: "),
        (payload(NOW_NS, max_age_ms=float("inf")), "max_age_ms: "),
        (payload(NOW_NS, max_age_ms=0), "max_age_ms: "),
        (payload(NOW_NS, published_at=float("nan")), "published_at: "),
        (payload(NOW_NS, extra=1), "extra: "),
        (payload(NOW_NS, monotonic_ns="5"), "stand together"),
        (payload(NOW_NS, monotonic_ns=5, boot_id="b"), "monotonic_ns: "),
        (payload(NOW_NS, camera="cam1"), "camera: 'cam1' in the message, 'cam0' in the topic"),
    ],
)
def test_what_is_malformed_is_refused_in_one_line(wrong: bytes, said: str) -> None:
    heard = judge_person("cam0", wrong, NOW)
    assert isinstance(heard, Refused)
    assert heard.cause == "malformed"
    assert said in heard.detail
    assert "\n" not in heard.detail


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner), max_leaves=5
)
FIELDS = sorted(json.loads(payload(NOW_NS)))


@given(st.binary() | anything.map(lambda value: json.dumps(value).encode()))
def test_no_payload_breaks_the_receiver(garbage: bytes) -> None:
    for heard in (judge_person("cam0", garbage, NOW), judge_status("cam0", garbage)):
        assert isinstance(heard, Refused)
        assert heard.cause == "malformed"


@given(st.dictionaries(st.sampled_from(FIELDS), anything, min_size=1))
def test_no_wrong_value_in_a_field_breaks_the_receiver(changed: Dict[str, Any]) -> None:
    heard = judge_person("cam0", payload(NOW_NS, **changed), NOW)
    assert isinstance(heard, (Accepted, Refused))


def test_a_status_is_read_whatever_its_age() -> None:
    status = StatusMessage(session="s1", camera="cam0", process="online", source="ok", at=1.0)
    assert judge_status("cam0", status.to_json().encode()) == status
    refused = judge_status("cam1", status.to_json().encode())
    assert isinstance(refused, Refused)
    assert refused.cause == "malformed"


def test_a_receiver_needs_a_broker(clock: Any) -> None:
    with pytest.raises(InputError, match="needs a broker"):
        Receiver(MqttSettings(url="none"), client_id="t", clock=clock, on_heard=print, on_event=print)


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
def listening(broker: PrivateBroker, clock: Any, talker: Talker, until: Until) -> Iterator[Listen]:
    """``listening(camera=None)``: what a subscribed receiver has heard since."""
    receivers: List[Receiver] = []

    def listening(camera: Optional[str] = None, events: Optional[List[str]] = None) -> List[Heard]:
        heard: List[Heard] = []
        said = [] if events is None else events
        receiver = Receiver(
            MqttSettings(url=broker.url),
            client_id=f"t{len(receivers)}",
            clock=clock,
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
    talker.say("nasion/cam0/person", payload(time.time_ns(), max_age_ms=10_000))
    talker.say("nasion/cam0/person", payload(time.time_ns() - 10**9))
    talker.say("nasion/cam0/person", payload(time.time_ns() + 10**11))
    talker.say("nasion/cam0/person", b"nonsense")
    until(lambda: len(heard) == 4)
    causes = [one.cause if isinstance(one, Refused) else type(one).__name__ for one in heard]
    assert causes == ["Accepted", "stale", "future", "malformed"]


def test_all_cameras_are_heard_or_only_the_one_asked_for(talker: Talker, listening: Listen, until: Until) -> None:
    every, one = listening(), listening("rear")
    for camera in ("front", "rear"):
        talker.say(f"nasion/{camera}/person", payload(time.time_ns(), max_age_ms=10_000, camera=camera))
    talker.say("nasion/rear/other", b"not for us")
    talker.say("nasion/rear/deep/person", b"not for us")
    until(lambda: len([heard for heard in every if isinstance(heard, Accepted)]) == 2)
    until(lambda: one)
    assert [heard.message.camera for heard in one if isinstance(heard, Accepted)] == ["rear"]


def test_it_subscribes_anew_after_the_brokers_restart(kept_port: int, clock: Any, until: Until) -> None:
    heard: List[Heard] = []
    events: List[str] = []
    with PrivateBroker(kept_port) as first:
        receiver = Receiver(
            MqttSettings(url=first.url), client_id="t", clock=clock, on_heard=heard.append, on_event=events.append
        )
        receiver.start()
        until(lambda: events)
        os.kill(first.pid, signal.SIGKILL)
    with PrivateBroker(kept_port) as second:
        until(lambda: len(events) == 3)
        talker = Talker(second)
        talker.say("nasion/cam0/person", payload(time.time_ns(), max_age_ms=10_000), retain=True)
        until(lambda: heard)
        talker.end()
        receiver.stop()
    address = f"broker mqtt://127.0.0.1:{first.port}: "
    assert events[0] == f"{address}connected"
    assert events[1].startswith(f"{address}connection lost: ")
    assert events[2].startswith(f"{address}connected after ")
    assert receiver.counters() == {"accepted": 1, "stale": 0, "future": 0, "malformed": 0}


def test_nothing_is_handed_on_after_the_stop(broker: PrivateBroker, clock: Any, talker: Talker, until: Until) -> None:
    heard: List[Heard] = []
    events: List[str] = []
    receiver = Receiver(
        MqttSettings(url=broker.url), client_id="t", clock=clock, on_heard=heard.append, on_event=events.append
    )
    receiver.start()
    until(lambda: events)
    receiver.stop()
    talker.say("nasion/cam0/person", payload(time.time_ns()))
    time.sleep(0.1)
    assert not heard
