"""What an ONNX file says of itself is read without ONNX's own library, and rightly: that library is the judge."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Callable

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nasion.errors import InputError
from nasion.tensorrt.onnx_facts import read_onnx_facts
from onnx import helper, numpy_helper

RELEASED = Path(__file__).parents[2] / "weights" / "nasion-lite.onnx"


@pytest.mark.parametrize("released", [False, True])
def test_names_sizes_and_metadata_are_what_the_library_reads(released: bool, spot_model: Path) -> None:
    path = RELEASED if released else spot_model
    model, facts = onnx.load(str(path)), read_onnx_facts(path)

    assert facts.input_name == model.graph.input[0].name
    assert facts.output_name == model.graph.output[0].name
    sizes = [dim.dim_value or None for dim in model.graph.input[0].type.tensor_type.shape.dim]
    assert list(facts.input_shape) == sizes == [None, 3, None, None]
    assert facts.metadata.to_props().items() <= {p.key: p.value for p in model.metadata_props}.items() | {
        ("nasion.precision", "float")
    }
    assert facts.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert facts.activations is None


@pytest.mark.parametrize(
    ("kind", "activations", "why"),
    [
        ("signed", "signed", ""),
        ("unsigned", "unsigned", ""),
        ("asymmetric", "other", "zero_point' is not zero"),
        ("bias32", "other", "bias_quantised' is quantised to 32 bits"),
    ],
)
def test_how_the_activations_are_quantised(
    kind: str, activations: str, why: str, int8_model: Callable[..., Path]
) -> None:
    facts = read_onnx_facts(int8_model(kind))

    assert facts.activations == activations
    assert why in facts.why_other


@pytest.mark.parametrize(("zero", "activations"), [(0, "signed"), (5, "other")])
def test_a_zero_point_may_be_written_as_numbers_instead_of_bytes(
    zero: int, activations: str, int8_model: Callable[..., Path], tmp_path: Path
) -> None:
    model = onnx.load(str(int8_model("signed")))
    tensor = next(entry for entry in model.graph.initializer if entry.name == "zero_point")
    tensor.CopyFrom(helper.make_tensor("zero_point", onnx.TensorProto.INT8, [], [zero]))
    assert not tensor.raw_data
    path = tmp_path / "typed.onnx"
    onnx.save(model, str(path))

    assert read_onnx_facts(path).activations == activations


def test_without_a_zero_point_quantising_is_unsigned(int8_model: Callable[..., Path], tmp_path: Path) -> None:
    model = onnx.load(str(int8_model("unsigned")))
    for node in model.graph.node[:2]:
        node.input.pop()
    path = tmp_path / "bare.onnx"
    onnx.save(model, str(path))

    assert read_onnx_facts(path).activations == "unsigned"


@pytest.mark.parametrize("says", ["float", "int8"])
def test_a_file_whose_metadata_says_otherwise_is_refused(
    says: str, int8_model: Callable[..., Path], spot_model: Path, tmp_path: Path
) -> None:
    path = int8_model("signed", says="float")
    if says == "int8":
        model = onnx.load(str(spot_model))
        model.metadata_props.add(key="nasion.precision", value="int8")
        path = tmp_path / "liar.onnx"
        onnx.save(model, str(path))

    with pytest.raises(InputError, match=f"says precision '{says}'"):
        read_onnx_facts(path)


def test_weights_among_the_inputs_are_no_inputs(spot_model: Path, tmp_path: Path) -> None:
    model = onnx.load(str(spot_model))
    tensor = numpy_helper.to_array(model.graph.initializer[0])
    model.graph.input.append(helper.make_tensor_value_info("weights", onnx.TensorProto.FLOAT, np.shape(tensor)))
    path = tmp_path / "old.onnx"
    onnx.save(model, str(path))

    assert read_onnx_facts(path).input_name == "input"


@pytest.mark.parametrize(
    ("batch", "height", "width", "said"),
    [(1, 224, 224, None), (2, 224, 224, "1 x 3 x 224 x 224"), (1, 288, 480, "2?")],
)
def test_a_fixed_size_must_be_the_one_that_is_needed(
    batch: int, height: int, width: int, said: str | None, fixed_model: Path, spot_model: Path
) -> None:
    read_onnx_facts(spot_model).check_input(batch, height, width)
    facts = read_onnx_facts(fixed_model)
    if said is None:
        facts.check_input(batch, height, width)
        return
    with pytest.raises(InputError, match=said):
        facts.check_input(batch, height, width)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x00" * 64, b"\xff" * 64, b'{"json": true}'])
def test_what_is_no_onnx_file_gets_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(InputError, match="ONNX file"):
        read_onnx_facts(path)


def test_a_missing_file_gets_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_onnx_facts(tmp_path / "none.onnx")


@settings(max_examples=200)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    data: st.DataObject, spot_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    content = bytearray(spot_model.read_bytes())
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.onnx"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    with suppress(InputError):
        read_onnx_facts(path)
