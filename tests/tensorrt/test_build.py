"""`scripts/build_engine` from the nvinfer file to the engine, with a strict stand-in for `trtexec`."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest
from nasion.config.nvinfer import read_nvinfer
from nasion.errors import DependencyError, HardwareError, InputError, NasionError
from nasion.tensorrt import build as build_module
from nasion.tensorrt.build import build
from nasion.tensorrt.onnx_facts import read_onnx_facts
from nasion.tensorrt.refusals import why_not_run

from tests.tensorrt import tensorrt_double

XAVIER = "xavier-sm72-8sm"
VERSIONS = ["8.5.2", "8.6.1", "10.3.0"]


@pytest.fixture
def engines(tmp_path: Path) -> Path:
    return tmp_path / "all engines"


@pytest.fixture
def made(engines: Path, trtexec: Callable[[str], str], capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Build with ``--json`` on a Xavier and return what was printed."""

    def run(config: Path, version: str = "8.5.2", **options: Any) -> Any:
        build(config=config, engines=engines, trtexec=trtexec(version), gpu=XAVIER, as_json=True, **options)
        return json.loads(capsys.readouterr().out)

    return run


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("kind", "mode", "precision"), [("float", 2, "fp16"), ("float", 0, "fp32"), ("int8", 1, "int8")]
)
def test_an_engine_is_built_where_nvinfer_looks_and_a_run_may_start_with_it(
    version: str,
    kind: str,
    mode: int,
    precision: str,
    made: Callable[..., Any],
    config_for: Callable[..., Path],
    spot_model: Path,
    int8_model: Callable[..., Path],
    engines: Path,
) -> None:
    told = made(config_for(spot_model if kind == "float" else int8_model("signed"), mode), version)

    assert told["precision"] == precision
    config = read_nvinfer(Path(told["nvinfer"]))
    assert config.engine_file == Path(told["engine"])
    assert config.engine_file.is_file()
    assert config.engine_file.name == f"{config.onnx_file.name}_b1_gpu0_{precision}.engine"
    assert why_not_run(config, read_onnx_facts(config.onnx_file)) is None
    assert (engines / f"trt{version}_{XAVIER}" / "timing.cache").is_file()


def test_a_batch_for_several_cameras(
    made: Callable[..., Any], config_for: Callable[..., Path], spot_model: Path
) -> None:
    told = made(config_for(spot_model), batch=3)
    assert told["batch"] == 3
    assert told["engine"].endswith("_b3_gpu0_fp16.engine")
    assert "--maxShapes=input:3x3x224x224" in told["command"]


def test_a_model_of_fixed_size(made: Callable[..., Any], config_for: Callable[..., Path], fixed_model: Path) -> None:
    assert Path(made(config_for(fixed_model))["engine"]).is_file()


def test_what_is_there_is_not_built_again_unless_forced(
    made: Callable[..., Any], config_for: Callable[..., Path], spot_model: Path
) -> None:
    config = config_for(spot_model)
    engine = Path(made(config)["engine"])
    engine.write_text("kept")
    assert made(config)["seconds"] is None
    assert engine.read_text() == "kept"
    assert made(config, force=True)["seconds"] >= 0
    assert engine.read_text() != "kept"


