"""What several parts of the suite share."""

from __future__ import annotations

import csv
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, settings
from nasion.engine.metadata import ModelMetadata
from nasion.mqtt.broker import PrivateBroker
from onnx import TensorProto, helper, numpy_helper

from tests.program import Command

# How fast a machine is says nothing about right or wrong.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")

LABELS = ["image", "source", "split", "label", "u", "v", "interocular_px", "faces"]
FACES = ["image", "u", "v", "interocular_px", "by"]


@pytest.fixture
def nasion(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """The program in this process: exit code, stdout, stderr."""
    from nasion.cli.main import main

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["nasion", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
        return code, *capfd.readouterr()

    return run


@pytest.fixture
def broker() -> Iterator[PrivateBroker]:
    """A mosquitto of the test's own."""
    with PrivateBroker() as broker:
        yield broker


@pytest.fixture
def kept_port() -> Iterator[int]:
    """A port where nobody listens until a broker of the test's own does, again and again; no other test gets it."""
    with socket.socket() as keeper:
        # mosquitto says so too, and may then listen where we are bound.
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", 0))
        yield keeper.getsockname()[1]


@pytest.fixture
def make_table(tmp_path: Path) -> Callable[..., Path]:
    """Write a label table with its pictures, made by code: noise, and a bright disc where a face is.

    ``each`` positives and ``each`` negatives are in val, three times as many in train.
    """

    def make(each: int = 12) -> Path:
        rng = np.random.default_rng(0)
        (tmp_path / "images").mkdir()
        labels, faces = [], []
        for number in range(8 * each):
            positive, split = number % 2 == 0, "train" if number < 6 * each else "val"
            picture = rng.integers(0, 80, (96, 128, 3), np.uint8)
            name, place = f"bsds_{number:03d}.jpg", ("", "", "")
            if positive:
                u, v = rng.uniform(25, 100), rng.uniform(25, 70)
                cv2.circle(picture, (round(u), round(v)), 9, (60, 200, 250), -1)
                place = (f"{u:.2f}", f"{v:.2f}", "12.0")
                faces.append([name, *place, "human"])
            cv2.imwrite(str(tmp_path / "images" / name), picture)
            labels.append([name, "bsds", split, "positive" if positive else "negative", *place, "1"])
        for file, head, rows in (("labels.csv", LABELS, labels), ("all_faces.csv", FACES, faces)):
            with (tmp_path / file).open("w", newline="") as stream:
                csv.writer(stream).writerows([head, *rows])
        return tmp_path

    return make


@pytest.fixture(scope="session")
def spot_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that sees red: its heat map is red less the mean of green and blue, stride 2, threshold 0.6.

    Convolution and pooling of a real network, with an answer that a test can foretell.
    """
    weights = np.array([1, -0.5, -0.5], np.float32).reshape(1, 3, 1, 1) / 255
    picture: list[str | int | None] = ["batch", 3, "height", "width"]
    heat: list[str | int | None] = ["batch", 1, "heat_height", "heat_width"]
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["input", "weights"], ["red"]),
            helper.make_node("AveragePool", ["red"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2]),
            helper.make_node("Clip", ["pooled", "zero", "one"], ["heat_map"]),
        ],
        "spot",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, picture)],
        [helper.make_tensor_value_info("heat_map", TensorProto.FLOAT, heat)],
        [
            numpy_helper.from_array(weights, "weights"),
            numpy_helper.from_array(np.array(0, np.float32), "zero"),
            numpy_helper.from_array(np.array(1, np.float32), "one"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    metadata = ModelMetadata(
        name="spot",
        version="1",
        stride=2,
        sigma_px=4,
        threshold=0.6,
        keypoint="the reddest spot",
        sizes="any",
        data_digest="none",
        metrics="{}",
        licence="Apache-2.0",
    )
    helper.set_model_props(model, metadata.to_props())
    path = tmp_path_factory.mktemp("spot") / "spot.onnx"
    onnx.save(model, path)
    return path
