"""Float or INT8: decided from the processor's flags and the files that are there, and from nothing else."""

import subprocess
import sys
from pathlib import Path
from typing import Callable, List, Optional

import numpy as np
import onnx
import pytest
from nasion.cli.main import main
from nasion.config.nvinfer import default_nvinfer_file
from nasion.engine.metadata import ModelMetadata
from nasion.engine.precision import (
    FAST_INT8,
    choose_file,
    cpu_flags,
    fast_int8,
    int8_file,
    read_cpuinfo,
    settle_precision,
)
from nasion.errors import InputError
from nasion.messages import PersonMessage
from nasion.settings import CameraSettings, Precision, RunSettings
from onnx import helper, numpy_helper

EPYC = (
    "processor\t: 0\nflags\t\t: fpu sse avx512f avx512_vnni\n\nprocessor\t: 1\nflags\t\t: fpu sse avx512f avx512_vnni\n"
)
ALDER_LAKE = "processor : 0\nflags : fpu avx2 avx_vnni\nvmx flags : vnmi ept\n"
ORIN = "processor : 0\nFeatures : fp asimd aes asimddp\nCPU part : 0xd42\n"
GRAVITON = "processor : 0\nFeatures : fp asimd asimddp sve i8mm bf16\n"
XAVIER = "processor : 0\nFeatures : fp asimd evtstrm aes fphp asimdhp\n"
SKYLAKE = "processor : 0\nflags : fpu avx2 avx512f\n"
#: A flag's name is not a part of another's.
ALMOST = "processor : 0\nflags : avx512_vnni_not xavx_vnni\n"
BIG_LITTLE = "processor : 0\nFeatures : fp asimd\n\nprocessor : 1\nFeatures : fp asimd asimddp\n"
NAMED_ONLY = "model name : a processor with avx512_vnni\n"


class TestFlags:
    @pytest.mark.parametrize(
        ("cpuinfo", "flag"),
        [
            (EPYC, "avx512_vnni"),
            (ALDER_LAKE, "avx_vnni"),
            (ORIN, "asimddp"),
            (GRAVITON, "i8mm"),
            (XAVIER, None),
            (SKYLAKE, None),
            (ALMOST, None),
            (BIG_LITTLE, None),
            (NAMED_ONLY, None),
            ("", None),
        ],
    )
    def test_int8_is_fast_where_every_processor_says_so(self, cpuinfo: str, flag: Optional[str]) -> None:
        assert fast_int8(cpuinfo) == flag

    def test_this_machine_has_flags(self) -> None:
        assert cpu_flags(read_cpuinfo())


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., Path]:
    """Nvinfer files in a folder of their own, with or without those of INT8; gives the float one."""

    def make(int8: bool = True) -> Path:
        text = default_nvinfer_file("full").read_text()
        (tmp_path / "nasion_full.txt").write_text(text)
        if int8:
            (tmp_path / "nasion_full_int8.txt").write_text(text.replace("nasion-lite.onnx", "nasion-lite-int8.onnx"))
        return tmp_path / "nasion_full.txt"

    return make


class TestFiles:
    @pytest.mark.parametrize(
        ("wanted", "int8_there", "cpuinfo", "name", "why"),
        [
            ("auto", True, EPYC, "nasion_full_int8.txt", "int8 (this processor has avx512_vnni)"),
            ("auto", True, SKYLAKE, "nasion_full.txt", f"float (this processor has none of {', '.join(FAST_INT8)})"),
            (
                "auto",
                False,
                EPYC,
                "nasion_full.txt",
                "float (there is no nasion_full_int8.txt; this processor has avx512_vnni)",
            ),
            ("float", True, EPYC, "nasion_full.txt", "float (asked for)"),
            ("int8", True, SKYLAKE, "nasion_full_int8.txt", "int8 (asked for)"),
        ],
    )
    def test_the_file_and_why(
        self, files: Callable[..., Path], wanted: Precision, int8_there: bool, cpuinfo: str, name: str, why: str
    ) -> None:
        chosen = choose_file(wanted, files(int8_there), cpuinfo)
        assert (chosen.file.name, chosen.why) == (name, why)
        assert chosen.file.is_file()

    def test_int8_that_is_asked_for_and_not_there_is_refused(self, files: Callable[..., Path]) -> None:
        with pytest.raises(InputError, match=r"nasion_full_int8\.txt, which is not there; take --precision float"):
            choose_file("int8", files(int8=False), EPYC)


def settings(**words: str) -> RunSettings:
    return RunSettings.model_validate({"cameras": [CameraSettings(source="demo:")], **words})


