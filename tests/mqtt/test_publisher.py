"""What the publisher promises when all is well: right messages, right topics, nothing stale, every drop counted."""

import json
import os
import signal
import time
from typing import Any, Callable, Dict, Iterator, List

import pytest
from nasion.errors import InputError
from nasion.messages import (
    UNITS,
    CalibrationInfo,
    InfoMessage,
    Limits,
    ModelInfo,
    Size,
    SourceState,
    StatusMessage,
)
from nasion.mqtt.broker import PrivateBroker
from nasion.mqtt.publisher import open_publisher
from nasion.mqtt.publishing import COUNTERS, Publisher
from nasion.settings import MqttSettings

from tests.mqtt.made_up import reported

Until = Callable[..., None]
Events = List[str]


@pytest.fixture
def events() -> Events:
    return []


@pytest.fixture
def publisher(broker: PrivateBroker, clock: Any, events: Events) -> Iterator[Publisher]:
    publisher = open_publisher(
        MqttSettings(url=broker.url), camera="cam0", session="s1", clock=clock, on_event=events.append
    )
    publisher.start()
    yield publisher
    publisher.stop()


def statuses(witness: Any) -> List[StatusMessage]:
    return [
        StatusMessage.model_validate_json(arrival.payload, strict=True) for arrival in witness.on("nasion/cam0/status")
    ]


def accounts_balance(counts: Dict[str, int]) -> bool:
    """Of a stopped publisher: nothing was lost without being counted."""
    return (
        counts["offered"] == counts["sent"] + counts["replaced"] + counts["stale"] + counts["unsent"]
        and counts["sent"] == counts["acknowledged"] + counts["refused"] + counts["lost"]
    )


def test_status_then_persons_arrive_as_they_were_given(
    broker: PrivateBroker, publisher: Publisher, watch: Any, seen: Any, until: Until, events: Events
) -> None:
    witness = watch(broker)
    until(lambda: statuses(witness))
    sent = []
    for seq in range(5):
        message, captured_monotonic_ns = seen(seq)
        before_s = time.time()
        publisher.publish(message, captured_monotonic_ns)
        until(lambda count: len(witness.persons) == count, seq + 1)
        sent.append((message, before_s))

    for (message, before_s), arrived in zip(sent, witness.persons):
        assert before_s <= arrived.published_at <= time.time()
        assert arrived.model_copy(update={"published_at": 0.0}) == message
    assert [(s.process, s.source, s.session, s.camera) for s in statuses(witness)] == [("online", "ok", "s1", "cam0")]
    assert events == [f"cam0: broker {broker.url}: connected"]
    publisher.stop()
    counts = publisher.counters()
    assert counts["acknowledged"] == 5
    assert accounts_balance(counts)


def test_status_is_retained_and_persons_are_not(
    broker: PrivateBroker, publisher: Publisher, watch: Any, seen: Any, until: Until
) -> None:
    early = watch(broker)
    until(lambda: statuses(early))
    publisher.publish(*seen(0))
    until(lambda: early.persons)
    late = watch(broker)
    until(lambda: statuses(late))
    publisher.publish(*seen(1))
    until(lambda: late.persons)
    assert [message.seq for message in late.persons] == [1]
    assert [arrival.retained for arrival in late.on("nasion/cam0/status")] == [True]


def test_the_json_on_the_wire_is_the_contract(
    broker: PrivateBroker, publisher: Publisher, watch: Any, seen: Any, until: Until
) -> None:
    witness = watch(broker)
    publisher.publish(*seen(0))
    until(lambda: witness.on("nasion/cam0/person"))
    wire = json.loads(witness.on("nasion/cam0/person")[0].payload)
    assert set(wire) == {
        *("schema", "session", "seq", "camera", "frame_id", "captured_at", "captured_ns", "published_at"),
        *("max_age_ms", "persons", "reason", "latency_ms", "monotonic_ns", "boot_id"),
    }
    assert wire["schema"] == 1
    assert isinstance(wire["captured_ns"], str)


