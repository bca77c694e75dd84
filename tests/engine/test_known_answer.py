"""The very engine that will run is asked for something that is known, before the first picture."""

import shutil
from pathlib import Path
from typing import Type

import onnx
import pytest
from nasion.core.views import INPUT_SIZES
from nasion.engine.metadata import ModelMetadata
from nasion.engine.onnx_model import HeatMapModel
from nasion.engine.openvino_model import OpenVinoModel
from nasion.errors import InputError
from nasion.tensorrt.onnx_facts import read_onnx_facts
from onnx import numpy_helper

WEIGHTS = Path(__file__).parents[2] / "weights"
ENGINES = [HeatMapModel, OpenVinoModel]


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Without a card, so that only its answer tells."""
    shutil.copyfile(WEIGHTS / "nasion-lite.onnx", tmp_path / "bare.onnx")
    return tmp_path / "bare.onnx"


@pytest.mark.parametrize("name", ["nasion-lite", "nasion-lite-int8", "nasion-unet"])
def test_the_released_ones_know_the_answer_at_every_views_size_and_find_the_head(name: str) -> None:
    metadata = read_onnx_facts(WEIGHTS / f"{name}.onnx").metadata
    for height, width in INPUT_SIZES.values():
        answer = metadata.answer(height, width)
        assert answer is not None
        assert answer.peak > metadata.threshold
        # Between the eyes of the drawing: in the middle, half-way down the head.
        assert abs(answer.x - width / 2) < 0.02 * width
        assert abs(answer.y - height + 0.387 * min(height, width)) < 0.02 * height


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("size", INPUT_SIZES.values(), ids=str)
@pytest.mark.parametrize("name", ["nasion-lite", "nasion-lite-int8"])
def test_every_engine_gives_it(engine: Type[HeatMapModel], name: str, size: "tuple[int, int]") -> None:
    engine(WEIGHTS / f"{name}.onnx", height=size[0], width=size[1], threads=1)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("layer", [0, -1])
def test_a_network_that_is_blind_is_refused(engine: Type[HeatMapModel], bare: Path, layer: int) -> None:
    proto = onnx.load(bare)
    wanted = [node for node in proto.graph.node if node.op_type == "Conv"][layer].input[1]
    for tensor in proto.graph.initializer:
        if tensor.name == wanted:
            tensor.CopyFrom(numpy_helper.from_array(0 * numpy_helper.to_array(tensor), tensor.name))
    onnx.save(proto, bare)
    with pytest.raises(InputError, match="known answer on an input of 224 x 224"):
        engine(bare, height=224, width=224, threads=1)


def test_a_model_without_an_answer_for_this_size_is_taken(bare: Path) -> None:
    HeatMapModel(bare, height=160, width=160, threads=1)


@pytest.mark.parametrize("told", ["", "480x288", "480x288: high", "480x288: 2 3 4", "0: 0.5 1 1", "480x288: nan 1 1"])
def test_an_answer_that_is_none_is_named(told: str) -> None:
    props = read_onnx_facts(WEIGHTS / "nasion-lite.onnx").metadata.to_props()
    with pytest.raises(InputError, match=r"nasion\.answers"):
        ModelMetadata.from_props({**props, "nasion.answers": told})


def test_what_is_written_is_what_is_read() -> None:
    metadata = read_onnx_facts(WEIGHTS / "nasion-lite.onnx").metadata
    assert ModelMetadata.from_props(metadata.to_props()) == metadata