class TestSettling:
    @pytest.mark.parametrize("words", [{"model": "my.onnx"}, {"nvinfer": "my.txt"}])
    @pytest.mark.parametrize("precision", ["auto", "float", "int8"])
    def test_what_is_named_wins_and_where_something_else_was_asked_for_it_is_told(
        self, words: "dict[str, str]", precision: Precision
    ) -> None:
        told: List[str] = []
        given = settings(precision=precision, **words)
        assert settle_precision(given, engine="onnxruntime", cpuinfo=EPYC, on_event=told.append) == given
        (named,) = words.values()
        overridden = f"precision: that of {named}, not {precision}: a file that is named overrides it"
        assert told == ([] if precision == "auto" else [overridden])

    def test_deepstream_keeps_to_its_nvinfer_file(self) -> None:
        told: List[str] = []
        given = settings()
        assert settle_precision(given, engine="deepstream", cpuinfo=EPYC, on_event=told.append) == given
        assert told == ["precision: that of the nvinfer file (deepstream)"]
        with pytest.raises(InputError, match="scripts/build_engine"):
            settle_precision(settings(precision="int8"), engine="deepstream", cpuinfo=EPYC, on_event=told.append)

    def test_a_processor_without_vnni_takes_the_float_file_of_the_view(self) -> None:
        told: List[str] = []
        settled = settle_precision(settings(view="fine"), engine="onnxruntime", cpuinfo=SKYLAKE, on_event=told.append)
        assert settled.nvinfer == str(default_nvinfer_file("fine"))
        assert len(told) == 1


@pytest.fixture
def twins(tmp_path: Path, spot_model: Path) -> Path:
    """A folder with the nvinfer files of a float network and of its INT8 twin, whose input goes through 8 bits."""
    text = default_nvinfer_file("full").read_text()
    onnx_line = next(line for line in text.splitlines() if line.startswith("onnx-file="))
    twin = onnx.load(spot_model)
    for node in twin.graph.node:
        node.input[:] = ["in_bytes" if name == "input" else name for name in node.input]
    twin.graph.initializer.append(numpy_helper.from_array(np.array(1, np.float32), "step"))
    twin.graph.initializer.append(numpy_helper.from_array(np.array(0, np.uint8), "none"))
    twin.graph.node.insert(0, helper.make_node("DequantizeLinear", ["bytes", "step", "none"], ["in_bytes"]))
    twin.graph.node.insert(0, helper.make_node("QuantizeLinear", ["input", "step", "none"], ["bytes"]))
    metadata = ModelMetadata.from_props({prop.key: prop.value for prop in twin.metadata_props})
    helper.set_model_props(twin, metadata.model_copy(update={"precision": "int8", "name": "twin"}).to_props())
    onnx.save(twin, tmp_path / "twin.onnx")
    (tmp_path / "nasion_full.txt").write_text(text.replace(onnx_line, f"onnx-file={spot_model}"))
    (tmp_path / "nasion_full_int8.txt").write_text(text.replace(onnx_line, "onnx-file=twin.onnx"))
    return tmp_path


class TestRun:
    """`nasion run` with files and a processor of the test's own."""

    @pytest.mark.parametrize(
        ("flags", "cpuinfo", "network"),
        [
            ([], EPYC, "twin"),
            ([], SKYLAKE, "spot"),
            (["--precision", "float"], EPYC, "spot"),
            (["--precision", "int8"], SKYLAKE, "twin"),
        ],
    )
    def test_it_takes_the_network_that_it_tells(
        self,
        twins: Path,
        monkeypatch: pytest.MonkeyPatch,
        capfd: pytest.CaptureFixture[str],
        flags: List[str],
        cpuinfo: str,
        network: str,
    ) -> None:
        (twins / "cpuinfo").write_text(cpuinfo)
        monkeypatch.setattr("nasion.engine.precision.CPUINFO", twins / "cpuinfo")
        monkeypatch.setattr("nasion.engine.precision.default_nvinfer_file", lambda view: twins / f"nasion_{view}.txt")
        common = ["--source", "demo:", "--mode", "every-frame", "--frames", "1", "--mqtt", "none", "--json"]
        monkeypatch.setattr("sys.argv", ["nasion", "run", "--engine", "onnxruntime", *common, *flags])
        main()
        out, err = capfd.readouterr()
        assert len([PersonMessage.model_validate_json(line) for line in out.splitlines()]) == 1
        precision = "int8" if network == "twin" else "float"
        assert sum(line.startswith(f"nasion: precision: {precision} (") for line in err.splitlines()) == 1
        assert f"model: {network} " in err

    def test_another_word_is_refused_with_the_known_ones(self) -> None:
        command = [sys.executable, "-m", "nasion", "run", "--source", "demo:", "--precision", "fp16"]
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert ended.returncode == 2
        assert ended.stderr.splitlines()[-1].startswith("nasion: --precision: 'fp16':")
        assert "'auto', 'float' or 'int8'" in ended.stderr


def test_the_twin_lies_beside_the_float_file() -> None:
    assert int8_file(Path("a/nasion_centre.txt")) == Path("a/nasion_centre_int8.txt")
