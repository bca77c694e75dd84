"""What is set while it runs is seen in the next messages, with both engines, and never in the middle of a frame."""

import json
import threading
import uuid
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional

import cv2
import numpy as np
import pytest
from nasion.core.gates import Hysteresis
from nasion.core.ranging import Ranger
from nasion.core.ring import FrameRing
from nasion.core.views import view_geometry
from nasion.engine.onnx_model import HeatMapModel
from nasion.errors import InputError
from nasion.messages import InfoMessage, PersonMessage, StateMessage
from nasion.mqtt.broker import PrivateBroker
from nasion.pipeline.controls import InForce
from nasion.pipeline.flow import Flow
from nasion.pipeline.slip import Slip
from nasion.pipeline.steps import Steps
from nasion.settings import DepthSettings, HysteresisSettings, ImageSettings, JumpSettings
from nasion.sources.frame import Grab
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.deepstream.conftest import device as device  # noqa: PLC0414

PATIENCE_S = 60.0


class Operator:
    """Sets things, and waits for what must come."""

    def __init__(self, broker: PrivateBroker) -> None:
        self.messages: List[MQTTMessage] = []
        self._came = threading.Condition()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = self._hear
        self._client.connect("127.0.0.1", broker.port)
        self._client.subscribe("nasion/#", qos=1)
        self._client.loop_start()

    def _hear(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        with self._came:
            self.messages.append(message)
            self._came.notify_all()

    def wait_for(self, happened: Callable[[], Any]) -> None:
        with self._came:
            assert self._came.wait_for(happened, PATIENCE_S), [message.topic for message in self.messages][-20:]

    def on(self, kind: str) -> List[bytes]:
        return [bytes(message.payload) for message in self.messages if message.topic == f"nasion/cam0/{kind}"]

    @property
    def persons(self) -> List[PersonMessage]:
        return [PersonMessage.model_validate_json(payload) for payload in self.on("person")]

    def state(self, key: str) -> Optional[StateMessage]:
        said = self.on(f"state/{key}")
        return StateMessage.model_validate_json(said[-1]) if said else None

    def set(self, key: str, value: Any) -> None:
        """Ask, and wait for the answer."""
        self.wait_for(lambda: self.state(key))
        mine = uuid.uuid4().hex
        self._client.publish(f"nasion/cam0/set/{key}", json.dumps({"value": value, "id": mine}), qos=1)
        self.wait_for(lambda: (state := self.state(key)) is not None and state.id == mine)
        answer = self.state(key)
        assert answer is not None
        assert answer.accepted, answer.reason

    def see(self, what: Callable[[PersonMessage], bool]) -> None:
        self.wait_for(lambda: self.persons and what(self.persons[-1]))

    def end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def operator(broker: PrivateBroker) -> Iterator[Operator]:
    operator = Operator(broker)
    yield operator
    operator.end()


def two_persons(stage: Any) -> Iterator[Grab]:
    """One with a probability of about 0.98 and one of about 0.7, two metres away, until the stage is to stop."""
    picture = np.maximum(stage.dot(u=80.0), (stage.dot(u=240.0) * 0.72).astype(np.uint8))
    while not stage.stop.wait(0.02):
        yield stage.frame(picture)


def running(stage: Any, broker: PrivateBroker, act: Callable[[], None], **settings: Any) -> Any:
    """Let the stage run while ``act`` does its part in another thread; what fails there fails here."""
    failed: List[BaseException] = []

    def acting() -> None:
        try:
            act()
        except BaseException as error:
            failed.append(error)
        finally:
            stage.stop.set()

    thread = threading.Thread(target=acting)
    thread.start()
    mqtt = {"url": broker.url, "max_age_ms": 10_000.0}
    summary = stage.run({"cam0": stage.source(two_persons(stage), live=True)}, mqtt=mqtt, **settings)
    thread.join()
    if failed:
        raise failed[0]
    return summary


@pytest.mark.parametrize("engine", ["onnxruntime", "deepstream"])
def test_what_is_set_is_seen(
    stage: Any, broker: PrivateBroker, operator: Operator, engine: str, request: pytest.FixtureRequest
) -> None:
    if engine == "deepstream":
        request.getfixturevalue("device")

    def act() -> None:
        operator.see(lambda message: len(message.persons) == 1)
        operator.set("max_persons", 2)
        operator.see(lambda message: len(message.persons) == 2)
        operator.set("threshold", 0.9)
        operator.see(lambda message: len(message.persons) == 1)
        operator.set("near_m", 3.0)
        operator.see(lambda message: message.persons[0].reason == "too_near")
        operator.set("near_m", 0.7)
        operator.set("far_m", 1.5)
        operator.see(lambda message: message.persons[0].reason == "too_far")
        operator.set("far_m", 10.0)
        operator.see(lambda message: message.persons[0].valid)
        operator.wait_for(lambda: InfoMessage.model_validate_json(operator.on("info")[-1]).limits.threshold == 0.9)

    summary = running(stage, broker, act, engine=engine)

    assert {message.persons[0].track_id for message in operator.persons} == {0}, "nobody lost the number"
    limits = InfoMessage.model_validate_json(operator.on("info")[-1]).limits
    assert (limits.threshold, limits.max_persons, limits.near_m, limits.far_m) == (0.9, 2, 0.7, 10.0)
    assert summary.cameras["cam0"].published["requests_obeyed"] == 6
    assert "cam0: max_persons = 2, set over MQTT; it was 1" in stage.events


@pytest.mark.parametrize("engine", ["onnxruntime", "deepstream"])
def test_pictures_come_when_they_are_asked_for_and_no_longer(
    stage: Any, broker: PrivateBroker, operator: Operator, engine: str, request: pytest.FixtureRequest
) -> None:
    if engine == "deepstream":
        request.getfixturevalue("device")

    def act() -> None:
        operator.wait_for(lambda: len(operator.persons) > 5)
        assert operator.on("image") == []
        operator.set("image_hz", 10.0)
        operator.set("image", True)
        operator.wait_for(lambda: len(operator.on("image")) >= 3)
        operator.set("image", False)
        before = len(operator.persons)
        operator.wait_for(lambda: len(operator.persons) > before + 10)
        pictures = len(operator.on("image"))
        before = len(operator.persons)
        operator.wait_for(lambda: len(operator.persons) > before + 10)
        assert len(operator.on("image")) == pictures

    summary = running(stage, broker, act, engine=engine)

    picture = cv2.imdecode(np.frombuffer(operator.on("image")[-1], np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (180, 320, 3)
    for arrived in (message for message in operator.messages if message.topic == "nasion/cam0/image"):
        properties: Any = arrived.properties
        told = dict(properties.UserProperty)
        assert told["session"] == operator.persons[0].session
        assert 5 < int(told["seq"]) < summary.cameras["cam0"].processed
    assert summary.cameras["cam0"].published["images_sent"] >= 3


def test_what_was_set_is_kept_only_where_that_is_asked_for(
    stage: Any, broker: PrivateBroker, operator: Operator, tmp_path: Path
) -> None:
    file = tmp_path / "kept.json"
    running(stage, broker, lambda: operator.set("max_persons", 2))
    assert list(tmp_path.iterdir()) == []

    def act() -> None:
        before = len(operator.persons)
        operator.wait_for(lambda: len(operator.persons) > before)
        operator.set("max_persons", 3)

    for expected in (None, {"cam0": {"max_persons": 3}}):
        assert (json.loads(file.read_text()) if file.exists() else None) == expected
        stage.stop.clear()
        running(stage, broker, act if expected is None else lambda: None, remote={"persist": str(file)})
    assert f"cam0: max_persons = 3, kept in {file}" in stage.events

    file.write_text("{")
    with pytest.raises(InputError, match="not the kept settings"):
        running(stage, broker, lambda: None, remote={"persist": str(file)})


class Kept:
    """Keeps the slips of published frames."""

    def __init__(self) -> None:
        self.slips: List[Slip] = []

    def result(self, slip: Slip, _located: Any, _frame: Any) -> None:
        self.slips.append(slip)


def test_what_is_set_in_the_middle_of_a_frame_waits_for_the_next(stage: Any) -> None:
    """It is found at the old threshold, so it is measured by the old limits, whatever has been set in between."""
    model = HeatMapModel(stage.model, height=288, width=480, threads=1)
    frames: FrameRing[Any] = FrameRing(4)
    slips: FrameRing[Slip] = FrameRing(4)
    flow, outlet = Flow(), Kept()
    jump = JumpSettings()
    set_to = {"now": InForce(0.5, 1, DepthSettings(), jump, ImageSettings())}
    steps = Steps(
        metadata=model.metadata,
        geometry=view_geometry("full", 320, 180),
        hysteresis=Hysteresis(HysteresisSettings(), 0.5),
        ranger=Ranger(stage.calibration(), DepthSettings(), jump),
        in_force=lambda: set_to["now"],
        limit=None,
        read_ahead=False,
        frames=frames,
        slips=slips,
        flow=flow,
        outlet=outlet,  # type: ignore[arg-type]
        clock=stage.clock,
    )
    heat = np.zeros((144, 240), np.float32)
    heat[40:43, 60:63] = 0.6
    heat[41, 61] = 0.8
    for pts in range(2):
        frame = stage.frame(metres=2.0)
        frames.put(pts, frame)
        slips.put(pts, Slip(frame.stamp, None))
        flow.entered(pts)
        assert steps.admit(pts)
        steps.heat(pts, heat)
        steps.locate(pts)
        set_to["now"] = InForce(0.5, 1, DepthSettings(near_m=3.0), jump, ImageSettings())
        steps.range(pts)
        steps.publish(pts)

    assert [slip.persons[0].reason for slip in outlet.slips] == [None, "too_near"]
    assert [slip.persons[0].track_id for slip in outlet.slips] == [0, 0]


@pytest.mark.parametrize(
    ("changed", "jumped"),
    [({}, True), ({"mode": "off"}, False), ({"max_speed_m_s": 1000.0}, False), ({"mode": "fixed"}, False)],
)
def test_a_gate_goes_on_from_the_range_it_knows(stage: Any, changed: Dict[str, Any], jumped: bool) -> None:
    from nasion.core.results import Keypoint, Located

    located = Located((Keypoint(160.0, 90.0, 0.9, 1.0, 1.0),), None, 0.9)
    jump = JumpSettings()
    ranger = Ranger(stage.calibration(), DepthSettings(), jump)
    ranger.range(located, stage.frame(metres=2.0).depth, 0)
    ranger.tune(DepthSettings(), JumpSettings(**changed))
    (person,) = ranger.range(located, stage.frame(metres=3.0).depth, 50_000_000)
    assert (person.reason == "jump") == jumped
    assert person.track_id == 0
