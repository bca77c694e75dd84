"""Settings over a real broker: asked on `set/<key>`, answered on `state/<key>`, whoever else talks meanwhile."""

import json
import os
import signal
import threading
import time
from typing import Any, Callable, Dict, Iterator, List, Optional

import pytest
from nasion.messages import SETTABLE, StateMessage
from nasion.mqtt.broker import PrivateBroker
from nasion.mqtt.publisher import open_publisher
from nasion.mqtt.publishing import Publisher
from nasion.pipeline.controls import Controls
from nasion.settings import MqttSettings, RunSettings
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

PATIENCE_S = 20.0

Until = Callable[..., None]


class Operator:
    """Plain paho that asks, and keeps what it hears of ``topics``."""

    def __init__(self, port: int, *topics: str) -> None:
        self.heard: List[MQTTMessage] = []
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = lambda _client, _data, message: self.heard.append(message)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect("127.0.0.1", port)
        self._client.subscribe([(topic, 1) for topic in topics])
        self._client.loop_start()
        assert self._subscribed.wait(PATIENCE_S)

    def ask(self, key: str, payload: Any, *, retain: bool = False, **properties: Any) -> None:
        told = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        for name, value in properties.items():
            setattr(told, name, value)
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self._client.publish(f"nasion/cam0/set/{key}", body, qos=1, retain=retain, properties=told).wait_for_publish()

    def states(self, key: str) -> List[StateMessage]:
        return [read(message) for message in self.heard if message.topic == f"nasion/cam0/state/{key}"]

    def end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def read(message: MQTTMessage) -> StateMessage:
    return StateMessage.model_validate_json(message.payload, strict=True)


@pytest.fixture
def come() -> Iterator[Callable[..., Operator]]:
    people: List[Operator] = []

    def come(broker: PrivateBroker, *topics: str) -> Operator:
        people.append(Operator(broker.port, *(topics or ("nasion/cam0/state/+",))))
        return people[-1]

    yield come
    for person in people:
        person.end()


@pytest.fixture
def events() -> List[str]:
    return []


def opened(url: str, clock: Any, events: List[str], **settings: Any) -> Publisher:
    mqtt = MqttSettings(url=url, max_age_ms=10_000.0)
    publisher = open_publisher(mqtt, camera="cam0", session="s1", clock=clock, on_event=events.append)
    told = RunSettings.model_validate({"cameras": [{"source": "demo:"}], **settings})
    controls = Controls("cam0", told, threshold=0.6, session="s1", clock=clock, on_event=events.append)
    publisher.obey(controls)
    return publisher


@pytest.fixture
def publisher(broker: PrivateBroker, clock: Any, events: List[str]) -> Iterator[Publisher]:
    publisher = opened(broker.url, clock, events)
    publisher.start()
    yield publisher
    publisher.stop()


def requests(publisher: Publisher) -> Dict[str, int]:
    return {name[9:]: count for name, count in publisher.counters().items() if name.startswith("requests_") and count}


@pytest.mark.usefixtures("publisher")
def test_at_the_start_every_key_is_told_and_stays_with_the_broker(
    broker: PrivateBroker, come: Any, until: Until
) -> None:
    early = come(broker)
    until(lambda: all(early.states(key) for key in SETTABLE))
    late = come(broker)
    until(lambda: all(late.states(key) for key in SETTABLE))
    assert {message.retain for message in late.heard} == {True}
    assert late.states("threshold")[0].value == 0.6
    assert late.states("threshold")[0].origin == "configuration"


def test_what_is_asked_is_answered_and_the_answer_stays(
    broker: PrivateBroker, publisher: Publisher, come: Any, until: Until, events: List[str]
) -> None:
    operator = come(broker)
    until(lambda: all(operator.states(key) for key in SETTABLE))
    operator.ask("threshold", {"value": 0.5, "id": "7"})
    until(lambda: len(operator.states("threshold")) == 2)
    answer = operator.states("threshold")[-1]
    assert (answer.value, answer.accepted, answer.origin, answer.id) == (0.5, True, "set", "7")
    late = come(broker)
    until(lambda: late.states("threshold"))
    assert late.states("threshold") == [answer]
    assert requests(publisher) == {"obeyed": 1}
    assert events[-1] == "cam0: threshold = 0.5, set over MQTT; it was 0.6"


