"""The nvinfer file, the model and the engine: real files, real ONNX Runtime; only TensorRT is made up."""

import shutil
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Optional

import numpy as np
import onnx
import pytest
from nasion.checks import network
from nasion.checks.everything import one
from nasion.checks.matrix import RELEASES
from nasion.checks.verdict import Verdict
from nasion.config.nvinfer import default_nvinfer_file
from nasion.config.nvinfer_keys import LATE_KEYS, PROPERTY_KEYS
from nasion.core.views import INPUT_SIZES
from nasion.installing import how_to_install
from nasion.settings import View
from nasion.tensorrt.engine_facts import EngineFacts
from nasion.tensorrt.onnx_facts import read_onnx_facts
from onnx import helper, numpy_helper

from tests.checks.made_up import ORIN, MadeUpMachine, jetson, not_loadable, subject_of

ROOT = Path(__file__).parents[2]
LITE = ROOT / "weights" / "nasion-lite.onnx"
NVINFER = """\
[property]
gie-unique-id=1
network-type=100
output-tensor-meta=1
onnx-file={model}
infer-dims=3;288;480
maintain-aspect-ratio=1
scaling-filter=1
batch-size=1
network-mode=2
{more}
"""
LOADED = EngineFacts("10.3.0", [], [], {}, ["conv", "relu"])
Config = Callable[..., str]


@pytest.fixture
def config(tmp_path: Path, spot_model: Path) -> Config:
    """``config(more="key=value")``: an nvinfer file beside a model that sees red."""
    shutil.copyfile(spot_model, tmp_path / "spot.onnx")

    def write(more: str = "", model: str = "spot.onnx", replacing: Optional[Dict[str, str]] = None) -> str:
        text = NVINFER.format(model=model, more=more)
        for old, new in (replacing or {}).items():
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "net.txt"
        path.write_text(text)
        return str(path)

    return write


def nvinfer(machine: Optional[MadeUpMachine] = None, **settings: Any) -> Verdict:
    return one("nvinfer file", network.nvinfer_file, subject_of(machine or MadeUpMachine(), **settings))


def model(machine: Optional[MadeUpMachine] = None, *sources: str, **settings: Any) -> Verdict:
    return one("model", network.model, subject_of(machine or MadeUpMachine(), *sources, **settings))


class TestNvinferFile:
    @pytest.mark.parametrize("view", list(INPUT_SIZES))
    @pytest.mark.parametrize("machine", [MadeUpMachine(), jetson(RELEASES[0])], ids=["laptop", "jetson"])
    def test_the_delivered_files_are_in_order(self, view: View, machine: MadeUpMachine) -> None:
        verdict = nvinfer(machine, view=view)
        assert verdict.status == "ok"
        assert str(default_nvinfer_file(view).parent) in verdict.found

    @pytest.mark.parametrize(
        ("more", "found", "told"),
        [
            ("sclaing-filter=1", "unknown key 'sclaing-filter'", "did you mean 'scaling-filter'?"),
            ("offsets=1;2;3", "offsets=1;2;3 is refused", "remove the line"),
            ("batch-size=0", "nvinfer would not start", "expected 1 to 1024"),
            ("batch-size=2000", "nvinfer would not start", "expected 1 to 1024"),
            ("gpu-id=-1", "nvinfer would not start", "expected 0 to"),
            ("tensor-meta-pool-size=1", "nvinfer would not start", "expected 2 to"),
            ("workspace-size=-5", "nvinfer would not start", "expected 0 to"),
            ("network-mode=7", "network-mode=7 is refused", "write network-mode=0 or"),
            ("warmup-engine=maybe", "warmup-engine=maybe", "expected 0 or 1"),
        ],
    )
    def test_a_key_or_value_that_does_not_pass_is_named(self, config: Config, more: str, found: str, told: str) -> None:
        key = more.partition("=")[0]
        old = {"batch-size": "batch-size=1\n", "network-mode": "network-mode=2\n"}.get(key)
        path = config(more, replacing={old: ""} if old else None)
        verdict = nvinfer(nvinfer=path)
        assert (verdict.status, verdict.exit_code) == ("fail", 2)
        assert found in verdict.found
        assert path in verdict.found
        assert told in (verdict.remedy or "")

    def test_the_limits_of_nvinfer_themselves_pass(self, config: Config) -> None:
        more = "gpu-id=0\ntensor-meta-pool-size=2\nworkspace-size=0"
        assert nvinfer(nvinfer=config(more, replacing={"batch-size=1\n": "batch-size=1024\n"})).status == "ok"

    def test_a_file_of_another_view_is_bad_input(self, config: Config) -> None:
        verdict = nvinfer(nvinfer=config(), view="centre")
        assert (verdict.status, verdict.exit_code) == ("fail", 2)
        assert "'centre' needs 3;224;224" in verdict.found

    def test_what_an_old_deepstream_would_ignore_is_a_warning_there(self, config: Config) -> None:
        path = config("warmup-engine=1\nauto-inc-mem=1")
        on_xavier = nvinfer(jetson(RELEASES[0]), nvinfer=path)
        assert on_xavier.status == "warn"
        assert "DeepStream 6.3 may not know warmup-engine" in on_xavier.found
        assert "auto-inc-mem" not in on_xavier.found, "6.3 knows that one"
        assert nvinfer(jetson(RELEASES[-1]), nvinfer=path).status == "ok"
        assert nvinfer(nvinfer=path).status == "ok"

    def test_the_newer_keys_are_keys_that_pass(self) -> None:
        assert {PROPERTY_KEYS[key].handling for key in LATE_KEYS} == {"irrelevant on CPU"}


