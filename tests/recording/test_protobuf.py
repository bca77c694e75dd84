"""Messages there and back, and their descriptions as other programs read them."""

from typing import Any, Dict

import pytest
from google.protobuf import descriptor_pb2
from hypothesis import given
from hypothesis import strategies as st
from nasion.recording.foxglove import CAMERA_CALIBRATION, COMPRESSED_IMAGE, RAW_IMAGE
from nasion.recording.protobuf import TIMESTAMP, MessageType, decode, descriptor_set, encode

MESSAGES = {message.name: message for message in (COMPRESSED_IMAGE, RAW_IMAGE, CAMERA_CALIBRATION)}
KINDS: "Dict[str, st.SearchStrategy[Any]]" = {
    TIMESTAMP: st.fixed_dictionaries({"seconds": st.integers(0, 2**37), "nanos": st.integers(0, 999_999_999)}),
    "fixed32": st.integers(0, 2**32 - 1),
    "string": st.text(max_size=20),
    "bytes": st.binary(max_size=300),
    "double": st.lists(st.floats(allow_nan=False), max_size=12),
}


def values_of(message: MessageType) -> "st.SearchStrategy[Dict[str, Any]]":
    return st.fixed_dictionaries({field.name: KINDS[field.kind] for field in message.fields})


@given(st.sampled_from(sorted(MESSAGES)).flatmap(lambda name: st.tuples(st.just(name), values_of(MESSAGES[name]))))
def test_what_is_written_is_read(case: "tuple[str, Dict[str, Any]]") -> None:
    name, values = case
    found = decode(MESSAGES[name], encode(MESSAGES[name], values))
    stamp, expected = found.pop("timestamp"), dict(values)
    assert {"seconds": stamp.seconds, "nanos": stamp.nanos} == expected.pop("timestamp")
    assert {key: list(value) if isinstance(expected[key], list) else value for key, value in found.items()} == expected


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_every_message_is_described_with_what_it_is_made_of(name: str) -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptor_set(MESSAGES[name])).file
    assert [file.name for file in files] == ["google/protobuf/timestamp.proto", f"{name.replace('.', '/')}.proto"]
    assert {file.syntax for file in files} == {"proto3"}


@pytest.mark.parametrize("data", [b"\x1a", b"\x1a\x05png", b"\x1b\x05", b"\xff" * 12, b"\x1a\x02\xff\xfe"])
def test_what_is_no_message_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"no foxglove\.CompressedImage"):
        decode(COMPRESSED_IMAGE, data)


@given(st.sampled_from(sorted(MESSAGES)), st.binary(max_size=60))
def test_any_bytes_are_a_message_or_a_value_error(name: str, data: bytes) -> None:
    try:
        values = decode(MESSAGES[name], data)
    except ValueError:
        return
    assert set(values) == {field.name for field in MESSAGES[name].fields}
