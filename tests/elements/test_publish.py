"""nasionpublish over a real broker: what arrives is what `nasion run` would send."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from nasion.messages import InfoMessage, PersonMessage, StatusMessage
from nasion.mqtt.broker import PrivateBroker
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

Make = Callable[..., Path]


class Ear:
    """Notes what the broker sends."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, str]] = []
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._note
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._subscribed.wait(20)

    def _note(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self.heard.append((message.topic, message.payload.decode()))

    def on(self, topic: str) -> list[str]:
        return [payload for heard, payload in self.heard if heard == topic]

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def ear(broker: PrivateBroker) -> Iterator[Ear]:
    ear = Ear(broker.port)
    yield ear
    ear.stop()


def test_a_receiver_hears_positions_who_says_them_and_the_end(
    player: Any, record: Make, spot_model: Path, broker: PrivateBroker, ear: Ear
) -> None:
    """Slowly, so that the broker is reached in time: nothing older than max-age-ms is sent."""
    played = player.play(
        f"nasionsrc uri=rgbd:{record()} camera=front ! identity sleep-time=300000 ! nasioninfer model={spot_model} "
        f"! nasionlocate threshold=0.5 ! nasionrange ! nasionpublish url=mqtt://127.0.0.1:{broker.port} prefix=robot "
        "max-age-ms=5000 post-messages=true ! fakesink sync=false"
    )

    assert played.error is None
    deadline = time.monotonic() + 20
    while len(ear.on("robot/front/status")) < 2:
        assert time.monotonic() < deadline, ear.heard
        time.sleep(0.02)
    persons = [PersonMessage.model_validate_json(text) for text in ear.on("robot/front/person")]
    assert len(persons) >= 4
    said = {message["seq"]: message for message in played.messages}
    for person in persons:
        assert person.persons[0].depth_m == said[person.seq]["persons"][0]["depth_m"]
        assert person.max_age_ms == 5000
        assert person.monotonic_ns is not None
    info = InfoMessage.model_validate_json(ear.on("robot/front/info")[0])
    assert (info.engine, info.view, info.model.name, info.limits.threshold) == ("onnxruntime", "full", "spot", 0.5)
    assert (info.frame.width, info.frame.height, info.live) == (320, 180, False)
    states = [StatusMessage.model_validate_json(text).process for text in ear.on("robot/front/status")]
    assert states == ["online", "stopped"]
    assert {json.loads(text)["session"] for _, text in ear.heard} == {persons[0].session}
    assert any("front: mqtt: offered 6" in told for told in played.infos)


def test_without_a_broker_the_pipeline_goes_on(player: Any, record: Make, spot_model: Path) -> None:
    played = player.play(
        f"nasionsrc uri=rgbd:{record()} ! nasioninfer model={spot_model} ! nasionlocate ! nasionrange "
        "! nasionpublish url=mqtt://127.0.0.1:1 post-messages=true ! fakesink sync=false"
    )

    assert played.error is None
    assert len(played.messages) == 6
    assert any("127.0.0.1:1" in told for told in played.infos)