def test_the_source_is_spoken_of_beside_the_process(
    broker: PrivateBroker, publisher: Publisher, watch: Any, until: Until
) -> None:
    witness = watch(broker)
    until(lambda: statuses(witness))
    states: List[SourceState] = ["lost", "reconnecting", "reconnecting", "ok"]
    for state in states:
        publisher.source_state(state)
        until(lambda state: statuses(witness)[-1].source == state, state)
    assert [status.source for status in statuses(witness)] == ["ok", "lost", "reconnecting", "ok"]
    assert {status.process for status in statuses(witness)} == {"online"}


def test_stopping_sends_what_waits_then_says_stopped_and_no_last_will_follows(
    broker: PrivateBroker, publisher: Publisher, watch: Any, seen: Any, until: Until
) -> None:
    witness = watch(broker)
    until(lambda: statuses(witness))
    publisher.publish(*seen(0))
    publisher.stop()
    until(lambda: len(statuses(witness)) == 2)
    time.sleep(0.2)
    assert [status.process for status in statuses(witness)] == ["online", "stopped"]
    assert [message.seq for message in witness.persons] == [0]
    publisher.publish(*seen(1))
    counts = publisher.counters()
    assert (counts["acknowledged"], counts["unsent"]) == (1, 1)
    assert accounts_balance(counts)


def born(session: str = "s1", threshold: float = 0.6) -> InfoMessage:
    """A birth certificate."""
    return InfoMessage(
        session=session,
        camera="cam0",
        at=1.0,
        version="0",
        engine="onnxruntime",
        model=ModelInfo(name="m", version="1", digest="0" * 64, precision="int8", keypoint="k"),
        view="full",
        frame=Size(width=1280, height=720),
        network_input=Size(width=480, height=288),
        calibration=CalibrationInfo(fx=1.0, fy=1.0, cx=0.0, cy=0.0, baseline_m=0.12),
        frame_id="optical",
        live=True,
        fps=30.0,
        limits=Limits(near_m=0.7, far_m=10.0, threshold=threshold, max_persons=1),
        units=UNITS,
        max_age_ms=200.0,
    )


def infos(witness: Any) -> List[InfoMessage]:
    return [InfoMessage.model_validate_json(arrival.payload, strict=True) for arrival in witness.on("nasion/cam0/info")]


def test_info_is_retained_and_a_newer_one_takes_its_place(
    broker: PrivateBroker, publisher: Publisher, watch: Any, until: Until
) -> None:
    witness = watch(broker)
    for threshold in (0.6, 0.7):
        publisher.info(born(threshold=threshold))
        until(lambda threshold: infos(witness) and infos(witness)[-1].limits.threshold == threshold, threshold)
    late = watch(broker)
    until(lambda: infos(late))
    assert infos(late) == [born(threshold=0.7)]
    assert late.on("nasion/cam0/info")[0].retained


def test_the_next_session_replaces_the_info_of_the_last_one(
    broker: PrivateBroker, clock: Any, watch: Any, until: Until
) -> None:
    for session in ("s1", "s2"):
        publisher = open_publisher(
            MqttSettings(url=broker.url), camera="cam0", session=session, clock=clock, on_event=print
        )
        publisher.info(born(session))
        publisher.start()
        witness = watch(broker)
        until(lambda witness, session: infos(witness) and infos(witness)[-1].session == session, witness, session)
        publisher.stop()
    late = watch(broker)
    until(lambda: infos(late) and statuses(late))
    assert [info.session for info in infos(late)] == ["s2"]
    assert [(status.session, status.process) for status in statuses(late)] == [("s2", "stopped")]


def test_info_is_said_again_to_a_broker_that_has_forgotten_it(
    kept_port: int, clock: Any, watch: Any, until: Until
) -> None:
    with PrivateBroker(kept_port) as first:
        publisher = open_publisher(
            MqttSettings(url=first.url), camera="cam0", session="s1", clock=clock, on_event=print
        )
        publisher.info(born())
        publisher.start()
        witness = watch(first)
        until(lambda: infos(witness))
        assert [arrival.topic.rpartition("/")[2] for arrival in witness.arrivals[:2]] == ["status", "info"]
        os.kill(first.pid, signal.SIGKILL)
    with PrivateBroker(kept_port) as second:
        late = watch(second)
        until(lambda: infos(late))
        publisher.stop()
        until(lambda: [status.process for status in statuses(late)][-1:] == ["stopped"])
    assert infos(late) == [born()]