@pytest.mark.parametrize(
    ("key", "payload", "said"),
    [
        ("threshold", {"value": 2}, "less than or equal to 1"),
        ("threshold", b"\xff", "Invalid JSON"),
        ("threshold", b"", "Invalid JSON"),
        ("volume", {"value": 11}, "unknown key 'volume'; expected one of threshold"),
    ],
)
def test_what_cannot_be_had_is_refused_and_what_is_in_force_stays_with_the_broker(
    broker: PrivateBroker, publisher: Publisher, come: Any, until: Until, key: str, payload: Any, said: str
) -> None:
    operator = come(broker)
    until(lambda: all(operator.states(key) for key in SETTABLE))
    before = len(operator.states(key))
    operator.ask(key, payload)
    until(lambda: len(operator.states(key)) == before + 1)
    answer = operator.states(key)[-1]
    assert not answer.accepted
    assert said in str(answer.reason)
    late = come(broker)
    until(lambda: all(late.states(key) for key in SETTABLE))
    assert [state.accepted for state in late.states(key)] == [True] * before
    assert requests(publisher) == {"refused": 1}


@pytest.mark.usefixtures("publisher")
def test_a_response_topic_and_correlation_are_honoured(broker: PrivateBroker, come: Any, until: Until) -> None:
    operator = come(broker, "nasion/cam0/state/+", "replies/me")
    until(lambda: all(operator.states(key) for key in SETTABLE))
    operator.ask("image_hz", {"value": 5}, ResponseTopic="replies/me", CorrelationData=b"\x00\x01")
    until(lambda: [message for message in operator.heard if message.topic == "replies/me"])
    until(lambda: len(operator.states("image_hz")) == 2)
    replies = [message for message in operator.heard if read(message).origin == "set"]
    assert {message.topic for message in replies} == {"replies/me", "nasion/cam0/state/image_hz"}
    assert [read(message).value for message in replies] == [5.0, 5.0]
    assert {message.properties.CorrelationData for message in replies if message.properties} == {b"\x00\x01"}
    late = come(broker, "replies/me", "nasion/cam0/state/image_hz")
    until(lambda: late.heard)
    assert [message.topic for message in late.heard] == ["nasion/cam0/state/image_hz"]


@pytest.mark.parametrize("response", ["nasion/cam0/person", "nasion/cam1/state/x"])
def test_an_answer_never_goes_where_it_would_be_taken_for_something_else(
    broker: PrivateBroker, publisher: Publisher, come: Any, until: Until, response: str
) -> None:
    operator = come(broker, "nasion/#")
    until(lambda: all(operator.states(key) for key in SETTABLE))
    operator.ask("image_hz", {"value": 5}, ResponseTopic=response)
    until(lambda: len(operator.states("image_hz")) == 2)
    assert [message for message in operator.heard if message.topic == response] == []
    assert requests(publisher) == {"obeyed": 1, "unanswered": 1}


class TestWhatIsRetained:
    def test_before_the_start_it_is_ignored_and_reported(
        self, broker: PrivateBroker, clock: Any, come: Any, until: Until, events: List[str]
    ) -> None:
        operator = come(broker)
        operator.ask("threshold", {"value": 0.1}, retain=True)
        publisher = opened(broker.url, clock, events)
        publisher.start()
        until(lambda: requests(publisher) == {"ignored": 1})
        publisher.stop()
        until(lambda: len(operator.states("threshold")) == 2)
        assert [(state.value, state.accepted) for state in operator.states("threshold")] == [(0.6, True), (0.6, False)]
        assert any("set/threshold is not obeyed: it was retained" in event for event in events)

    def test_also_what_is_said_now_to_stay(
        self, broker: PrivateBroker, publisher: Publisher, come: Any, until: Until
    ) -> None:
        """It would be ignored at the next start, so it is now."""
        operator = come(broker)
        until(lambda: operator.states("threshold"))
        operator.ask("threshold", {"value": 0.1}, retain=True)
        until(lambda: len(operator.states("threshold")) == 2)
        assert operator.states("threshold")[-1].value == 0.6
        assert requests(publisher) == {"ignored": 1}


