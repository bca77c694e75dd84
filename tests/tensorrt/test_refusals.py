"""What TensorRT is never asked for, and what a run with nvinfer needs first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Callable

import pytest
from nasion.config.nvinfer import NetworkPrecision, read_nvinfer
from nasion.errors import InputError
from nasion.tensorrt.onnx_facts import read_onnx_facts
from nasion.tensorrt.prepare import nvinfer_file_for_run
from nasion.tensorrt.refusals import how_to_build, why_not_built, why_not_run
from nasion.tensorrt.versions import Version


@pytest.fixture
def model(spot_model: Path, int8_model: Callable[..., Path]) -> Callable[[str], Path]:
    return lambda kind: spot_model if kind == "float" else int8_model(kind)


@pytest.mark.parametrize(
    ("kind", "precision", "reason"),
    [
        ("float", "fp16", None),
        ("float", "fp32", None),
        ("signed", "int8", None),
        ("float", "int8", "no Q/DQ nodes"),
        ("unsigned", "int8", "unsigned"),
        ("asymmetric", "int8", "is not zero"),
        ("bias32", "int8", "32 bits"),
        ("signed", "fp16", "only as INT8"),
        ("float", "best", "network-mode=2"),
    ],
)
def test_what_is_built(
    kind: str, precision: NetworkPrecision, reason: str | None, model: Callable[[str], Path]
) -> None:
    told = why_not_built(read_onnx_facts(model(kind)), precision)
    assert told is None if reason is None else told is not None and reason in told


def test_the_command_that_makes_an_engine_names_the_model_that_the_settings_put_in(
    config_for: Callable[..., Path], spot_model: Path, tmp_path: Path
) -> None:
    file = config_for(spot_model)
    config = read_nvinfer(file)
    assert how_to_build(config, 2) == f"scripts/build_engine --config {file} --batch 2"
    other = replace(config, onnx_file=tmp_path / "an other.onnx")
    assert how_to_build(other) == f"scripts/build_engine --config {file} --onnx '{other.onnx_file}' --batch 1"


@pytest.mark.parametrize("kind", ["float", "unsigned", "asymmetric", "bias32"])
def test_a_refused_int8_model_is_told_how_to_make_the_right_one(kind: str, model: Callable[[str], Path]) -> None:
    told = why_not_built(read_onnx_facts(model(kind)), "int8")
    assert told is not None
    assert "python -m export.int8" in told
    assert "--activations int8" in told


@pytest.mark.parametrize(
    ("kind", "mode", "more", "engine_there", "reason"),
    [
        pytest.param("float", 2, "", False, None, id="nvinfer builds FP16 itself"),
        pytest.param("float", 2, "model-engine-file=here.engine\n", False, None, id="also under a given name"),
        pytest.param("signed", 1, "model-engine-file=here.engine\n", True, None, id="the INT8 engine is there"),
        pytest.param("signed", 1, "model-engine-file=here.engine\n", False, "is missing", id="it is not"),
        pytest.param("signed", 1, "", False, "without model-engine-file", id="nor named"),
        pytest.param("unsigned", 1, "model-engine-file=here.engine\n", True, "unsigned", id="not for TensorRT"),
        pytest.param("signed", 2, "", False, "only as INT8", id="Q/DQ nodes as FP16"),
        pytest.param("float", 1, "model-engine-file=here.engine\n", True, "no Q/DQ nodes", id="FP16 called INT8"),
        pytest.param("float", 2, "enable-dla=1\n", False, "DLA", id="DLA"),
        pytest.param("float", 2, "use-dla-core=0\n", False, "DLA", id="DLA by its core"),
        pytest.param("float", 2, "enable-dla=0\n", False, None, id="no DLA said aloud"),
    ],
)
def test_what_nvinfer_is_started_with(
    kind: str,
    mode: int,
    more: str,
    engine_there: bool,
    reason: str | None,
    model: Callable[[str], Path],
    config_for: Callable[..., Path],
) -> None:
    path = config_for(model(kind), mode, more)
    if engine_there:
        path.with_name("here.engine").touch()
    config = read_nvinfer(path)

    told = why_not_run(config, read_onnx_facts(config.onnx_file))
    if reason is None:
        assert told is None
    else:
        assert told is not None
        assert reason in told
        assert str(path) in told


class TestForARun:
    """`nvinfer_file_for_run`: which file nvinfer gets."""

    @staticmethod
    def prepared(path: Path, engines: Path, batch: int = 1) -> Path:
        return nvinfer_file_for_run(
            read_nvinfer(path), batch=batch, engines=engines, version=Version(8, 5, 2), gpu="xavier-sm72-8sm"
        )

    def test_a_plain_file_leads_to_the_folder_where_nvinfer_builds_once(
        self, spot_model: Path, config_for: Callable[..., Path], tmp_path: Path
    ) -> None:
        given = self.prepared(config_for(spot_model), tmp_path / "engines", batch=3)

        told = read_nvinfer(given)
        assert told.batch_size == 3
        assert told.engine_file == told.onnx_file.with_name("spot.onnx_b3_gpu0_fp16.engine")
        assert told.onnx_file.read_bytes() == spot_model.read_bytes()
        assert "trt8.5.2_xavier-sm72-8sm" in str(given)

    def test_a_file_that_names_its_engine_is_taken_as_it_is(
        self, spot_model: Path, config_for: Callable[..., Path], tmp_path: Path
    ) -> None:
        path = config_for(spot_model, more="model-engine-file=x.engine\nbatch-size=2\n")
        assert self.prepared(path, tmp_path / "engines", batch=2) == path
        assert not (tmp_path / "engines").exists()

    def test_but_not_where_its_batch_is_too_small(
        self, spot_model: Path, config_for: Callable[..., Path], tmp_path: Path
    ) -> None:
        path = config_for(spot_model, more="model-engine-file=x.engine\n")
        assert read_nvinfer(self.prepared(path, tmp_path / "engines", batch=2)).batch_size == 2

    def test_int8_without_its_engine_is_refused_with_the_command(
        self, int8_model: Callable[..., Path], config_for: Callable[..., Path], tmp_path: Path
    ) -> None:
        path = config_for(int8_model("signed"), mode=1)
        with pytest.raises(InputError, match=r"would build FP16; make it with: scripts/build_engine .* --batch 2"):
            self.prepared(path, tmp_path / "engines", batch=2)
        assert not (tmp_path / "engines").exists()

    def test_int8_with_its_engine_goes(
        self, int8_model: Callable[..., Path], config_for: Callable[..., Path], tmp_path: Path
    ) -> None:
        path = config_for(int8_model("signed"), mode=1)
        facts = read_onnx_facts(read_nvinfer(path).onnx_file)
        folder = tmp_path / "engines" / "trt8.5.2_xavier-sm72-8sm" / f"{facts.path.stem}-{facts.digest[:12]}-224x224"
        folder.mkdir(parents=True)
        (folder / "spot-signed.onnx_b1_gpu0_int8.engine").write_bytes(b"engine")

        assert read_nvinfer(self.prepared(path, tmp_path / "engines")).precision == "int8"

    def test_the_cpus_int8_file_is_refused(
        self, int8_model: Callable[..., Path], config_for: Callable[..., Path], tmp_path: Path
    ) -> None:
        with pytest.raises(InputError, match="meant for the CPU"):
            self.prepared(config_for(int8_model("unsigned"), mode=1), tmp_path / "engines")