def test_stats_are_not_retained_and_only_the_newest_waits_for_a_broker(
    kept_port: int, clock: Any, watch: Any, until: Until
) -> None:
    publisher = open_publisher(
        MqttSettings(url=f"mqtt://127.0.0.1:{kept_port}"), camera="cam0", session="s1", clock=clock, on_event=print
    )
    for seq in range(3):
        publisher.stats(reported(seq))  # Of a time before the connection: nobody's news any more.
    publisher.start()
    with PrivateBroker(kept_port) as broker:
        witness = watch(broker)
        until(lambda: statuses(witness))
        for seq in range(3, 6):
            publisher.stats(reported(seq))
            until(lambda seq: any(said(seq, arrival) for arrival in witness.on("nasion/cam0/stats")), seq)
        late = watch(broker)
        publisher.stop()
        until(lambda: [status.process for status in statuses(late)][-1:] == ["stopped"])
        assert late.on("nasion/cam0/stats") == []
        seqs = [json.loads(arrival.payload)["seq"] for arrival in witness.on("nasion/cam0/stats")]
    assert seqs == [3, 4, 5]


def said(seq: int, arrival: Any) -> bool:
    return bool(json.loads(arrival.payload)["seq"] == seq)


def test_stats_do_not_pile_up_behind_a_frozen_broker(
    broker: PrivateBroker, publisher: Publisher, watch: Any, seen: Any, until: Until
) -> None:
    witness = watch(broker)
    until(lambda: statuses(witness))
    os.kill(broker.pid, signal.SIGSTOP)
    publisher.publish(*seen(0, max_age_ms=10_000.0))
    until(lambda: publisher.counters()["sent"] == 1)
    for seq in range(50):
        publisher.stats(reported(seq))
    os.kill(broker.pid, signal.SIGCONT)
    until(lambda: witness.on("nasion/cam0/stats"))
    time.sleep(0.2)
    seqs = [json.loads(arrival.payload)["seq"] for arrival in witness.on("nasion/cam0/stats")]
    assert seqs == [49]


def test_ages_and_episodes_are_kept_for_the_stats(
    broker: PrivateBroker, publisher: Publisher, watch: Any, seen: Any, until: Until
) -> None:
    witness = watch(broker)
    until(lambda: statuses(witness))
    assert publisher.source_stats().newest_age_ms is None
    publisher.publish(*seen(0, ago_s=0.05))
    until(lambda: publisher.counters()["acknowledged"] == 1)
    lately = publisher.lately.take()
    assert {name: len(ages) for name, ages in lately.items()} == {"sent": 1, "acknowledged": 1}
    assert 50 <= lately["sent"][0] <= lately["acknowledged"][0]
    assert publisher.lately.take() == {}
    states: List[SourceState] = ["lost", "lost", "reconnecting", "ok", "lost"]
    for state in states:
        publisher.source_state(state)
    source = publisher.source_stats()
    assert (source.state, source.lost, source.reconnecting) == ("lost", 2, 1)
    assert source.newest_age_ms is not None
    assert source.newest_age_ms >= 50


def test_what_is_older_than_max_age_is_not_sent_but_counted(
    broker: PrivateBroker, publisher: Publisher, watch: Any, seen: Any, until: Until
) -> None:
    witness = watch(broker)
    publisher.publish(*seen(0, ago_s=0.25))
    until(lambda: publisher.counters()["stale"] == 1)
    publisher.publish(*seen(1))
    until(lambda: witness.persons)
    assert [message.seq for message in witness.persons] == [1]


def test_age_is_told_by_the_monotonic_clock_not_by_the_wall(
    broker: PrivateBroker, publisher: Publisher, watch: Any, seen: Any, until: Until
) -> None:
    witness = watch(broker)
    message, _ = seen(0, captured_ns=1)  # The wall clock was stepped by decades since the capture.
    publisher.publish(message, time.monotonic_ns())
    until(lambda: witness.persons)
    assert publisher.counters()["stale"] == 0


@pytest.mark.parametrize("qos", [0, 1])
def test_either_quality_of_service(broker: PrivateBroker, clock: Any, watch: Any, seen: Any, qos: Any) -> None:
    witness = watch(broker)
    publisher = open_publisher(
        MqttSettings(url=broker.url, qos=qos), camera="cam0", session="s1", clock=clock, on_event=print
    )
    publisher.start()
    deadline = time.monotonic() + 20
    seq = 0
    while len(witness.persons) < 20 and time.monotonic() < deadline:
        publisher.publish(*seen(seq))
        seq += 1
        time.sleep(0.002)
    publisher.stop()
    arrived = [message.seq for message in witness.persons]
    assert len(arrived) >= 20
    assert arrived == sorted(set(arrived))
    assert accounts_balance(publisher.counters())