def test_people_get_the_path_of_the_nvinfer_file_and_the_rest_on_stderr(
    engines: Path,
    trtexec: Callable[[str], str],
    config_for: Callable[..., Path],
    spot_model: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    build(config=config_for(spot_model), engines=engines, trtexec=trtexec("8.5.2"), gpu=XAVIER)
    shown = capsys.readouterr()
    assert Path(shown.out.rstrip("\n")).suffix == ".txt"
    assert "building" in shown.err
    assert "built in" in shown.err


class TestDryRun:
    def test_it_prints_the_command_and_touches_nothing(
        self, engines: Path, config_for: Callable[..., Path], spot_model: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        build(config=config_for(spot_model), engines=engines, tensorrt="10.3.0", gpu=XAVIER, dry_run=True)
        words = shlex.split(capsys.readouterr().out)
        assert words[0] == "trtexec"
        assert {"--fp16", "--skipInference"} <= set(words)
        assert not engines.exists()

    def test_it_prints_what_a_build_runs(
        self, made: Callable[..., Any], config_for: Callable[..., Path], spot_model: Path
    ) -> None:
        config = config_for(spot_model)
        assert made(config, dry_run=True)["command"] == made(config)["command"]

    def test_a_foreign_version_is_only_for_it(self, config_for: Callable[..., Path], spot_model: Path) -> None:
        with pytest.raises(InputError, match="for --dry-run"):
            build(config=config_for(spot_model), tensorrt="8.5.2", gpu=XAVIER)


class TestRefusals:
    @pytest.mark.parametrize(
        ("kind", "mode", "said"),
        [
            ("unsigned", 1, "unsigned"),
            ("asymmetric", 1, "is not zero"),
            ("bias32", 1, "32 bits"),
            ("signed", 2, "only as INT8"),
            ("float", 1, "no Q/DQ nodes"),
            ("float", 3, "network-mode=2"),
        ],
    )
    def test_what_tensorrt_would_refuse_or_misunderstand_is_refused_before_it_starts(
        self,
        kind: str,
        mode: int,
        said: str,
        made: Callable[..., Any],
        config_for: Callable[..., Path],
        spot_model: Path,
        int8_model: Callable[..., Path],
        engines: Path,
    ) -> None:
        model = spot_model if kind == "float" else int8_model(kind)
        with pytest.raises(InputError, match=said):
            made(config_for(model, mode))
        assert not engines.exists()

    @pytest.mark.parametrize(("more", "options"), [("", {"use_dla_core": 0}), ("enable-dla=1\n", {})])
    def test_a_dla_is_refused_with_the_reason(
        self,
        more: str,
        options: dict[str, int],
        made: Callable[..., Any],
        config_for: Callable[..., Path],
        spot_model: Path,
    ) -> None:
        with pytest.raises(InputError, match=r"Resize.*FP16"):
            made(config_for(spot_model, more=more), **options)

    def test_a_model_of_another_size(
        self, made: Callable[..., Any], config_for: Callable[..., Path], fixed_model: Path
    ) -> None:
        with pytest.raises(InputError, match="takes an input of 1 x 3 x 224 x 224"):
            made(config_for(fixed_model), batch=2)

    def test_no_trtexec(self, config_for: Callable[..., Path], spot_model: Path, tmp_path: Path) -> None:
        with pytest.raises(DependencyError, match="libnvinfer-bin"):
            build(config=config_for(spot_model), trtexec=str(tmp_path / "none"), gpu=XAVIER)

    def test_a_program_that_is_not_trtexec(self, config_for: Callable[..., Path], spot_model: Path) -> None:
        with pytest.raises(DependencyError, match="did not say its version"):
            build(config=config_for(spot_model), trtexec="/bin/echo", gpu=XAVIER)

    def test_no_gpu(
        self,
        config_for: Callable[..., Path],
        spot_model: Path,
        trtexec: Callable[[str], str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def none(index: int) -> str:
            raise HardwareError(f"no GPU {index}")

        monkeypatch.setattr(build_module, "read_gpu", none)
        with pytest.raises(HardwareError, match="no GPU 0"):
            build(config=config_for(spot_model), trtexec=trtexec("8.5.2"))


class TestFailures:
    @pytest.mark.parametrize(
        ("fault", "said"), [("killed", "ended with 137"), ("no-engine", "said PASSED and wrote no engine")]
    )
    def test_nothing_half_made_is_left_under_the_right_name(
        self,
        fault: str,
        said: str,
        made: Callable[..., Any],
        config_for: Callable[..., Path],
        spot_model: Path,
        engines: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setenv("NASION_TEST_TRTEXEC", fault)
        with pytest.raises(NasionError, match=said):
            made(config_for(spot_model))
        assert not list(engines.rglob("*.engine"))
        assert len(list(engines.rglob("*.log"))) == 1

    def test_the_programs_own_words_are_told(
        self,
        made: Callable[..., Any],
        config_for: Callable[..., Path],
        spot_model: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(build_module, "build_command", lambda program, *_, **__: [program, "--minTiming=2"])
        with pytest.raises(NasionError, match=r"Unknown option: --minTiming 2; all it said is in .*fp16\.log"):
            made(config_for(spot_model))


@pytest.mark.parametrize("version", VERSIONS)
def test_the_stand_in_refuses_the_other_generations_flag(version: str, trtexec: Callable[[str], str]) -> None:
    """What keeps these tests honest: a command for another TensorRT does not pass."""
    wrong = "--skipInference" if version == "8.5.2" else "--buildOnly"
    told = subprocess.run([trtexec(version), wrong], capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert f"Unknown option: {wrong}" in told.stdout


def test_as_a_command_errors_are_one_line_with_their_exit_code(tmp_path: Path) -> None:
    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "nasion.tensorrt.build", *arguments]
        return subprocess.run(words, capture_output=True, text=True, check=False)

    refused = command("--use-dla-core", "0")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("build_engine: the DLA is refused")
    assert len(refused.stderr.splitlines()) == 1
    assert command("--trtexec", str(tmp_path / "none")).returncode == 3


def test_nothing_of_it_needs_the_workshop_or_onnx_runtime() -> None:
    code = (
        "import sys; import nasion.tensorrt.build, nasion.tensorrt.bench, nasion.tensorrt.prepare; "
        "print(sorted({'torch', 'onnx', 'onnxruntime', 'tensorrt', 'gi'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


class TestWithoutTrtexec:
    """NVIDIA's images hold none; TensorRT's Python package is there, by its double."""

    @pytest.fixture(autouse=True)
    def no_trtexec(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr("nasion.tensorrt.trtexec.USUAL", str(tmp_path / "nowhere"))
        monkeypatch.setenv("PATH", "/nowhere")

    def told(self, config: Path, engines: Path, capsys: pytest.CaptureFixture[str], **options: Any) -> Any:
        build(config=config, engines=engines, gpu=XAVIER, as_json=True, **options)
        return json.loads(capsys.readouterr().out)

    def test_an_engine_that_is_there_is_told(
        self,
        made: Callable[..., Any],
        config_for: Callable[..., Path],
        spot_model: Path,
        engines: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        config = config_for(spot_model, 2)
        before = made(config, "8.5.2")
        tensorrt_double.install(monkeypatch, Path(before["engine"]).read_bytes())
        again = self.told(config, engines, capsys)
        assert (again["engine"], again["seconds"], again["tensorrt"]) == (before["engine"], None, "8.5.2")
        with pytest.raises(DependencyError, match="trtexec is not at"):
            self.told(config, engines, capsys, force=True)

    def test_one_that_this_tensorrt_cannot_load_is_refused(
        self,
        made: Callable[..., Any],
        config_for: Callable[..., Path],
        spot_model: Path,
        engines: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        config = config_for(spot_model, 2)
        made(config, "8.5.2")
        tensorrt_double.install(monkeypatch, b"another engine")
        with pytest.raises(InputError, match="cannot be loaded"):
            self.told(config, engines, capsys)

    @pytest.mark.parametrize("package", [True, False])
    def test_where_none_is_there_what_is_missing_is_named(
        self,
        config_for: Callable[..., Path],
        spot_model: Path,
        engines: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        package: bool,
    ) -> None:
        if package:
            tensorrt_double.install(monkeypatch, b"")
        else:
            monkeypatch.setitem(sys.modules, "tensorrt", None)
        with pytest.raises(DependencyError, match="trtexec is not at"):
            self.told(config_for(spot_model, 2), engines, capsys)
        assert not engines.exists()
