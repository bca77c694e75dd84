"""Reads protobuf messages field by field, without their description: https://protobuf.dev/programming-guides/encoding/.

The run time has no ONNX library, and a Jetson not always ONNX Runtime; the few fields that count are found this way.
"""

from typing import FrozenSet, Iterator, Optional, Tuple, Union

Value = Union[int, memoryview]

#: Wire types that carry a value of fixed length, and that length.
_FIXED = {1: 8, 5: 4}
_KNOWN: FrozenSet[int] = frozenset({0, 1, 2, 5})


def fields(data: memoryview) -> Iterator[Tuple[int, Value]]:
    """Number and value of each field of a message: an int, or its bytes. ValueError, IndexError: it is no message."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if number == 0 or wire not in _KNOWN:
            raise ValueError(f"no protobuf field at byte {at}")
        value: Value
        if wire == 0:
            value, at = _varint(data, at)
        else:
            length, at = _varint(data, at) if wire == 2 else (_FIXED[wire], at)
            if at + length > len(data):
                raise ValueError("it ends in the middle of a field")
            value, at = data[at : at + length], at + length
        yield number, value


def as_bytes(value: Value) -> memoryview:
    """The bytes of a field that holds a message, a text or bytes; ValueError where it holds a number."""
    if isinstance(value, int):
        raise ValueError("a number stands where a message was expected")
    return value


def as_number(value: Value) -> int:
    """The number of a field; ValueError where it holds a message."""
    if not isinstance(value, int):
        raise ValueError("a message stands where a number was expected")
    return value


def as_text(value: Optional[Value]) -> str:
    """The text of a field; empty where there is none. UnicodeDecodeError, ValueError: it is no text."""
    return "" if value is None else bytes(as_bytes(value)).decode("utf-8")


def _varint(data: memoryview, at: int) -> Tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError(f"no number at byte {at}")