def test_a_burst_leaves_the_newest(
    broker: PrivateBroker, publisher: Publisher, watch: Any, seen: Any, until: Until
) -> None:
    witness = watch(broker)
    for seq in range(2000):
        publisher.publish(*seen(seq))
    publisher.stop()
    counts = publisher.counters()
    # The broker acknowledges a message before it has handed it on.
    until(lambda: len(witness.persons) >= counts["acknowledged"])
    assert len(witness.persons) == counts["acknowledged"]
    assert witness.persons[-1].seq == 1999
    assert counts["replaced"] > 0
    assert accounts_balance(counts)


def test_each_camera_has_its_own_topics_and_last_will(
    broker: PrivateBroker, clock: Any, watch: Any, seen: Any, until: Until
) -> None:
    witness = watch(broker)
    publishers = {
        name: open_publisher(
            MqttSettings(url=broker.url, prefix="robot"), camera=name, session="s1", clock=clock, on_event=print
        )
        for name in ("front", "rear")
    }
    for name, publisher in publishers.items():
        publisher.start()
        publisher.publish(*seen(7, camera=name))
    for name in publishers:
        until(witness.on, f"robot/{name}/person")
        until(witness.on, f"robot/{name}/status")
    for publisher in publishers.values():
        publisher.stop()


def test_a_topic_forbidden_by_the_broker_is_said_once_and_counted(
    clock: Any, tmp_path: Any, seen: Any, until: Until, events: Events
) -> None:
    acl = tmp_path / "acl"
    acl.write_text("topic write nasion/cam0/status\n")
    acl.chmod(0o600)
    with PrivateBroker(options=["allow_anonymous true", f"acl_file {acl}"]) as broker:
        publisher = open_publisher(
            MqttSettings(url=broker.url), camera="cam0", session="s1", clock=clock, on_event=events.append
        )
        publisher.start()
        for seq in range(3):
            publisher.publish(*seen(seq))
            until(lambda count: publisher.counters()["refused"] == count, seq + 1)
        publisher.stop()
    assert events[1:] == ["cam0: the broker refuses nasion/cam0/person: Not authorized"]
    assert accounts_balance(publisher.counters())


def test_none_publishes_nowhere(clock: Any, seen: Any, events: Events) -> None:
    publisher = open_publisher(
        MqttSettings(url="none"), camera="cam0", session="s1", clock=clock, on_event=events.append
    )
    publisher.start()
    publisher.publish(*seen(0))
    publisher.source_state("lost")
    publisher.info(born())
    publisher.stats(reported(0))
    publisher.stop()
    assert not publisher.wanted
    assert publisher.counters() == dict.fromkeys(COUNTERS, 0)
    assert not events


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"url": "http://broker"}, "must begin with mqtt://"),
        ({"url": "mqtts://broker", "ca_file": "/nowhere/ca.pem"}, "mqtt.ca_file /nowhere/ca.pem: No such file"),
        ({"url": "mqtts://broker", "ca_file": "/"}, "mqtt.ca_file /: Is a directory"),
        ({"url": "mqtts://broker", "ca_file": "/dev/null"}, "mqtt.ca_file /dev/null: it holds none"),
        ({"url": "mqtt://broker", "ca_file": "/nowhere/ca.pem"}, "is not encrypted"),
    ],
)
def test_bad_settings_are_refused_before_anything_runs(settings: Dict[str, Any], said: str, clock: Any) -> None:
    with pytest.raises(InputError, match=said):
        open_publisher(MqttSettings(**settings), camera="cam0", session="s1", clock=clock, on_event=print)


def test_stopping_without_having_started_is_no_error(clock: Any, seen: Any) -> None:
    publisher = open_publisher(MqttSettings(), camera="cam0", session="s1", clock=clock, on_event=print)
    publisher.publish(*seen(0))
    publisher.stop()
    publisher.stop()
    assert accounts_balance(publisher.counters())
