"""Frames go in and none comes out: the process ends, or begins again, also with a thread stuck in a library."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Iterator, List, Tuple

import cv2
import numpy as np
import onnx
import pytest
from nasion.engine.metadata import ModelMetadata
from nasion.errors import WatchdogError
from nasion.messages import StatusMessage
from nasion.mqtt.broker import PrivateBroker
from nasion.pipeline.watchdog import Patience, Progress
from onnx import TensorProto, helper, numpy_helper
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

PATIENCE_S = 120.0
WIDTH, HEIGHT = 320, 180
GOOD_FRAMES = 3

#: (inside, lost, processed) at each second, and after which of them it fires, at 3 s of patience.
HISTORIES: List[Tuple[str, List[Tuple[int, int, int]], Any]] = [
    ("frames come out", [(2, 0, second) for second in range(9)], None),
    ("slowly", [(2, 0, second // 3) for second in range(20)], None),
    ("the source is silent", [(0, 0, 5)] * 20, None),
    ("silent from the start", [(0, 0, 0)] * 20, None),
    ("it stands still", [(1, 0, 5)] * 20, 3),
    ("it never began", [(1, 0, 0)] * 20, 3),
    ("it was silent before", [(0, 0, 5)] * 9 + [(1, 0, 5)] * 9, 11),
    ("all that went in is given up and more goes in", [(2, 2 * second, 5) for second in range(20)], 3),
    ("between two of them nothing is inside", [((second + 1) % 2, second // 2, 5) for second in range(20)], 6),
    ("one was given up, then silence", [(1, 0, 5), (0, 1, 5)] + [(0, 1, 5)] * 20, None),
    ("the run was broken off", [(3, 0, 5), (3, 0, 5), (0, 0, 5), (1, 0, 6)], None),
]


@pytest.mark.parametrize(("history", "fires"), [case[1:] for case in HISTORIES], ids=[case[0] for case in HISTORIES])
def test_when_it_fires(history: List[Tuple[int, int, int]], fires: Any) -> None:
    patience = Patience(3.0)
    fired = [
        second
        for second, counts in enumerate(history)
        if patience.look([Progress("cam0", *counts, running=())], 1.0) is not None
    ]
    assert (fired[0] if fired else None) == fires


def test_it_says_which_camera_and_where() -> None:
    patience = Patience(2.0)
    said = None
    for second in range(4):
        well = Progress("front", 1, 0, second, ("locate",))
        said = said or patience.look([well, Progress("rear", 5, 0, 7, ("network",))], 1.0)
    assert said == (
        "watchdog: rear: frames went in and none came out for 2.0 s (5 inside, 0 given up; running: network)"
    )


@pytest.fixture(scope="module")
def hanging_model(tmp_path_factory: pytest.TempPathFactory, spot_model: Path) -> Path:
    """The model that sees red; a picture with green in it keeps it busy for some ten thousand years, in C++."""
    model = onnx.load(spot_model)
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["going"], ["going_on"]),
            helper.make_node("Mul", ["sum", "sum"], ["product"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, []),
        ],
        [
            helper.make_tensor_value_info("going_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("product", TensorProto.FLOAT, []),
        ],
    )
    constants = {
        "channel": np.array([1]),
        "limit": np.array(200, np.float32),
        "for_ever": np.array(2**62),
        "once": np.array(1),
        "nothing": np.array(0, np.float32),
    }
    graph = model.graph
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    clip = graph.node.pop()
    clip.input[0] = "delayed"
    graph.node.extend(
        [
            helper.make_node("Gather", ["input", "channel"], ["green"], axis=1),
            helper.make_node("ReduceMax", ["green"], ["greenest"], keepdims=0),
            helper.make_node("Greater", ["greenest", "limit"], ["is_green"]),
            helper.make_node("Where", ["is_green", "for_ever", "once"], ["turns"]),
            helper.make_node("Loop", ["turns", "", "nothing"], ["delay"], body=body),
            helper.make_node("Add", ["pooled", "delay"], ["delayed"]),
            clip,
        ]
    )
    assert ModelMetadata.from_props({entry.key: entry.value for entry in model.metadata_props})
    path = tmp_path_factory.mktemp("hanging") / "hanging.onnx"
    onnx.save(model, path)
    return path


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three black pictures, then green ones."""
    folder = tmp_path_factory.mktemp("recording")
    lens = {"width": WIDTH, "height": HEIGHT, "fx": 256, "fy": 256, "cx": 160, "cy": 90, "baseline_m": 0.12}
    (folder / "calibration.json").write_text(json.dumps(lens))
    for number in range(GOOD_FRAMES + 20):
        picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        picture[:, :, 1] = 255 * (number >= GOOD_FRAMES)
        cv2.imwrite(str(folder / f"{number:06d}_left.png"), picture)
        np.save(folder / f"{number:06d}_depth.npy", np.full((HEIGHT, WIDTH), 2.0, np.float32))
    return folder


