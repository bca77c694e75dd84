"""Foxglove's messages as classes of Google's library, made from their descriptions: no generated code to keep."""

from functools import lru_cache
from typing import Any, Dict, List, Mapping, NamedTuple, Tuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
from google.protobuf.message import DecodeError

_FIELD = descriptor_pb2.FieldDescriptorProto
TIMESTAMP = timestamp_pb2.Timestamp.DESCRIPTOR.full_name
_KINDS = {
    "double": _FIELD.TYPE_DOUBLE,
    "fixed32": _FIELD.TYPE_FIXED32,
    "string": _FIELD.TYPE_STRING,
    "bytes": _FIELD.TYPE_BYTES,
    TIMESTAMP: _FIELD.TYPE_MESSAGE,
}


class Field(NamedTuple):
    """``kind``: one of _KINDS; ``repeated``: a list of them."""

    number: int
    name: str
    kind: str
    repeated: bool = False


class MessageType(NamedTuple):
    """A message: its full name and its fields."""

    name: str
    fields: Tuple[Field, ...]


def encode(message: MessageType, values: Mapping[str, Any]) -> bytes:
    """The bytes of a message; fields without a value are left out."""
    data: bytes = _class_of(message)(**values).SerializeToString()
    return data


def decode(message: MessageType, data: bytes) -> Dict[str, Any]:
    """The values of a message; what is left out has its default. ValueError: it is none."""
    try:
        found = _class_of(message).FromString(data)
    except DecodeError as error:
        raise ValueError(f"no {message.name}: {error}") from None
    return {field.name: getattr(found, field.name) for field in message.fields}


def descriptor_set(message: MessageType) -> bytes:
    """The FileDescriptorSet of a message and of what it is made of, each in a file of its own, needed ones first."""
    data: bytes = descriptor_pb2.FileDescriptorSet(file=_files(message)).SerializeToString()
    return data


@lru_cache(maxsize=None)
def _class_of(message: MessageType) -> Any:
    pool = descriptor_pool.DescriptorPool()
    for file in _files(message):
        pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(message.name))


def _files(message: MessageType) -> List[Any]:
    stamp = descriptor_pb2.FileDescriptorProto()
    timestamp_pb2.DESCRIPTOR.CopyToProto(stamp)
    package, _, name = message.name.rpartition(".")
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{package}/{name}.proto", package=package, dependency=[stamp.name], syntax="proto3"
    )
    described = file.message_type.add(name=name)
    for field in message.fields:
        described.field.add(
            name=field.name,
            number=field.number,
            label=_FIELD.LABEL_REPEATED if field.repeated else _FIELD.LABEL_OPTIONAL,
            type=_KINDS[field.kind],
            type_name=f".{field.kind}" if field.kind == TIMESTAMP else None,
        )
    return [stamp, file]
