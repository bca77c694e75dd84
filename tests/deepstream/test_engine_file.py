"""The nvinfer file and the engine file that a run starts with, and when it does not start."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Callable

import pytest
from nasion.deepstream import engine
from nasion.errors import DependencyError, HardwareError, InputError
from nasion.pipeline import app
from nasion.settings import RunSettings
from onnx import helper, load, save

from tests.doubles import nv_double
from tests.pipeline.conftest import Stage
from tests.tensorrt.conftest import CONFIG, int8_model

__all__ = ["int8_model"]


@pytest.fixture
def nvinfer(stage: Stage, tmp_path: Path) -> Callable[..., Path]:
    """An nvinfer file of view `centre`."""

    def write(mode: int = 2, model: Path | None = None, more: str = "") -> Path:
        path = tmp_path / "net.txt"
        path.write_text(CONFIG.format(onnx=model or stage.model, mode=mode) + more)
        return path

    return write


def run(stage: Stage, file: Path, cameras: int = 1, **settings: Any) -> None:
    sources = {f"cam{number}": stage.source([stage.frame(stage.dot(view="centre"))]) for number in range(cameras)}
    stage.run(sources, **{"engine": "deepstream", "view": "centre", "nvinfer": str(file), "model": None, **settings})


def test_the_first_start_builds_the_engine_and_the_second_loads_it(
    stage: Stage, device: nv_double.Reality, nvinfer: Callable[..., Path]
) -> None:
    file = nvinfer()
    run(stage, file)
    assert [built.name for built in device.built] == ["spot.onnx_b1_gpu0_fp16.engine"]
    assert device.built[0].parent.parent.name == "trt10.3.0_orin-sm87-16sm"
    assert any("TensorRT builds it now" in event for event in stage.events)

    stage.events.clear()
    run(stage, file)
    assert len(device.built) == 1
    assert not any("builds it now" in event for event in stage.events)


def test_a_yaml_file_feeds_it_the_same_and_is_made_a_key_file(
    stage: Stage, device: nv_double.Reality, nvinfer: Callable[..., Path]
) -> None:
    keys = nvinfer().read_text().replace("[property]", "property:").splitlines()
    file = nvinfer().with_suffix(".yml")
    file.write_text("".join(line.replace("=", ": ", 1).join(("  ", "\n")) for line in keys).replace("  prop", "prop"))
    run(stage, file)
    assert [built.name for built in device.built] == ["spot.onnx_b1_gpu0_fp16.engine"]
    assert device.built[0].with_suffix(".txt").read_text().splitlines()[1] == "[property]"
    assert len(stage.messages) == 1


def test_the_engine_holds_as_many_frames_as_there_are_cameras(
    stage: Stage, device: nv_double.Reality, nvinfer: Callable[..., Path]
) -> None:
    run(stage, nvinfer(), cameras=3)
    assert [built.name for built in device.built] == ["spot.onnx_b3_gpu0_fp16.engine"]


def test_int8_without_its_engine_is_refused_and_nothing_is_started(
    stage: Stage, device: nv_double.Reality, nvinfer: Callable[..., Path], int8_model: Callable[..., Path]
) -> None:
    """nvinfer would build FP16 and say nothing."""
    with pytest.raises(InputError, match=r"the INT8 engine .*_b1_gpu0_int8\.engine is missing .* scripts/build_engine"):
        run(stage, nvinfer(1, int8_model("signed")))
    assert device.built == []


def test_int8_with_its_engine_runs(
    stage: Stage, device: nv_double.Reality, nvinfer: Callable[..., Path], int8_model: Callable[..., Path]
) -> None:
    file = nvinfer(1, int8_model("signed"))
    with pytest.raises(InputError) as refused:
        run(stage, file)
    engine_file = Path(str(refused.value).split("the INT8 engine ")[1].split(" is missing")[0])
    engine_file.parent.mkdir(parents=True, exist_ok=True)
    engine_file.write_bytes(b"made by trtexec")

    run(stage, file)

    assert device.built == []
    assert len(stage.messages) == 1


def test_another_model_gets_an_engine_of_its_own(
    stage: Stage, device: nv_double.Reality, nvinfer: Callable[..., Path], tmp_path: Path
) -> None:
    """Also where the nvinfer file names an engine: that is one of its own model."""
    named = tmp_path / "spot.onnx_b1_gpu0_fp16.engine"
    named.write_bytes(b"of the file's model")
    shutil.copy(stage.model, tmp_path / "spot.onnx")
    file = nvinfer(2, tmp_path / "spot.onnx", f"model-engine-file={named}\n")
    run(stage, file)
    assert device.built == []

    other = load(str(stage.model))
    props = {entry.key: entry.value for entry in other.metadata_props}
    del other.metadata_props[:]
    helper.set_model_props(other, {**props, "nasion.version": "2"})
    save(other, str(tmp_path / "other.onnx"))
    run(stage, file, model=str(tmp_path / "other.onnx"))
    assert [built.name for built in device.built] == ["other.onnx_b1_gpu0_fp16.engine"]
    assert any(event.startswith("model: spot 2") for event in stage.events)


@pytest.mark.parametrize(
    ("name", "error"), [("read_gpu", HardwareError("no NVIDIA GPU here")), ("read_tensorrt", DependencyError("no TRT"))]
)
def test_a_machine_without_gpu_or_tensorrt_says_so(
    stage: Stage, device: nv_double.Reality, monkeypatch: pytest.MonkeyPatch, name: str, error: Exception
) -> None:
    assert device.faults == []

    def missing(*_: Any) -> None:
        raise error

    monkeypatch.setattr(engine, name, missing)
    with pytest.raises(type(error)) as caught:
        stage.run({"cam0": stage.source([])}, engine="deepstream")
    assert caught.value is error


def test_auto_takes_deepstream_where_it_is(device: nv_double.Reality, spot_model: Path) -> None:
    said: list[str] = []
    settings = RunSettings.model_validate({"cameras": [{"source": "demo:"}], "model": str(spot_model)})

    assert app.open_engine(settings, said.append).name == "deepstream"
    assert said[0] == "engine: deepstream (nvvideoconvert, nvstreammux, nvinfer and pyds are here)"
    assert device.built == [], "nvinfer builds it, and only when it starts"


def test_the_older_mux_is_asked_for(stage: Stage, device: nv_double.Reality, monkeypatch: pytest.MonkeyPatch) -> None:
    assert device.faults == []
    monkeypatch.setenv("USE_NEW_NVSTREAMMUX", "yes")
    seen: list[str] = []
    create = nv_double.NvStreamMux.__init__

    def look(self: Any) -> None:
        import os

        seen.append(os.environ["USE_NEW_NVSTREAMMUX"])
        create(self)

    monkeypatch.setattr(nv_double.NvStreamMux, "__init__", look)
    stage.run({"cam0": stage.source([stage.frame()])}, engine="deepstream")
    assert set(seen) == {"no"}
