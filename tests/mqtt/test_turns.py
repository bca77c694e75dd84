"""A broker that is far away: a round trip takes longer than a frame, so that a `person` message always waits."""

import json
import threading
import time
from typing import Any, Callable, Iterator, List

import pytest
from nasion.mqtt.broker import PrivateBroker
from nasion.mqtt.publisher import MqttPublisher, open_publisher
from nasion.pipeline.controls import Controls
from nasion.settings import MqttSettings, RunSettings

from tests.mqtt.made_up import reported
from tests.mqtt.network_path import NetworkPath

#: One way; a frame comes every 5 ms.
DELAY_S = 0.05
FRAME_S = 0.005


def takes_its_time() -> bool:
    time.sleep(DELAY_S)
    return True


@pytest.fixture
def busy(broker: PrivateBroker, clock: Any, seen: Callable[..., Any]) -> Iterator[MqttPublisher]:
    """A publisher at the end of the long way that is given a frame every 5 ms."""
    way = NetworkPath(broker.port, lambda: takes_its_time)
    publisher = open_publisher(
        MqttSettings(url=f"mqtt://127.0.0.1:{way.port}", max_age_ms=10_000.0),
        camera="cam0",
        session="s1",
        clock=clock,
        on_event=print,
    )
    assert isinstance(publisher, MqttPublisher)
    told = RunSettings.model_validate({"cameras": [{"source": "demo:"}]})
    publisher.obey(Controls("cam0", told, threshold=0.6, session="s1", clock=clock, on_event=print))
    publisher.start()
    ending = threading.Event()

    def give() -> None:
        seq = 0
        while not ending.wait(FRAME_S):
            publisher.publish(*seen(seq, max_age_ms=10_000.0))
            seq += 1

    giving = threading.Thread(target=give)
    giving.start()
    yield publisher
    ending.set()
    giving.join()
    publisher.stop()
    way.close()


def persons_before(witness: Any, topic: str, count: int) -> int:
    """How many `person` messages came before the ``count``-th on ``topic``."""
    kinds: List[str] = [arrival.topic.rpartition("/")[2] for arrival in witness.arrivals]
    at = [index for index, kind in enumerate(kinds) if kind == topic][count - 1]
    return kinds[:at].count("person")


def test_stats_and_status_wait_for_no_more_than_the_message_in_flight(
    broker: PrivateBroker, busy: MqttPublisher, watch: Any, until: Callable[..., None]
) -> None:
    witness = watch(broker)
    until(lambda: len(witness.persons) > 2)
    missed = busy.counters()["sent"] - len(witness.persons)
    for seq in range(3):
        sent = busy.counters()["sent"]
        busy.stats(reported(seq))
        until(lambda seq: len(witness.on("nasion/cam0/stats")) == seq + 1, seq)
        # One more may have been sent between our looking and our asking.
        assert persons_before(witness, "stats", seq + 1) + missed <= sent + 1
    before = len(witness.on("nasion/cam0/status"))
    sent = busy.counters()["sent"]
    busy.source_state("lost")
    until(lambda: len(witness.on("nasion/cam0/status")) == before + 1)
    assert persons_before(witness, "status", before + 1) + missed <= sent + 1
    assert busy.counters()["replaced"] > 0


def test_stats_without_end_hold_up_neither_persons_nor_answers(
    broker: PrivateBroker, busy: MqttPublisher, watch: Any, until: Callable[..., None]
) -> None:
    """As where a round trip takes more than a second, so that `stats` are always due."""
    witness = watch(broker)
    seq = 0
    # Every key is told at the start of a connection.
    deadline = time.monotonic() + 20
    while len(kinds(witness, "state")) < 10 and time.monotonic() < deadline:
        busy.stats(reported(seq))
        seq += 1
        time.sleep(FRAME_S)
    assert len(kinds(witness, "state")) >= 10
    assert len(kinds(witness, "person")) >= 8
    assert len(kinds(witness, "stats")) >= 8
    until(lambda: busy.connected)


def kinds(witness: Any, kind: str) -> List[Any]:
    return [arrival for arrival in witness.arrivals if arrival.topic.split("/")[2] == kind]


def test_a_stop_at_once_is_told_as_a_stop(
    broker: PrivateBroker, busy: MqttPublisher, watch: Any, until: Callable[..., None]
) -> None:
    """What is in force takes eleven round trips to tell, which is longer than a program that stops may wait."""
    witness = watch(broker)
    until(lambda: kinds(witness, "status"))
    busy.stop()
    until(lambda: len(kinds(witness, "status")) == 2)
    time.sleep(4 * DELAY_S)
    said = [json.loads(arrival.payload)["process"] for arrival in kinds(witness, "status")]
    assert said == ["online", "stopped"]
    assert len(kinds(witness, "state")) < 10