class TestModel:
    @pytest.mark.parametrize(("precision", "twin"), [("float", ""), ("int8", "-int8")])
    def test_the_delivered_one_is_what_its_card_says(self, precision: str, twin: str) -> None:
        verdict = model(precision=precision)
        assert verdict.status == "ok"
        digest = read_onnx_facts(LITE.with_name(f"{LITE.stem}{twin}.onnx")).digest[:12]
        for part in ("nasion-lite", digest, "as its card says", "opened at 480x288"):
            assert part in verdict.found

    def test_one_without_a_card_has_nothing_to_be_compared_with(self, config: Config) -> None:
        verdict = model(nvinfer=config())
        assert verdict.status == "ok"
        assert "as its" not in verdict.found

    def test_one_that_is_not_what_its_card_says_is_refused(self, config: Config, tmp_path: Path) -> None:
        shutil.copyfile(LITE.with_suffix(".md"), tmp_path / "spot.md")
        verdict = model(nvinfer=config())
        assert (verdict.status, verdict.exit_code) == ("fail", 2)
        assert "its card spot.md states" in verdict.found

    def test_one_in_the_folder_of_anothers_engines_is_refused(self, tmp_path: Path, spot_model: Path) -> None:
        digest = read_onnx_facts(spot_model).digest[:12]
        for name, status in ((f"spot-{digest}-480x288", "ok"), ("spot-0123456789ab-480x288", "fail")):
            (tmp_path / name).mkdir()
            shutil.copyfile(spot_model, tmp_path / name / "spot.onnx")
            assert model(model=str(tmp_path / name / "spot.onnx")).status == status

    @pytest.mark.parametrize(
        ("content", "found"),
        [(b"", "is empty"), (b"no model", "no ONNX model that can be run"), (None, "No such file")],
    )
    def test_what_is_no_model_is_bad_input(
        self, config: Config, tmp_path: Path, content: Optional[bytes], found: str
    ) -> None:
        if content is not None:
            (tmp_path / "other.onnx").write_bytes(content)
        verdict = model(nvinfer=config(model="other.onnx"))
        assert (verdict.status, verdict.exit_code) == ("fail", 2)
        assert found in verdict.found
        assert verdict.remedy

    def test_the_flag_wins_over_the_file(self, config: Config, spot_model: Path) -> None:
        verdict = model(nvinfer=config(model="nowhere.onnx"), model=str(spot_model))
        assert verdict.status == "ok"
        assert str(spot_model) in verdict.found

    def test_without_onnxruntime_the_cpu_engine_lacks_a_dependency(
        self, config: Config, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        verdict = model(nvinfer=config())
        assert (verdict.status, verdict.exit_code) == ("fail", 3)
        assert verdict.remedy == f"install it with: {how_to_install('cpu')}"

    def test_without_onnxruntime_a_jetson_still_reads_the_file(
        self, config: Config, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        verdict = model(jetson(RELEASES[0]), nvinfer=config())
        assert verdict.status == "ok"
        assert "not opened without ONNX Runtime" in verdict.found

    def test_one_that_was_never_checked_at_this_views_size_is_a_warning(self, config: Config, tmp_path: Path) -> None:
        proto = onnx.load(LITE)
        [sizes] = [prop for prop in proto.metadata_props if prop.key == "nasion.sizes"]
        sizes.value = "224x224, 960x544"
        onnx.save(proto, tmp_path / "small.onnx")
        verdict = model(nvinfer=config(model="small.onnx"))
        assert verdict.status == "warn"
        assert "was checked at 224x224, 960x544, and not at 480x288" in verdict.found

    def test_it_is_not_judged_where_the_nvinfer_file_is_refused(self, config: Config) -> None:
        assert model(nvinfer=config("nonsense=1")).status == "skipped"


class TestEngineFile:
    """On a Jetson with JetPack 6.2."""

    @pytest.fixture
    def machine(self, tmp_path: Path) -> MadeUpMachine:
        return jetson(RELEASES[3], engines_are_in=tmp_path / "engines", engine=LOADED)

    def said(self, machine: MadeUpMachine, *sources: str, **settings: Any) -> Verdict:
        return one("engine file", network.engine_file, subject_of(machine, *sources, **settings))

    def place(self, tmp_path: Path, spot_model: Path, batch: int = 1) -> Path:
        digest = read_onnx_facts(spot_model).digest[:12]
        folder = tmp_path / "engines" / f"trt10.3.2_{ORIN}" / f"spot-{digest}-480x288"
        return folder / f"spot.onnx_b{batch}_gpu0_fp16.engine"

    def test_the_cpu_engine_needs_none(self, config: Config) -> None:
        assert self.said(MadeUpMachine(), nvinfer=config()).status == "skipped"

    def test_one_that_is_missing_is_named_as_nvinfer_will_look_for_it(
        self, machine: MadeUpMachine, config: Config, tmp_path: Path, spot_model: Path
    ) -> None:
        path = config()
        for sources in (["demo:"], ["demo:", "demo:"]):
            verdict = self.said(machine, *sources, nvinfer=path)
            assert verdict.status == "warn"
            assert str(self.place(tmp_path, spot_model, len(sources))) in verdict.found
            assert verdict.remedy == f"scripts/build_engine --config {path} --batch {len(sources)}"
        assert not (tmp_path / "engines").exists(), "a check leaves nothing behind"

    def test_one_that_is_there_is_loaded(
        self, machine: MadeUpMachine, config: Config, tmp_path: Path, spot_model: Path
    ) -> None:
        place = self.place(tmp_path, spot_model)
        place.parent.mkdir(parents=True)
        place.write_bytes(b"engine")
        verdict = self.said(machine, nvinfer=config())
        assert (verdict.status, verdict.found) == ("ok", f"{place} (TensorRT 10.3.0 loads it, 2 layers)")

    def test_one_that_this_tensorrt_cannot_load_would_be_built_anew(
        self, machine: MadeUpMachine, config: Config, tmp_path: Path, spot_model: Path
    ) -> None:
        place = self.place(tmp_path, spot_model)
        place.parent.mkdir(parents=True)
        place.write_bytes(b"engine")
        machine.engine = not_loadable()
        verdict = self.said(machine, nvinfer=config())
        assert (verdict.status, verdict.remedy) == ("warn", "build it anew")

    def test_a_folder_that_cannot_be_written_would_mean_a_build_at_every_start(
        self, machine: MadeUpMachine, config: Config
    ) -> None:
        machine.can_write = False
        verdict = self.said(machine, nvinfer=config())
        assert (verdict.status, verdict.exit_code) == ("fail", 1)
        assert "NASION_ENGINES" in (verdict.remedy or "")

    def test_a_named_engine_that_is_there_needs_no_writable_folder(
        self, machine: MadeUpMachine, config: Config, tmp_path: Path
    ) -> None:
        machine.can_write = False
        name = "spot.onnx_b1_gpu0_fp16.engine"
        (tmp_path / name).write_bytes(b"engine")
        assert self.said(machine, nvinfer=config(f"model-engine-file={name}")).status == "ok"

    def test_a_named_engine_under_another_name_than_nvinfers_is_told(
        self, machine: MadeUpMachine, config: Config, tmp_path: Path
    ) -> None:
        path = config("model-engine-file=mine.engine")
        missing = self.said(machine, nvinfer=path)
        assert (missing.status, missing.exit_code) == ("fail", 2)
        (tmp_path / "mine.engine").write_bytes(b"engine")
        there = self.said(machine, nvinfer=path)
        assert there.status == "warn"
        for verdict in (missing, there):
            assert "spot.onnx_b1_gpu0_fp16.engine" in (verdict.remedy or "")

    def test_a_named_engine_for_fewer_cameras_is_not_taken(
        self, machine: MadeUpMachine, config: Config, tmp_path: Path, spot_model: Path
    ) -> None:
        (tmp_path / "spot.onnx_b1_gpu0_fp16.engine").write_bytes(b"engine")
        path = config("model-engine-file=spot.onnx_b1_gpu0_fp16.engine")
        assert self.said(machine, "demo:", nvinfer=path).status == "ok"
        two = self.said(machine, "demo:", "demo:", nvinfer=path)
        assert str(self.place(tmp_path, spot_model, 2)) in two.found

    @pytest.mark.parametrize("more", ["enable-dla=1", "use-dla-core=0"])
    def test_a_dla_is_refused(self, machine: MadeUpMachine, config: Config, more: str) -> None:
        verdict = self.said(machine, nvinfer=config(more))
        assert (verdict.status, verdict.exit_code) == ("fail", 2)
        assert "DLA is refused" in verdict.found

    def test_int8_of_a_model_that_has_no_8_bit_numbers_is_refused(self, machine: MadeUpMachine, config: Config) -> None:
        verdict = self.said(machine, nvinfer=config(replacing={"network-mode=2": "network-mode=1"}))
        assert (verdict.status, verdict.exit_code) == ("fail", 2)
        assert "INT8 without them would be FP16" in verdict.found

    def test_without_tensorrt_or_gpu_nobody_knows_which_engine(self, machine: MadeUpMachine, config: Config) -> None:
        machine.gpu_is = None
        assert self.said(machine, nvinfer=config()).exit_code == 4
        machine.tensorrt_is = None
        assert self.said(machine, nvinfer=config()).exit_code == 3


class TestInt8:
    @pytest.fixture
    def quantised(self, tmp_path: Path, spot_model: Path) -> Path:
        """The model that sees red, with symmetric signed 8-bit numbers before its convolution."""
        return make_int8(spot_model, tmp_path / "eight.onnx")

    def test_without_its_engine_it_is_refused_because_nvinfer_would_build_fp16(
        self, quantised: Path, config: Config, tmp_path: Path
    ) -> None:
        machine = jetson(RELEASES[3], engines_are_in=tmp_path / "engines", engine=LOADED)
        path = config(model=quantised.name, replacing={"network-mode=2": "network-mode=1"})
        missing = one("engine file", network.engine_file, subject_of(machine, nvinfer=path))
        assert (missing.status, missing.exit_code) == ("fail", 2)
        assert "nvinfer would build FP16" in missing.found
        assert "scripts/build_engine" in (missing.remedy or "")

    def test_an_engine_that_does_not_load_is_a_failure_for_the_same_reason(
        self, quantised: Path, config: Config, tmp_path: Path
    ) -> None:
        machine = jetson(RELEASES[3], engine=LOADED)
        engine = f"{quantised.name}_b1_gpu0_int8.engine"
        (tmp_path / engine).write_bytes(b"engine")
        path = config(
            f"model-engine-file={engine}", model=quantised.name, replacing={"network-mode=2": "network-mode=1"}
        )
        assert one("engine file", network.engine_file, subject_of(machine, nvinfer=path)).status == "ok"
        machine.engine = not_loadable()
        verdict = one("engine file", network.engine_file, subject_of(machine, nvinfer=path))
        assert (verdict.status, verdict.exit_code) == ("fail", 2)
        assert "nvinfer would build FP16" in verdict.found


def make_int8(source: Path, out: Path) -> Path:
    """``source`` with Q/DQ nodes around its input."""
    proto = onnx.load(source)
    graph = proto.graph
    graph.initializer.extend(
        [numpy_helper.from_array(np.array(2.0, np.float32), "s"), numpy_helper.from_array(np.array(0, np.int8), "z")]
    )
    first = graph.node[0]
    first.input[0] = "back"
    nodes = [
        helper.make_node("QuantizeLinear", ["input", "s", "z"], ["eight"]),
        helper.make_node("DequantizeLinear", ["eight", "s", "z"], ["back"]),
        *graph.node,
    ]
    del graph.node[:]
    graph.node.extend(nodes)
    for prop in proto.metadata_props:
        if prop.key == "nasion.precision":
            prop.value = "int8"
    onnx.save(proto, out)
    return out
