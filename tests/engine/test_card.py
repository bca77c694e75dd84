"""A model's file that is not the one its card states is refused before it runs, by every reader of models."""

import shutil
from pathlib import Path
from typing import Callable

import numpy as np
import onnx
import pytest
from nasion.engine.card import card_of, require_as_stated, stated_digest
from nasion.engine.onnx_model import HeatMapModel
from nasion.errors import InputError
from nasion.tensorrt.onnx_facts import read_onnx_facts

WEIGHTS = Path(__file__).parents[2] / "weights"
RELEASED = ["nasion-lite", "nasion-lite-int8"]


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[str], Path]:
    def copy(name: str) -> Path:
        for path in (WEIGHTS / f"{name}.onnx", card_of(WEIGHTS / f"{name}.onnx")):
            shutil.copyfile(path, tmp_path / path.name)
        return tmp_path / f"{name}.onnx"

    return copy


def opened(path: Path) -> HeatMapModel:
    return HeatMapModel(path, height=224, width=224, threads=1)


@pytest.mark.parametrize("name", RELEASED)
def test_the_released_ones_are_what_their_card_states(name: str) -> None:
    path = WEIGHTS / f"{name}.onnx"
    assert require_as_stated(path, read_onnx_facts(path).digest, "int8" if "int8" in name else "float")


@pytest.mark.parametrize("name", RELEASED)
@pytest.mark.parametrize("seed", range(6))
def test_a_hundred_bytes_of_zeros_anywhere_are_noticed(copied: Callable[[str], Path], name: str, seed: int) -> None:
    path = copied(name)
    content = bytearray(path.read_bytes())
    start = int(np.random.default_rng(seed).integers(len(content) - 100))
    content[start : start + 100] = bytes(100)
    path.write_bytes(content)
    for read in (opened, read_onnx_facts):
        with pytest.raises(InputError, match=path.name):
            read(path)


def test_a_network_whose_last_layer_is_zeros_is_noticed(copied: Callable[[str], Path]) -> None:
    """It would say `nobody` for ever, and look well."""
    path = copied("nasion-lite")
    proto = onnx.load(path)
    last = [node for node in proto.graph.node if node.op_type == "Conv"][-1]
    for tensor in proto.graph.initializer:
        if tensor.name == last.input[1]:
            tensor.raw_data = bytes(len(tensor.raw_data))
    onnx.save(proto, path)
    with pytest.raises(InputError, match=r"nasion-lite\.md states"):
        opened(path)


@pytest.mark.parametrize("text", ["", "# A card\n\nwithout a digest\n"])
def test_a_card_that_states_nothing_confirms_nothing(tmp_path: Path, text: str) -> None:
    card = tmp_path / "mine.md"
    card.write_text(text)
    assert stated_digest(tmp_path / "mine.onnx", "float") is None
    assert not require_as_stated(tmp_path / "mine.onnx", "0" * 64, "float")
    card.unlink()
    assert not require_as_stated(tmp_path / "mine.onnx", "0" * 64, "float")


def test_a_card_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_bytes(b"\xff\xfe\xfd" * 9)
    with pytest.raises(InputError, match=r"mine\.md"):
        stated_digest(tmp_path / "mine.onnx", "float")
