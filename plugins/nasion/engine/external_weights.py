"""Whether a model's file is the whole model: ONNX lets weights lie in other files, which a digest would not cover.

ONNX Runtime looks for them in the current folder when it is given the file's content, so another model's weights could
be taken without a word. Here such a file is refused, by every engine alike, before any library opens it.

The field numbers are those of onnx.proto in the ONNX project.
"""

from pathlib import Path
from typing import Dict, Iterator, Tuple

from nasion.engine.protobuf_wire import as_bytes, as_number, as_text, fields
from nasion.errors import InputError

#: TensorProto: `external_data`, `data_location` and its value for "in another file".
_EXTERNAL_DATA, _DATA_LOCATION, _EXTERNAL = 13, 14, 1
#: Of each kind of message, the fields that may hold a tensor: their kind.
_PARTS: Dict[str, Dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
#: Graphs in attributes of graphs: no network has so many one in another.
_DEEPEST = 100


def require_one_file(path: Path, content: bytes) -> None:
    """InputError where weights of the model ``content``, read from ``path``, lie in another file.

    ValueError, IndexError: ``content`` is no protobuf message.
    """
    named = next(_external(memoryview(content), "model", _DEEPEST), None)
    if named is not None:
        tensor, location = named
        raise InputError(
            f"model {path} is not whole: its weights {tensor!r} lie in another file, {location!r}; "
            "save it as one file: torch.onnx.export(…, external_data=False), or onnx.save(onnx.load(FILE), ONE_FILE)"
        )


def _external(data: memoryview, kind: str, deepest: int) -> Iterator[Tuple[str, str]]:
    """Name and place of each tensor in a message of ``kind`` that lies in another file."""
    if deepest == 0:
        raise ValueError(f"more than {_DEEPEST} graphs and attributes lie one in another")
    if kind == "tensor":
        yield from _of_tensor(data)
        return
    parts = _PARTS[kind]
    for number, value in fields(data):
        if number in parts:
            yield from _external(as_bytes(value), parts[number], deepest - 1)


def _of_tensor(data: memoryview) -> Iterator[Tuple[str, str]]:
    name, location, external = "", "", False
    for number, value in fields(data):
        if number == 8:
            name = as_text(value)
        elif number == _DATA_LOCATION:
            external = external or as_number(value) == _EXTERNAL
        elif number == _EXTERNAL_DATA:
            entry = dict(fields(as_bytes(value)))
            if as_text(entry.get(1)) == "location":
                external, location = True, as_text(entry.get(2))
    if external:
        yield name, location
