"""The nvinfer files say what the released models say, because they are made from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from shutil import copyfile

import numpy as np
import onnx
import pytest
from nasion.config.nvinfer import read_nvinfer
from nasion.core.views import INPUT_SIZES
from nasion.engine.metadata import ModelMetadata
from nasion.tensorrt.onnx_facts import read_onnx_facts
from nasion.tensorrt.refusals import why_not_built
from onnx import helper, numpy_helper

from export.nvinfer import ROOT, differences, generated, nvinfer
from export.quantise import Activations, quantise
from training.errors import WorkshopError

RELEASED = ROOT / "weights" / "nasion-lite.onnx"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A folder with the released float model alone."""
    folder = tmp_path / "weights"
    folder.mkdir()
    copyfile(RELEASED, folder / "nasion-lite.onnx")
    return folder


@pytest.fixture
def add_int8(weights: Path) -> Callable[[str, type], Path]:
    """Put an INT8 model of that name beside it: its input rounded, which is all that counts here."""

    def add(name: str, kind: type) -> Path:
        model = onnx.load(RELEASED)
        graph, read = model.graph, model.graph.input[0].name
        graph.initializer.extend(
            [
                numpy_helper.from_array(np.array(2, np.float32), "scale"),
                numpy_helper.from_array(np.zeros((), kind), "zero"),
            ]
        )
        for node in graph.node:
            node.input[:] = ["rounded" if one == read else one for one in node.input]
        nodes = [
            helper.make_node("QuantizeLinear", [read, "scale", "zero"], ["q"]),
            helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["rounded"]),
            *graph.node,
        ]
        del graph.node[:]
        graph.node.extend(nodes)
        metadata = ModelMetadata.from_props({p.key: p.value for p in model.metadata_props})
        del model.metadata_props[:]
        helper.set_model_props(model, metadata.model_copy(update={"precision": "int8"}).to_props())
        onnx.save(model, weights / name)
        return weights / name

    return add


def test_the_checked_in_files_are_those_of_the_released_models() -> None:
    configs = ROOT / "deepstream_configs"
    found = differences(generated(ROOT / "weights", configs), configs)
    assert found == [], "run: python -m export.nvinfer --write"


def test_each_file_is_read_back_as_its_view_and_model(
    weights: Path, add_int8: Callable[[str, type], Path], tmp_path: Path
) -> None:
    add_int8("nasion-lite-int8.onnx", np.uint8)
    add_int8("nasion-lite-int8-trt.onnx", np.int8)
    nvinfer(write=True, weights=weights, configs=tmp_path / "configs")

    models = {"": "nasion-lite", "_int8": "nasion-lite-int8", "_int8_tensorrt": "nasion-lite-int8-trt"}
    assert len(list((tmp_path / "configs").iterdir())) == 3 * len(INPUT_SIZES)
    for view, size in INPUT_SIZES.items():
        for suffix, model in models.items():
            config = read_nvinfer(tmp_path / "configs" / f"nasion_{view}{suffix}.txt")
            config.check_view(view)
            assert (config.height, config.width) == size
            assert config.precision == ("int8" if suffix else "fp16")
            facts = read_onnx_facts(config.onnx_file)
            assert (facts.path.stem, facts.metadata.precision) == (model, "int8" if suffix else "float")


@pytest.mark.parametrize("activations", ["uint8", "int8"])
def test_what_the_quantiser_makes_is_for_whom_it_says(activations: Activations, tmp_path: Path) -> None:
    pictures = [np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)]
    quantise(RELEASED, tmp_path / "nasion-lite-int8.onnx", pictures, activations)

    facts = read_onnx_facts(tmp_path / "nasion-lite-int8.onnx")

    assert facts.activations == ("unsigned" if activations == "uint8" else "signed")
    assert (why_not_built(facts, "int8") is None) == (activations == "int8")
    assert len(generated(tmp_path, tmp_path)) == len(INPUT_SIZES)


