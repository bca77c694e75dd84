"""A model is one file: weights in other files are refused wherever the format lets them stand."""

import contextlib
from pathlib import Path
from typing import Any, Callable, Dict, List

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.engine.external_weights import require_one_file
from nasion.engine.onnx_model import HeatMapModel
from nasion.errors import InputError
from nasion.tensorrt.onnx_facts import read_onnx_facts
from onnx import TensorProto, helper

OPENERS: List[Callable[[Path], Any]] = [
    lambda path: HeatMapModel(path, height=64, width=96, threads=1),
    read_onnx_facts,
]


def elsewhere(location: str = "weights.bin", *, said: bool = True) -> TensorProto:
    """A tensor whose content lies in another file; ``said``: whether `data_location` says so too."""
    tensor = TensorProto(name="far", data_type=TensorProto.FLOAT, dims=[1])
    if said:
        tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return tensor


def of_nodes(*nodes: Any, initializers: Any = ()) -> Any:
    return helper.make_graph(list(nodes), "g", [], [], list(initializers))


def constant(**attribute: Any) -> Any:
    return helper.make_node("Constant", [], ["c"], **attribute)


def sparse() -> Any:
    return onnx.SparseTensorProto(values=elsewhere(), dims=[1])


def in_graph(graph: Any) -> Any:
    return helper.make_model(graph)


def in_function() -> Any:
    model = in_graph(of_nodes())
    model.functions.append(
        helper.make_function("own", "f", [], ["c"], [constant(value=elsewhere())], [helper.make_opsetid("", 17)])
    )
    return model


def in_training() -> Any:
    model = in_graph(of_nodes())
    model.training_info.add().algorithm.CopyFrom(of_nodes(initializers=[elsewhere()]))
    return model


def sparse_initializer() -> Any:
    graph = of_nodes()
    graph.sparse_initializer.append(sparse())
    return in_graph(graph)


PLACES: Dict[str, Callable[[], Any]] = {
    "initializer": lambda: in_graph(of_nodes(initializers=[elsewhere()])),
    "initializer that only names a file": lambda: in_graph(of_nodes(initializers=[elsewhere(said=False)])),
    "sparse initializer": sparse_initializer,
    "constant": lambda: in_graph(of_nodes(constant(value=elsewhere()))),
    "sparse constant": lambda: in_graph(of_nodes(constant(sparse_value=sparse()))),
    "graph in a graph": lambda: in_graph(
        of_nodes(helper.make_node("If", ["x"], ["y"], then_branch=of_nodes(constant(value=elsewhere()))))
    ),
    "function": in_function,
    "training": in_training,
}


@pytest.mark.parametrize("place", PLACES)
def test_it_is_refused_wherever_it_stands(place: str) -> None:
    with pytest.raises(InputError, match=r"'far' lie in another file, 'weights\.bin'"):
        require_one_file(Path("m.onnx"), PLACES[place]().SerializeToString())


@pytest.mark.parametrize("open_model", OPENERS)
def test_all_openers_refuse_it_and_leave_the_current_folder_alone(
    open_model: Callable[[Path], Any], spot_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the named file is beside the model, in the current folder, or nowhere."""
    model = onnx.load(str(spot_model))
    path = tmp_path / "split" / "m.onnx"
    path.parent.mkdir()
    onnx.save(model, str(path), save_as_external_data=True, location="m.data", size_threshold=0)
    for folder in (path.parent, tmp_path):
        monkeypatch.chdir(folder)
        with pytest.raises(InputError, match="lie in another file"):
            open_model(path)


@pytest.mark.parametrize("name", ["nasion-lite", "nasion-lite-int8"])
def test_what_is_one_file_is_taken(name: str) -> None:
    path = Path(__file__).parents[2] / "weights" / f"{name}.onnx"
    require_one_file(path, path.read_bytes())


def test_graphs_one_in_another_without_end_are_no_model() -> None:
    """Written by hand: the library itself refuses to make them."""

    def field(number: int, content: bytes) -> bytes:
        length, sizes = len(content), bytearray()
        while length >= 0x80:
            sizes.append(length & 0x7F | 0x80)
            length >>= 7
        return bytes([number << 3 | 2, *sizes, length]) + content

    graph = b""
    for _ in range(500):
        # GraphProto.node, NodeProto.attribute, AttributeProto.g
        graph = field(1, field(5, field(6, graph)))
    with pytest.raises(ValueError, match="one in another"):
        require_one_file(Path("m.onnx"), field(7, graph))


@given(st.binary(max_size=300))
def test_any_bytes_are_one_file_or_no_message(content: bytes) -> None:
    with contextlib.suppress(InputError, ValueError, IndexError):
        require_one_file(Path("m.onnx"), content)
