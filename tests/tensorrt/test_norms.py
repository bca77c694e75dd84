"""InstanceNormalization stays in FP32, whoever builds the engine; networks without it are told nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Callable

import pytest
from nasion.config.nvinfer import read_nvinfer
from nasion.tensorrt.build import build
from nasion.tensorrt.commands import build_command
from nasion.tensorrt.folders import EnginePlace, Precision
from nasion.tensorrt.norms import nvinfer_keys
from nasion.tensorrt.onnx_facts import read_onnx_facts
from nasion.tensorrt.prepare import nvinfer_file_for_run
from nasion.tensorrt.refusals import why_not_built
from nasion.tensorrt.versions import Version

NormModel = Callable[..., Path]
PINS = ["--precisionConstraints=obey", "--layerPrecisions=/stem/norm:fp32"]


def pins(model: Path, precision: Precision) -> list[str]:
    command = build_command(
        "trtexec",
        Version(8, 5, 2),
        read_onnx_facts(model),
        EnginePlace(Path("net.onnx"), 1, 0, precision),
        height=224,
        width=224,
        workspace_mib=64,
        cache=Path("timing.cache"),
    )
    return [word for word in command if "recision" in word and not word.startswith("--onnx")]


def test_trtexec_is_told_which_layers(norm_model: NormModel, spot_model: Path) -> None:
    assert pins(norm_model(), "fp16") == PINS
    assert pins(norm_model(), "fp32") == []
    assert pins(spot_model, "fp16") == []


@pytest.mark.parametrize("version", ["8.5.2", "8.6.1", "10.3.0"])
def test_an_engine_of_such_a_network_is_built_and_nvinfer_builds_the_same(
    version: str,
    norm_model: NormModel,
    config_for: Callable[..., Path],
    trtexec: Callable[[str], str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    build(config=config_for(norm_model()), trtexec=trtexec(version), gpu="orin", engines=tmp_path, as_json=True)

    told = json.loads(capsys.readouterr().out)
    assert Path(told["engine"]).is_file()
    assert set(PINS) <= set(told["command"])
    assert read_nvinfer(Path(told["nvinfer"])).properties["layer-device-precision"] == "/stem/norm:fp32:gpu"


def test_a_run_without_an_engine_lets_nvinfer_build_it_so_too(
    norm_model: NormModel, config_for: Callable[..., Path], tmp_path: Path
) -> None:
    config = read_nvinfer(config_for(norm_model()))
    file = nvinfer_file_for_run(config, batch=2, engines=tmp_path, version=Version(10, 3, 0), gpu="orin")
    assert read_nvinfer(file).properties["layer-device-precision"] == "/stem/norm:fp32:gpu"


def test_what_the_nvinfer_file_says_of_layers_itself_stays() -> None:
    own = {"layer-device-precision": "heat:fp32:gpu"}
    assert nvinfer_keys(own, ["a", "b"], "fp16") == own
    assert nvinfer_keys({}, ["a", "b"], "int8") == {"layer-device-precision": "a:fp32:gpu;b:fp32:gpu"}
    assert nvinfer_keys({}, ["a"], "fp32") == nvinfer_keys({}, [], "fp16") == {}


def test_one_without_a_name_cannot_be_kept_and_is_refused(norm_model: NormModel) -> None:
    facts = read_onnx_facts(norm_model(""))
    assert "take fp32" in (why_not_built(facts, "fp16") or "")
    assert why_not_built(facts, "fp32") is None