def test_after_the_brokers_return_what_was_set_is_told_again(
    kept_port: int, clock: Any, come: Any, until: Until, events: List[str]
) -> None:
    with PrivateBroker(kept_port) as first:
        publisher = opened(first.url, clock, events)
        publisher.start()
        operator = come(first)
        until(lambda: operator.states("threshold"))
        operator.ask("threshold", {"value": 0.5})
        until(lambda: len(operator.states("threshold")) == 2)
        os.kill(first.pid, signal.SIGKILL)
    with PrivateBroker(kept_port) as second:
        again = come(second)
        until(lambda: again.states("threshold"))
        assert [(state.value, state.origin) for state in again.states("threshold")] == [(0.5, "set")]
        again.ask("threshold", {"value": 0.4})
        until(lambda: len(again.states("threshold")) == 2)
        publisher.stop()


def test_persons_and_answers_take_turns(
    broker: PrivateBroker, publisher: Publisher, come: Any, seen: Any, until: Until
) -> None:
    """Somebody who asks without end holds up neither; what is too much is counted, not kept."""
    operator = come(broker, "nasion/cam0/person", "nasion/cam0/state/image_hz")
    until(lambda: operator.states("image_hz"))
    asked, ended = 0, threading.Event()

    def ask_on() -> None:
        nonlocal asked
        while not ended.is_set():
            operator.ask("image_hz", {"value": 1 + asked % 20})
            asked += 1
            time.sleep(0.001)

    asking = threading.Thread(target=ask_on)
    asking.start()
    seq, deadline = 0, time.monotonic() + PATIENCE_S
    while publisher.counters()["acknowledged"] < 100 and time.monotonic() < deadline:
        publisher.publish(*seen(seq, max_age_ms=10_000.0))
        seq += 1
        time.sleep(0.002)
    ended.set()
    asking.join()
    until(lambda: requests(publisher).get("obeyed") == asked)
    unanswered = requests(publisher).get("unanswered", 0)
    until(lambda: len(operator.states("image_hz")) == asked + 1 - unanswered)
    assert asked >= 20
    assert publisher.counters()["acknowledged"] >= 100


def test_a_publisher_that_obeys_nobody_hears_nothing(
    broker: PrivateBroker, clock: Any, come: Any, until: Until, events: List[str]
) -> None:
    """As the GStreamer element is."""
    operator = come(broker, "nasion/#")
    publisher = open_publisher(
        MqttSettings(url=broker.url), camera="cam0", session="s1", clock=clock, on_event=events.append
    )
    publisher.start()
    until(lambda: operator.heard)
    operator.ask("threshold", {"value": 0.5})
    until(lambda: len(operator.heard) == 2)
    publisher.stop()
    until(lambda: len(operator.heard) == 3)
    assert [message.topic.split("/", 2)[2] for message in operator.heard] == ["status", "set/threshold", "status"]
    assert requests(publisher) == {}


def failing_said(statuses: List[MQTTMessage]) -> Optional[str]:
    return json.loads(statuses[-1].payload)["process"] if statuses else None


def test_a_program_that_failed_says_offline(
    broker: PrivateBroker, clock: Any, come: Any, until: Until, events: List[str]
) -> None:
    operator = come(broker, "nasion/cam0/status")
    publisher = opened(broker.url, clock, events)
    publisher.start()
    until(lambda: failing_said(operator.heard) == "online")
    publisher.stop(failed=True)
    until(lambda: failing_said(operator.heard) == "offline")