class Onlooker:
    """Keeps each status as it comes."""

    def __init__(self, port: int) -> None:
        self.statuses: List[StatusMessage] = []
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = lambda _client, _data, message: self.statuses.append(
            StatusMessage.model_validate_json(message.payload, strict=True)
        )
        self._client.connect("127.0.0.1", port)
        self._client.subscribe("nasion/cam0/status", qos=1)
        self._client.loop_start()

    def wait_for(self, happened: Callable[[List[StatusMessage]], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not happened(self.statuses):
            assert time.monotonic() < deadline, self.statuses
            time.sleep(0.01)

    def end(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


Start = Callable[..., Tuple["subprocess.Popen[str]", Onlooker]]


@pytest.fixture
def start(tmp_path: Path, hanging_model: Path, recording: Path) -> Iterator[Start]:
    """``start(...)``: `nasion run`, a real process, over a recording whose fourth frame never comes out."""
    started: List[Any] = []

    def start(*flags: str, **watchdog: Any) -> Tuple["subprocess.Popen[str]", Onlooker]:
        broker = PrivateBroker().__enter__()
        onlooker = Onlooker(broker.port)
        config = tmp_path / "robot.yaml"
        config.write_text(json.dumps({"watchdog": watchdog, "engine": "onnxruntime", "model": str(hanging_model)}))
        command = [sys.executable, "-m", "nasion", "run", "--config", str(config), "--source", f"rgbd:{recording}"]
        process = subprocess.Popen(
            [*command, "--mqtt", broker.url, "--json", *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        started.append((process, broker, onlooker))
        return process, onlooker

    yield start
    for process, broker, onlooker in started:
        process.kill()
        process.wait()
        onlooker.end()
        broker.__exit__(None, None, None)


@pytest.mark.parametrize("mode", ["every-frame", "live"])
def test_an_inference_that_hangs_ends_the_process_with_its_own_code(start: Start, mode: str) -> None:
    process, onlooker = start("--mode", mode, seconds=1.0)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == WatchdogError.exit_code == 5
    said = [line for line in err.splitlines() if "watchdog" in line]
    assert len(said) == 1
    assert "nasion: watchdog: cam0: frames went in and none came out for 1." in said[0]
    assert said[0].endswith("running: network); ending")
    assert "Traceback" not in err
    if mode == "every-frame":
        assert len(out.splitlines()) == GOOD_FRAMES, "what came out before is not lost"
    onlooker.wait_for(lambda statuses: bool(statuses) and statuses[-1].process == "offline")
    assert [status.process for status in onlooker.statuses if status.process != "online"] == ["offline"]


def test_asked_to_stop_meanwhile_it_ends_all_the_same(start: Start) -> None:
    process, onlooker = start(seconds=3.0)
    for _ in range(GOOD_FRAMES):
        assert process.stdout is not None
        assert process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 5
    assert "watchdog: cam0" in err
    onlooker.wait_for(lambda statuses: bool(statuses) and statuses[-1].process == "offline")


def test_it_can_begin_again_in_the_same_process(start: Start) -> None:
    process, onlooker = start(seconds=1.0, action="restart")

    def online(statuses: List[StatusMessage]) -> int:
        return len({status.session for status in statuses if status.process == "online"})

    onlooker.wait_for(lambda statuses: online(statuses) >= 3)
    assert process.poll() is None
    assert len(list(sockets(process.pid))) < 20, "what the one before held open is closed"
    process.kill()
    out, err = process.communicate(timeout=PATIENCE_S)
    assert err.count("; starting again") >= 2
    assert len(out.splitlines()) >= 2 * GOOD_FRAMES


def sockets(pid: int) -> Iterator[Path]:
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        # It may be closed meanwhile.
        with suppress(FileNotFoundError):
            if os.readlink(descriptor).startswith("socket:"):
                yield descriptor


NOBODY_LISTENS = """
import threading
from nasion.pipeline.watchdog import Progress, Watchdog
from nasion.settings import WatchdogSettings

def stuck(*_):
    threading.Event().wait()

settings = WatchdogSettings(seconds=0.5)
with Watchdog(settings, lambda: [Progress("cam0", 1, 0, 0, ())], on_event=stuck, last_words=lambda: [stuck, stuck]):
    stuck()
"""


def test_last_words_that_nobody_takes_do_not_keep_it() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", NOBODY_LISTENS],
        cwd=Path(__file__).parents[2] / "plugins",
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode == 5


STOPPED = """
import time
from nasion.pipeline.watchdog import Progress, Watchdog
from nasion.settings import WatchdogSettings

busy = lambda: [Progress("cam0", 1, 0, 0, ())]
with Watchdog(WatchdogSettings(seconds=3.0), busy, on_event=print, last_words=lambda: []):
    print("begun", flush=True)
    time.sleep(0.5)
    # Back from the stop.
    time.sleep(0.5)
"""


def test_time_for_which_the_process_itself_was_stopped_does_not_count() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED], cwd=Path(__file__).parents[2] / "plugins", stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(signal.SIGSTOP)
    time.sleep(4)
    process.send_signal(signal.SIGCONT)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (0, "")
