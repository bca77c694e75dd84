"""The command lines, word by word, for the three generations of TensorRT."""

from __future__ import annotations

from pathlib import Path

import pytest
from nasion.tensorrt.commands import bench_command, build_command, output_command
from nasion.tensorrt.folders import EnginePlace, Precision
from nasion.tensorrt.onnx_facts import read_onnx_facts
from nasion.tensorrt.versions import Version, from_text


def build(model: Path, version: Version, precision: Precision = "fp16", batch: int = 1, gpu_id: int = 0) -> list[str]:
    return build_command(
        "trtexec",
        version,
        read_onnx_facts(model),
        EnginePlace(Path("e/net.onnx"), batch, gpu_id, precision),
        height=224,
        width=224,
        workspace_mib=2048,
        cache=Path("e/timing.cache"),
    )


@pytest.mark.parametrize(
    ("version", "last"), [("8.5.2", "--buildOnly"), ("8.6.2", "--skipInference"), ("10.3.0", "--skipInference")]
)
def test_a_build(version: str, last: str, spot_model: Path) -> None:
    assert build(spot_model, from_text(version), batch=2) == [
        "trtexec",
        "--onnx=e/net.onnx",
        "--saveEngine=e/net.onnx_b2_gpu0_fp16.engine",
        "--fp16",
        "--memPoolSize=workspace:2048",
        "--timingCacheFile=e/timing.cache",
        "--profilingVerbosity=detailed",
        last,
        "--minShapes=input:1x3x224x224",
        "--optShapes=input:2x3x224x224",
        "--maxShapes=input:2x3x224x224",
    ]


@pytest.mark.parametrize(("precision", "flags"), [("fp32", []), ("fp16", ["--fp16"]), ("int8", ["--int8", "--fp16"])])
def test_precisions(precision: Precision, flags: list[str], spot_model: Path) -> None:
    command = build(spot_model, Version(8, 5, 2), precision)
    assert [word for word in command if word in ("--fp16", "--int8", "--best")] == flags
    assert not any("calib" in word for word in command)


def test_fixed_sizes_are_left_as_they_are_and_another_gpu_is_named(fixed_model: Path) -> None:
    command = build(fixed_model, Version(10, 3, 0), gpu_id=1)
    assert not any("Shapes" in word for word in command)
    assert "--device=1" in command


def test_timing_and_output(spot_model: Path, fixed_model: Path) -> None:
    place = EnginePlace(Path("e/net.onnx"), 2, 0, "fp16")
    facts = read_onnx_facts(spot_model)
    timing = bench_command("trtexec", facts, place, height=224, width=224, iterations=50, profile=Path("p.json"))
    assert timing == [
        "trtexec",
        "--loadEngine=e/net.onnx_b2_gpu0_fp16.engine",
        "--shapes=input:2x3x224x224",
        "--iterations=50",
        "--warmUp=500",
        "--useSpinWait",
        "--dumpProfile",
        "--separateProfileRun",
        "--profilingVerbosity=detailed",
        "--exportProfile=p.json",
    ]
    output = output_command("trtexec", facts, place, height=224, width=224, given="x.bin", output="o.json")
    assert output[2:5] == ["--shapes=input:1x3x224x224", "--loadInputs=input:x.bin", "--exportOutput=o.json"]
    fixed = read_onnx_facts(fixed_model)
    output = output_command("trtexec", fixed, place, height=224, width=224, given="x.bin", output="o.json")
    assert not any(word.startswith("--shapes") for word in output)
