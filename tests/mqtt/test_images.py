"""Topic `image`: pictures go their own way, the newest or none, and no `person` message waits for them."""

import json
import os
import signal
import socket
import threading
import time
from typing import Any, Callable, Dict, Iterator, List

import pytest
from nasion.mqtt.broker import PrivateBroker
from nasion.mqtt.images import Picture
from nasion.mqtt.publisher import open_publisher
from nasion.mqtt.publishing import Publisher
from nasion.settings import MqttSettings
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

Until = Callable[..., None]

JPEG = b"\xff\xd8" + bytes(200_000)


def taken(seq: int, ago_s: float = 0.0, jpeg: bytes = JPEG) -> Picture:
    return Picture(jpeg, seq, str(time.time_ns()), time.monotonic_ns() - int(ago_s * 1e9))


def opened(url: str, clock: Any, **mqtt: Any) -> Publisher:
    settings = MqttSettings(url=url, **{"max_age_ms": 10_000.0, **mqtt})
    return open_publisher(settings, camera="cam0", session="s1", clock=clock, on_event=print)


@pytest.fixture
def publisher(broker: PrivateBroker, clock: Any) -> Iterator[Publisher]:
    publisher = opened(broker.url, clock)
    publisher.start()
    yield publisher
    publisher.stop()


def images(publisher: Publisher) -> Dict[str, int]:
    return {name: count for name, count in publisher.counters().items() if name.startswith("images_")}


def test_a_picture_arrives_with_whose_it_is(broker: PrivateBroker, publisher: Publisher, until: Until) -> None:
    arrived: List[MQTTMessage] = []
    subscribed = threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.on_message = lambda _client, _data, message: arrived.append(message)
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", broker.port)
    client.subscribe("nasion/cam0/image")
    client.loop_start()
    assert subscribed.wait(20)
    picture = taken(41)
    publisher.image(picture)
    until(lambda: arrived)
    client.disconnect()
    client.loop_stop()
    assert arrived[0].payload == JPEG
    assert not arrived[0].retain
    told: Any = arrived[0].properties
    assert dict(told.UserProperty) == {"session": "s1", "seq": "41", "captured_ns": picture.captured_ns}
    assert (told.ContentType, told.MessageExpiryInterval) == ("image/jpeg", 10)
    until(lambda: images(publisher) == {"images_sent": 1, "images_skipped": 0})


def test_without_a_picture_there_is_no_second_connection(
    broker: PrivateBroker, publisher: Publisher, watch: Any, seen: Any, until: Until
) -> None:
    witness = watch(broker)
    publisher.publish(*seen(0, max_age_ms=10_000.0))
    until(lambda: witness.persons)
    assert not [thread for thread in threading.enumerate() if thread.name.endswith("-image")]
    publisher.image(taken(0))
    assert [thread for thread in threading.enumerate() if thread.name.endswith("-image")]


def test_what_is_older_than_max_age_is_skipped(broker: PrivateBroker, clock: Any, until: Until) -> None:
    publisher = opened(broker.url, clock, max_age_ms=2_000.0)
    publisher.start()
    publisher.image(taken(0, ago_s=2.5))
    until(lambda: images(publisher) == {"images_sent": 0, "images_skipped": 1})
    publisher.stop()


def test_a_broker_that_is_away_gets_none_of_what_was_taken_meanwhile(kept_port: int, clock: Any) -> None:
    publisher = opened(f"mqtt://127.0.0.1:{kept_port}", clock)
    publisher.start()
    for seq in range(5):
        publisher.image(taken(seq))
    assert images(publisher) == {"images_sent": 0, "images_skipped": 4}
    publisher.stop()
    publisher.image(taken(5))
    assert images(publisher) == {"images_sent": 0, "images_skipped": 6}


def test_pictures_do_not_pile_up_behind_a_frozen_broker(
    broker: PrivateBroker, publisher: Publisher, until: Until
) -> None:
    publisher.image(taken(0))
    until(lambda: images(publisher)["images_sent"] == 1)
    os.kill(broker.pid, signal.SIGSTOP)
    for seq in range(1, 101):
        publisher.image(taken(seq))
        time.sleep(0.002)
    os.kill(broker.pid, signal.SIGCONT)
    until(lambda: sum(images(publisher).values()) >= 100)
    assert images(publisher)["images_sent"] < 80


class Throttle:
    """Between publisher and broker: a connection that calls itself `…-image` is stuck after the broker's welcome."""

    def __init__(self, port: int) -> None:
        self._broker = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.stuck = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        # Small, as on a slow network: what is stuck is stuck at once.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        broker = socket.create_connection(("127.0.0.1", self._broker))
        hello = client.recv(4096)
        broker.sendall(hello)
        threading.Thread(target=pour, args=(broker, client), daemon=True).start()
        if b"-image" in hello:
            self.stuck.set()
            threading.Event().wait()
        pour(client, broker)

    def end(self) -> None:
        self._listener.close()


def pour(source: socket.socket, into: socket.socket) -> None:
    try:
        while True:
            data = source.recv(65536)
            if not data:
                break
            into.sendall(data)
    except OSError:
        pass
    finally:
        for end in (source, into):
            end.close()


def test_persons_pass_a_picture_that_is_stuck(
    broker: PrivateBroker, clock: Any, watch: Any, seen: Any, until: Until
) -> None:
    witness = watch(broker)
    throttle = Throttle(broker.port)
    # The keepalive must not end the stuck connection before the test does.
    publisher = opened(f"mqtt://127.0.0.1:{throttle.port}", clock, keepalive_s=600)
    publisher.start()
    for seq in range(50):
        publisher.image(taken(seq, jpeg=JPEG * 40))
        publisher.publish(*seen(seq, max_age_ms=10_000.0))
        until(lambda count: len(witness.persons) == count, seq + 1)
    assert throttle.stuck.wait(20)
    assert images(publisher)["images_sent"] == 0
    assert images(publisher)["images_skipped"] >= 40
    publisher.stop()
    throttle.end()
    assert json.loads(witness.on("nasion/cam0/status")[-1].payload)["process"] in ("online", "stopped")
