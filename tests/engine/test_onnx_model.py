"""A model file is checked before its first use; what it says is what comes out."""

import hashlib
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import numpy as np
import onnx
import onnxruntime
import pytest
from nasion.engine.metadata import ModelMetadata
from nasion.engine.onnx_model import HeatMapModel
from nasion.errors import DependencyError, InputError
from onnx import TensorProto, helper

Save = Callable[..., Path]

ABOUT = {
    "name": "made",
    "version": "1",
    "stride": 2,
    "sigma_px": 4.0,
    "threshold": 0.5,
    "keypoint": "none",
    "sizes": "any",
    "data_digest": "none",
    "metrics": "{}",
    "licence": "none",
}


def open_at(path: Path, height: int = 64, width: int = 96, threads: int = 1) -> HeatMapModel:
    return HeatMapModel(path, height=height, width=width, threads=threads)


def refusal(path: Path, **size: int) -> str:
    with pytest.raises(InputError) as caught:
        open_at(path, **size)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 500
    assert str(path) in text
    return text


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Write a model of one average pooling over the mean of the channels, bent as a test wants."""

    def write(
        *,
        shape: Optional[List[Any]] = None,
        pool: int = 2,
        gain: float = 1 / 255,
        about: Optional[Dict[str, Any]] = None,
        second_output: bool = False,
    ) -> Path:
        mean = helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1], keepdims=1)
        nodes = [
            mean,
            helper.make_node("AveragePool", ["mean"], ["pooled"], kernel_shape=[pool, pool], strides=[pool, pool]),
            helper.make_node("Mul", ["pooled", "gain"], ["heat_map"]),
        ]
        outputs = [helper.make_tensor_value_info("heat_map", TensorProto.FLOAT, [None, 1, None, None])]
        if second_output:
            outputs.append(helper.make_tensor_value_info("pooled", TensorProto.FLOAT, [None, 1, None, None]))
        given = helper.make_tensor_value_info("input", TensorProto.FLOAT, shape or ["batch", 3, "height", "width"])
        constant = helper.make_tensor("gain", TensorProto.FLOAT, [], [gain])
        model = helper.make_model(
            helper.make_graph(nodes, "made", [given], outputs, [constant]),
            opset_imports=[helper.make_opsetid("", 17)],
            ir_version=8,
        )
        helper.set_model_props(model, ModelMetadata(**{**ABOUT, **(about or {})}).to_props())
        path = tmp_path / "made.onnx"
        onnx.save(model, path)
        return path

    return write


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(("height", "width"), [(32, 32), (64, 96), (288, 480)])
def test_a_tensor_becomes_a_heat_map(save: Save, height: int, width: int, threads: int) -> None:
    model = open_at(save(), height, width, threads)
    tensor = np.random.default_rng(0).uniform(0, 255, (1, 3, height, width)).astype(np.float32)

    heat = model.infer(tensor)

    expected = tensor.mean(axis=(0, 1)).reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)) / 255
    assert heat.dtype == np.float32
    assert heat == pytest.approx(expected, abs=1e-5)


def test_the_file_says_what_it_is(save: Save) -> None:
    path = save(about={"name": "nasion-test", "threshold": 0.63})

    model = open_at(path)

    assert (model.metadata.name, model.metadata.threshold) == ("nasion-test", 0.63)
    assert model.digest == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_model_that_fixes_its_input_is_taken_for_that_size_only(save: Save) -> None:
    path = save(shape=[1, 3, 64, 96])

    assert open_at(path, 64, 96).infer(np.zeros((1, 3, 64, 96), np.float32)).shape == (32, 48)
    assert "1 x 3 x 64 x 96; this view needs 1 x 3 x 288 x 480" in refusal(path, height=288, width=480)


@pytest.mark.parametrize("content", [b"", b"not a model", bytes(range(256)) * 64])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)

    refusal(path)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.99])
def test_a_truncated_model_is_refused(spot_model: Path, tmp_path: Path, kept: float) -> None:
    content = spot_model.read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(content[: int(kept * len(content))])

    refusal(path)


def test_onnx_runtimes_own_format_is_refused(spot_model: Path, tmp_path: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "model.onnx")
    options.add_session_config_entry("session.save_model_format", "ORT")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    onnxruntime.InferenceSession(str(spot_model), options, providers=["CPUExecutionProvider"])
    with pytest.raises(InputError, match="is no ONNX model"):
        HeatMapModel(tmp_path / "model.onnx", height=64, width=64, threads=1)


def test_a_file_that_is_not_there_or_a_folder_is_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.onnx")
    assert "directory" in refusal(tmp_path).lower()


@pytest.mark.parametrize(
    ("bent", "said"),
    [
        ({"shape": ["batch", 1, "height", "width"]}, "expected tensor(float) N x 3 x H x W"),
        ({"second_output": True}, "1 inputs and 2 outputs"),
        ({"pool": 4}, "shape 1 x 1 x 16 x 24 for an input of 64 x 96; expected 1 x 1 x 32 x 48 at the stride 2"),
        ({"about": {"stride": 4}}, "expected 1 x 1 x 16 x 24 at the stride 4"),
        ({"shape": ["batch", 3, 61, "width"]}, "batch x 3 x 61 x width; this view needs 1 x 3 x 64 x 96"),
    ],
)
def test_a_model_of_another_shape_is_refused(save: Save, bent: Dict[str, Any], said: str) -> None:
    assert said in refusal(save(**bent))


@pytest.mark.parametrize(
    ("kind", "shape", "said"),
    [
        (
            TensorProto.UINT8,
            ["batch", 3, "height", "width"],
            "input 'input' is tensor(uint8) batch x 3 x",
        ),
        (TensorProto.FLOAT, [3, "height", "width"], "input 'input' is tensor(float) 3 x height x width"),
        (TensorProto.FLOAT, ["batch", 3, "height", "width"], "output 'heat_map' is tensor(float) batch x 3 x"),
    ],
)
def test_a_model_that_takes_or_gives_something_else_is_refused(
    tmp_path: Path, kind: int, shape: List[Any], said: str
) -> None:
    given, out = (helper.make_tensor_value_info(name, kind, shape) for name in ("input", "heat_map"))
    same = helper.make_node("Identity", ["input"], ["heat_map"])
    graph = helper.make_graph([same], "same", [given], [out])
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "same.onnx"
    )

    assert said in refusal(tmp_path / "same.onnx")


def test_a_heat_map_outside_0_to_1_is_refused(save: Save) -> None:
    assert "expected a heat map within 0..1" in refusal(save(gain=float("nan")))


def test_a_model_without_our_metadata_is_refused(save: Save) -> None:
    path = save()
    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.save(model, path)

    assert "nasion." in refusal(path)


def test_without_onnx_runtime_it_is_said_how_to_get_it(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    with pytest.raises(DependencyError, match="scripts/setup cpu"):
        open_at(path)


def test_a_failing_inference_is_a_failure_while_running_in_one_line(save: Save) -> None:
    from nasion.errors import NasionError

    with pytest.raises(NasionError, match="ONNX Runtime failed") as caught:
        open_at(save()).infer(np.zeros((1, 3, 8, 8), np.float32))

    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 1
