"""An engine lies where nvinfer looks, and never where an engine for something else lay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nasion.config.nvinfer import read_nvinfer
from nasion.errors import InputError, NasionError
from nasion.tensorrt.folders import EnginePlace, engine_place, gpu_slug, lay_out, nvinfer_text, place_of
from nasion.tensorrt.onnx_facts import OnnxFacts, read_onnx_facts
from nasion.tensorrt.versions import Version

XAVIER = "xavier-sm72-8sm"


def place(facts: OnnxFacts, **changes: Any) -> EnginePlace:
    known: dict[str, Any] = {"version": Version(8, 5, 2), "gpu": XAVIER, "height": 288, "width": 480}
    known.update({"batch": 1, "gpu_id": 0, "precision": "fp16"}, **changes)
    return engine_place(Path("/engines"), known.pop("version"), known.pop("gpu"), facts, **known)


def test_the_name_is_the_one_nvinfer_gives_and_the_model_lies_beside_it(spot_model: Path) -> None:
    facts = read_onnx_facts(spot_model)
    found = place(facts)
    assert found.engine.name == "spot.onnx_b1_gpu0_fp16.engine"
    assert found.onnx == found.engine.with_name("spot.onnx")
    assert found.engine.parent == Path(f"/engines/trt8.5.2_{XAVIER}/spot-{facts.digest[:12]}-480x288")


@pytest.mark.parametrize(
    "change",
    [
        {"version": Version(8, 6, 2)},
        {"gpu": "orin-sm87-16sm"},
        {"height": 544, "width": 960},
        {"batch": 2},
        {"gpu_id": 1},
        {"precision": "fp32"},
    ],
)
def test_whatever_makes_another_engine_makes_another_path(change: dict[str, Any], spot_model: Path) -> None:
    facts = read_onnx_facts(spot_model)
    assert place(facts, **change).engine != place(facts).engine


def test_another_content_of_the_same_name_is_another_model(spot_model: Path, tmp_path: Path) -> None:
    other = tmp_path / "spot.onnx"
    # A comment of the producer (ModelProto.doc_string) changes nothing but the digest.
    other.write_bytes(spot_model.read_bytes() + b"\x32\x01x")
    assert place(read_onnx_facts(other)).engine != place(read_onnx_facts(spot_model)).engine


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_a_name_tells_its_parts_again(precision: str, spot_model: Path) -> None:
    found = place(read_onnx_facts(spot_model), batch=4, gpu_id=1, precision=precision)
    assert place_of(found.engine) == found


@pytest.mark.parametrize(
    "name", ["model.engine", "net.onnx_b1_gpu0_best.engine", "net.onnx_b1_fp16.engine", "net.onnx"]
)
def test_a_name_that_nvinfer_would_not_look_for_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"nasion-lite\.onnx_b1_gpu0_fp16\.engine"):
        place_of(Path(name))


def test_gpus_of_one_name_differ_by_their_multiprocessors() -> None:
    assert gpu_slug("Orin", 8, 7, 16) == "orin-sm87-16sm"
    assert gpu_slug("Orin", 8, 7, 8) == "orin-sm87-8sm"
    assert gpu_slug("NVIDIA H100 80GB HBM3", 9, 0, 132) == "nvidia-h100-80gb-hbm3-sm90-132sm"


def test_the_nvinfer_file_beside_it_loads_it_and_feeds_the_network_as_before(spot_model: Path, tmp_path: Path) -> None:
    released = read_nvinfer(Path(__file__).parents[2] / "deepstream_configs" / "nasion_full.txt")
    found = EnginePlace(tmp_path / "here" / "spot.onnx", 3, 0, "int8")
    lay_out(found, spot_model, released.properties)

    told = read_nvinfer(found.nvinfer)
    assert told.onnx_file.read_bytes() == spot_model.read_bytes()
    assert told.engine_file == found.engine
    assert (told.batch_size, told.precision) == (3, "int8")
    assert (told.height, told.width, told.color_format) == (released.height, released.width, released.color_format)
    changed = {"onnx-file", "model-engine-file", "batch-size", "gpu-id", "network-mode"}
    for key, value in released.properties.items():
        assert key in changed or told.properties[key] == value


def test_paths_in_it_hold_also_when_the_folder_is_mounted_elsewhere(spot_model: Path) -> None:
    assert "/" not in nvinfer_text(place(read_onnx_facts(spot_model)), {"infer-dims": "3;288;480"})


def test_a_folder_that_cannot_be_written_is_told_with_the_consequence(spot_model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NasionError, match="at every start"):
        lay_out(EnginePlace(tmp_path / "file" / "spot.onnx", 1, 0, "fp16"), spot_model, {})