def test_a_file_that_says_the_models_precision_wrongly_cannot_come_about(
    weights: Path, add_int8: Callable[[str, type], Path], tmp_path: Path
) -> None:
    """The name of the model decides nothing; what it is made of does."""
    add_int8("nasion-lite.onnx", np.uint8)
    assert set(generated(weights, tmp_path)) == {f"nasion_{view}_int8.txt" for view in INPUT_SIZES}


def test_the_cpus_int8_file_says_for_whom_it_is(
    weights: Path, add_int8: Callable[[str, type], Path], tmp_path: Path
) -> None:
    add_int8("nasion-lite-int8.onnx", np.uint8)
    text = generated(weights, tmp_path)["nasion_full_int8.txt"]
    assert "for the CPU engine alone" in text
    assert "network-mode=1" in text.splitlines()


@pytest.mark.parametrize("harm", ["changed", "missing", "left over"])
def test_check_tells_what_disagrees_and_what_to_do(weights: Path, tmp_path: Path, harm: str) -> None:
    configs = tmp_path / "configs"
    nvinfer(write=True, weights=weights, configs=configs)
    nvinfer(check=True, weights=weights, configs=configs)
    path = configs / "nasion_full.txt"
    said = {"changed": "disagrees", "missing": "is missing", "left over": "belongs to no released model"}[harm]
    if harm == "changed":
        path.write_text(path.read_text().replace("480", "960"))
    elif harm == "missing":
        path.unlink()
    else:
        (configs / "nasion_full_int8.txt").write_text("")

    with pytest.raises(WorkshopError, match=f"{said}.*--write"):
        nvinfer(check=True, weights=weights, configs=configs)


def test_what_is_left_over_is_not_removed_unasked(weights: Path, tmp_path: Path) -> None:
    configs = tmp_path / "configs"
    configs.mkdir()
    (configs / "nasion_mine.txt").write_text("mine")
    with pytest.raises(WorkshopError, match=r"nasion_mine\.txt belongs to no released model; remove it"):
        nvinfer(write=True, weights=weights, configs=configs)
    assert (configs / "nasion_mine.txt").read_text() == "mine"


def test_files_of_another_model_bear_its_name_and_find_it(weights: Path, tmp_path: Path) -> None:
    model = onnx.load(RELEASED)
    next(p for p in model.metadata_props if p.key == "nasion.name").value = "nasion-unet"
    onnx.save(model, weights / "nasion-unet.onnx")
    configs = tmp_path / "configs"

    nvinfer(write=True, weights=weights, configs=configs)

    assert len(list(configs.iterdir())) == 2 * len(INPUT_SIZES)
    for view in INPUT_SIZES:
        assert read_nvinfer(configs / f"nasion_unet_{view}.txt").onnx_file.name == "nasion-unet.onnx"
        assert read_nvinfer(configs / f"nasion_{view}.txt").onnx_file.name == "nasion-lite.onnx"


def test_two_models_for_one_file_are_refused(weights: Path, tmp_path: Path) -> None:
    copyfile(RELEASED, weights / "other.onnx")
    with pytest.raises(WorkshopError, match=r"other\.onnx and .*nasion-lite\.onnx both want nasion_centre\.txt"):
        generated(weights, tmp_path)


def test_a_model_that_was_not_checked_at_a_views_size_is_refused(weights: Path, tmp_path: Path) -> None:
    model = onnx.load(weights / "nasion-lite.onnx")
    next(p for p in model.metadata_props if p.key == "nasion.sizes").value = "224x224, 480x288"
    onnx.save(model, weights / "nasion-lite.onnx")
    with pytest.raises(WorkshopError, match="view 'fine' needs 960x544"):
        generated(weights, tmp_path)


@pytest.mark.parametrize("both", [True, False])
def test_one_of_the_two_is_asked_for(both: bool) -> None:
    with pytest.raises(WorkshopError, match="either --check or --write"):
        nvinfer(check=both, write=both)
