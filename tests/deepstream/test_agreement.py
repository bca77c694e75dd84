"""The same recording through both engines gives the same messages."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from nasion.core.views import view_geometry
from nasion.messages import InfoMessage, PersonMessage
from nasion.mqtt.broker import PrivateBroker
from nasion.pipeline import app
from nasion.settings import RunSettings, View
from nasion.sources.clock import SystemClock
from nasion.sources.frame import Frame, Grab
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.doubles import nv_double
from tests.pipeline.conftest import Stage

#: What two runs over the same recording need not agree in.
CHANGING = {"session", "captured_at", "captured_ns", "monotonic_ns", "published_at", "latency_ms"}
ENGINES = ("onnxruntime", "deepstream")
WEIGHTS = Path(__file__).parents[2] / "weights" / "nasion-lite.onnx"


def said(messages: list[PersonMessage]) -> list[dict[str, Any]]:
    return [message.model_dump(exclude=CHANGING) for message in messages]


def recording(stage: Stage, width: int, height: int, view: View, channels: int = 3) -> list[Grab]:
    """A dot that walks, leaves and comes back, one torn frame; the wall comes nearer, once in a jump."""
    grabs: list[Grab] = []
    for number in range(24):
        u, v = 0.3 * width + 0.017 * width * number, 0.5 * height + 7.3
        picture = stage.dot(u, v, width, height, view=view, channels=channels)
        if number in (9, 10):
            picture[:] = 0
        metres = 9.0 if number == 5 else 3 - 0.02 * number
        grabs.append(stage.frame(picture, metres, number * 33_000_000))
    grabs[15] = stage.corrupt("torn", 15 * 33_000_000)
    return grabs


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize(("view", "width", "height"), [("full", 1280, 720), ("centre", 1280, 720), ("full", 480, 640)])
def test_the_messages_are_the_same_but_for_clocks_and_session(
    stage: Stage, device: nv_double.Reality, view: View, width: int, height: int, channels: int
) -> None:
    device.resample = nv_double.as_the_cpu_engine
    grabs = recording(stage, width, height, view, channels)
    told = []
    for engine in ENGINES:
        stage.messages.clear()
        summary = stage.run({"cam0": stage.source(grabs, width, height)}, engine=engine, view=view)
        told.append(said(stage.messages))
        assert summary.cameras["cam0"].drops == {"corrupt_frame": 1}

    assert told[1] == told[0]
    reasons = [(m["reason"], [p["reason"] for p in m["persons"]]) for m in told[0]]
    assert len(reasons) == 24
    assert {"no_face", "corrupt_frame", None} <= {reason for reason, _ in reasons}
    assert ["jump"] in [persons for _, persons in reasons]


@pytest.mark.parametrize("scaler", [nv_double.bilinear, nv_double.nearest], ids=["bilinear", "nearest"])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
def test_another_scaler_moves_the_keypoint_less_than_half_a_pixel_of_224(
    stage: Stage, device: nv_double.Reality, scaler: nv_double.Resampler, width: int, height: int
) -> None:
    grabs = recording(stage, width, height, "centre")
    places = []
    for resample in (nv_double.as_the_cpu_engine, scaler):
        device.resample = resample
        stage.messages.clear()
        stage.run({"cam0": stage.source(grabs, width, height)}, engine="deepstream", view="centre")
        places.append([[person.pixel for person in message.persons] for message in stage.messages])

    scale = view_geometry("centre", width, height).scale_x
    assert [len(one) for one in places[0]] == [len(other) for other in places[1]]
    moved = [
        abs(a - b) / scale
        for one, other in zip(*places, strict=True)
        for pixel, its in zip(one, other, strict=True)
        for a, b in zip(pixel, its, strict=True)
    ]
    assert 0 < max(moved) < 0.5


def of_the_demo(engine: str, frames: int = 6, every: int = 1, view: View = "full") -> list[PersonMessage]:
    """The released network over the first ``frames`` of the demo."""
    messages: list[PersonMessage] = []
    settings = {
        "cameras": [{"source": f"demo:?frames={frames}"}],
        "engine": engine,
        "view": view,
        "every": every,
        "precision": "auto" if engine == "deepstream" else "float",
        "mode": "every-frame",
        "mqtt": {"url": "none"},
    }
    app.run(
        RunSettings.model_validate(settings),
        clock=SystemClock(),
        on_event=lambda _: None,
        stop=threading.Event(),
        on_message=messages.append,
    )
    return messages


def test_the_released_network_finds_the_same_person(device: nv_double.Reality) -> None:
    pytest.importorskip("skimage")
    cpu = of_the_demo("onnxruntime")
    assert len(cpu) == 6
    assert all(message.persons for message in cpu)

    device.resample = nv_double.as_the_cpu_engine
    for message, same in zip(cpu, of_the_demo("deepstream"), strict=True):
        assert same.persons[0].pixel == pytest.approx(message.persons[0].pixel, abs=0.01)
        assert same.persons[0].depth_m == message.persons[0].depth_m
        assert same.persons[0].probability == pytest.approx(message.persons[0].probability, abs=1e-4)

    device.resample = nv_double.bilinear
    scale = view_geometry("full", 1280, 720).scale_x
    for message, other in zip(cpu, of_the_demo("deepstream"), strict=True):
        assert other.persons[0].pixel == pytest.approx(message.persons[0].pixel, abs=0.5 * scale)


@pytest.mark.parametrize("view", ["full", "centre"])
def test_a_scaler_that_does_not_average_moves_the_released_network_by_less_than_a_pixel_of_its_input(
    device: nv_double.Reality, view: View
) -> None:
    """Two by two pixels of a picture that shrinks to a third or less, over the whole walk, as a device may do it."""
    pytest.importorskip("skimage")
    cpu = of_the_demo("onnxruntime", frames=720, every=48, view=view)
    device.resample = nv_double.bilinear
    moved = [
        math.dist(person.pixel, its.pixel) / view_geometry(view, 1280, 720).scale_x
        for message, other in zip(cpu, of_the_demo("deepstream", frames=720, every=48, view=view), strict=True)
        for person, its in zip(message.persons, other.persons, strict=False)
    ]
    assert len(moved) >= 8
    assert median(moved) < 0.3
    assert 0 < max(moved) < 1


def test_two_cameras_share_a_batch_and_keep_their_own_depth_and_place(stage: Stage, device: nv_double.Reality) -> None:
    """The same instants in both, so that only the pad tells them apart; the second is larger and lasts longer."""
    device.resample = nv_double.as_the_cpu_engine
    stamps = [stage.frame().stamp for _ in range(40)]

    def frames(u: float, metres: float, count: int, width: int, height: int) -> Iterator[Grab]:
        for number, stamp in enumerate(stamps[:count]):
            made = stage.frame(stage.dot(u, 100.0, width, height), metres, number)
            yield Frame(made.picture, made.depth, made.calibration, stamp, number)

    told = []
    for engine in ENGINES:
        stage.messages.clear()
        stage.run(
            {
                "front": stage.source(frames(150.0, 1.5, 20, 640, 360), 640, 360),
                "rear": stage.source(frames(900.0, 4.5, 40, 1280, 720), 1280, 720),
            },
            engine=engine,
        )
        told.append([said(stage.of("front")), said(stage.of("rear"))])

    assert told[1] == told[0]
    assert [len(messages) for messages in told[1]] == [20, 40]
    assert max(device.batch_sizes) == 2
    for messages, u, metres in ((stage.of("front"), 150.0, 1.5), (stage.of("rear"), 900.0, 4.5)):
        for message in messages:
            assert message.persons[0].depth_m == pytest.approx(metres)
            assert message.persons[0].pixel[0] == pytest.approx(u, abs=1.0)


@pytest.mark.parametrize("engine", ENGINES)
def test_info_names_the_engine(stage: Stage, device: nv_double.Reality, engine: str) -> None:
    """Seen by somebody else over a real broker."""
    assert device.faults == []
    subscribed, seen = threading.Event(), threading.Event()
    infos: list[InfoMessage] = []

    def on_info(_client: Any, _data: Any, arrived: Any) -> None:
        infos.append(InfoMessage.model_validate_json(arrived.payload, strict=True))
        seen.set()

    def grabs() -> Iterator[Grab]:
        yield stage.frame()
        assert seen.wait(60)

    with PrivateBroker() as broker:
        onlooker = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        onlooker.on_message = on_info
        onlooker.on_subscribe = lambda *_: subscribed.set()
        onlooker.connect("127.0.0.1", broker.port)
        onlooker.subscribe("nasion/cam0/info")
        onlooker.loop_start()
        assert subscribed.wait(60)
        stage.run({"cam0": stage.source(grabs())}, engine=engine, mqtt={"url": broker.url})
        onlooker.loop_stop()

    assert infos[0].engine == engine
    assert infos[0].model.name == "spot"
