"""Messages of an MCAP file, whole, cut off or damaged: all that can be read is."""

import os
from io import BytesIO
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple, Type, Union

from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Channel, Chunk, McapRecord, Message, MessageIndex, Schema
from mcap.stream_reader import breakup_chunk
from mcap.writer import MCAP0_MAGIC

from nasion.errors import InputError

#: Opcode and length.
_HEAD = 9
#: A chunk that says more is damaged.
_MOST_BYTES = 1 << 30


class Damage(NamedTuple):
    """A chunk that cannot be read. ``times``: log times of what it held by channel; None where that is not known."""

    why: str
    times: Optional[Mapping[int, Tuple[int, ...]]]


class _Span(NamedTuple):
    """Where a chunk is, and the indexes of its messages after it."""

    begin: int
    end: int
    indexes_end: int


class RecordingReader:
    """Reads one chunk at a time. ``channels`` and ``schemas`` grow as it reads; in a complete file all are known."""

    def __init__(self, path: Path) -> None:
        """InputError: not an MCAP file."""
        self.path = path
        self.channels: Dict[int, Channel] = {}
        self.schemas: Dict[int, Schema] = {}
        #: False where the file ends before its time.
        self.complete = False
        if not path.is_file():
            raise InputError(f"{path} is not a file" if path.exists() else f"{path} does not exist")
        try:
            self._descriptor = os.open(path, os.O_RDONLY)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}") from None
        try:
            self._spans = self._walked()
            self._learn()
        except BaseException:
            self.close()
            raise

    def items(self) -> Iterator[Union[Message, Damage]]:
        """Every message in the order of writing; a Damage for each chunk that cannot be read."""
        for span in self._spans:
            records = self._records(span)
            if isinstance(records, str):
                yield Damage(records, self._times(span))
            else:
                yield from records

    def close(self) -> None:
        """Release the file; no error when called twice."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def _walked(self) -> List[_Span]:
        """Where everything is, by the heads of the records; ends where the file does, or makes no sense."""
        size = os.fstat(self._descriptor).st_size
        at = len(MCAP0_MAGIC)
        if self._bytes(0, at) != MCAP0_MAGIC:
            raise InputError(f"{self.path} is not an MCAP file; expected a recording of `nasion record`")
        spans: List[_Span] = []
        while True:
            head = self._bytes(at, at + _HEAD)
            end = at + _HEAD + int.from_bytes(head[1:], "little")
            # A power cut may leave zeros, and 0 is no opcode.
            if len(head) < _HEAD or head[0] == 0 or end > size:
                return spans
            if head[0] == Opcode.CHUNK:
                spans.append(_Span(at + _HEAD, end, end))
            elif head[0] == Opcode.MESSAGE_INDEX and spans and spans[-1].indexes_end == at:
                spans[-1] = spans[-1]._replace(indexes_end=end)
            elif head[0] in (Opcode.SCHEMA, Opcode.CHANNEL):
                self._know(_parsed(Schema if head[0] == Opcode.SCHEMA else Channel, self._bytes(at + _HEAD, end)))
            elif head[0] == Opcode.FOOTER:
                self.complete = True
                return spans
            at = end

    def _learn(self) -> None:
        """Who was recorded stands in the first chunk, with a check sum; the end of a complete file says it again."""
        for span in self._spans:
            if not isinstance(self._records(span), str):
                return

    def _know(self, record: object) -> None:
        if isinstance(record, Channel):
            self.channels[record.id] = record
        elif isinstance(record, Schema):
            self.schemas[record.id] = record

    def _records(self, span: _Span) -> Union[List[Message], str]:
        """The messages of a chunk, or in one line why there are none."""
        if span.end - span.begin > _MOST_BYTES:
            return f"a chunk of {span.end - span.begin} bytes"
        chunk = _parsed(Chunk, self._bytes(span.begin, span.end))
        if not isinstance(chunk, Chunk):
            return f"the chunk at byte {span.begin} is damaged"
        if chunk.uncompressed_size > _MOST_BYTES:
            return f"the chunk at byte {span.begin} says that it holds {chunk.uncompressed_size} bytes"
        try:
            records = breakup_chunk(chunk, validate_crc=True)
        except Exception as error:
            # The library and its decompressors raise whatever they stumble over.
            return f"the chunk at byte {span.begin} is damaged: {' '.join(str(error).split()) or type(error).__name__}"
        for record in records:
            self._know(record)
        return [record for record in records if isinstance(record, Message)]

    def _times(self, span: _Span) -> Optional[Dict[int, Tuple[int, ...]]]:
        times: Dict[int, Tuple[int, ...]] = {}
        at = span.end
        while at < span.indexes_end:
            length = int.from_bytes(self._bytes(at + 1, at + _HEAD), "little")
            index = _parsed(MessageIndex, self._bytes(at + _HEAD, at + _HEAD + length))
            if isinstance(index, MessageIndex):
                times[index.channel_id] = tuple(time_ns for time_ns, _ in index.records)
            at += _HEAD + length
        return times or None

    def _bytes(self, begin: int, end: int) -> bytes:
        """Fewer where the file has no more, or cannot be read."""
        try:
            return os.pread(self._descriptor, end - begin, begin)
        except OSError:
            return b""


def _parsed(kind: Type[McapRecord], data: bytes) -> Optional[McapRecord]:
    """A record; None where the bytes are none."""
    try:
        record: McapRecord = kind.read(ReadDataStream(BytesIO(data)))  # type: ignore[attr-defined]
    except Exception:
        # See above.
        return None
    return record
