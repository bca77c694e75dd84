"""What `nasion record` wrote, played back: the same frames, so the same messages.

A file that was cut off, by a crash, a power cut or a full disk, gives what was written before.
"""

import math
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Deque, Dict, Iterator, Mapping, NamedTuple, Optional, Tuple, Union

from mcap.records import Channel, Message

from nasion.core.calibration import Calibration
from nasion.errors import InputError
from nasion.recording.frames import assembled, read_corrupt
from nasion.recording.reader import Damage, RecordingReader
from nasion.recording.topics import BASELINE, CALIBRATION, CORRUPT, FPS, LEFT, PARTS, split_topic, topic_of
from nasion.settings import DepthSettings
from nasion.sources.clock import stamp_now
from nasion.sources.frame import Clock, CorruptFrame, DepthAccessor, End, Frame, Grab
from nasion.sources.pictures import DamagedPictureError, Picture


@dataclass(frozen=True)
class _Whole:
    """A frame that is not yet stamped."""

    picture: Picture
    depth: DepthAccessor
    calibration: Calibration
    time_ns: int


class _Broken(NamedTuple):
    """A frame that cannot be decoded; its time where it is known."""

    why: str
    time_ns: Optional[int]


_Item = Union[_Broken, _Whole]

#: Whoever reads our messages keeps nanoseconds in 64 bits with a sign.
_LATEST_NS = (1 << 63) - 1


class McapSource:
    """Plays one camera of a recording once, at the speed it is asked for."""

    live = False

    def __init__(self, uri: str, path: Path, depth: DepthSettings, clock: Clock, camera: Optional[str] = None) -> None:
        """``camera``: needed where several were recorded.

        InputError: not an MCAP file, not ours, no such camera, nothing that can be decoded.
        """
        self.uri = uri
        self._path, self._limits, self._clock = path, depth, clock
        self._reader = RecordingReader(path)
        self._frames = 0
        try:
            self._camera = self._chosen(camera)
            self._require_schemas()
            self.fps = self._fact(FPS)
            self._baseline_m = self._fact(BASELINE)
            self._items = self._played()
            self._ahead, self.calibration = self._until_whole()
        except BaseException:
            self._reader.close()
            raise

    def read(self) -> Grab:
        """Next frame, CorruptFrame where it is damaged, End at the end, with a warning where the file was cut off."""
        item = self._ahead.popleft() if self._ahead else next(self._items, None)
        if item is None:
            return End(self._warning())
        stamp = stamp_now(self._clock)
        if isinstance(item, _Broken):
            known = item.time_ns is not None and item.time_ns <= _LATEST_NS
            return CorruptFrame(stamp, item.why, item.time_ns if known else None)
        return Frame(item.picture, item.depth, item.calibration, stamp, item.time_ns)

    def close(self) -> None:
        """Release the file; no frame follows."""
        self._ahead.clear()
        self._items = iter(())
        self._reader.close()

    def _chosen(self, camera: Optional[str]) -> str:
        """The camera to play."""
        topics = [channel.topic for channel in self._reader.channels.values()]
        found = [split for split in map(split_topic, topics) if split]
        cameras = [name for name, part in found if part == LEFT]
        if not cameras:
            has = f"its topics are {', '.join(sorted(topics))}" if topics else "it has no topics that can be read"
            raise InputError(f"{self._path} is no recording of Nasion: {has}; expected {topic_of('NAME', LEFT)}")
        if camera is None and len(cameras) == 1:
            return cameras[0]
        if camera not in cameras:
            said = "say which camera" if camera is None else f"there is no camera {camera!r}"
            choices = " or ".join(f"?camera={name}" for name in cameras)
            raise InputError(f"{self._path}: {said}: {choices}")
        return camera

    def _require_schemas(self) -> None:
        """InputError where a topic of ours holds something else."""
        for channel in self._reader.channels.values():
            part, schema = self._part(channel), self._reader.schemas.get(channel.schema_id)
            if part is not None:
                name = schema.name if schema else "no schema"
                if (name, channel.message_encoding) != PARTS[part]:
                    expected = PARTS[part]
                    raise InputError(
                        f"{self._path}: {channel.topic} is {name} in {channel.message_encoding}; "
                        f"expected {expected.schema} in {expected.encoding}, as `nasion record` writes it"
                    )

    def _part(self, channel: Optional[Channel]) -> Optional[str]:
        """What the channel holds of our camera."""
        camera, part = (split_topic(channel.topic) if channel else None) or ("", None)
        return part if camera == self._camera else None

    def _fact(self, name: str) -> float:
        """A number that stands beside the calibration."""
        channel = next(
            (channel for channel in self._reader.channels.values() if self._part(channel) == CALIBRATION), None
        )
        said = channel.metadata.get(name, "") if channel else ""
        try:
            value = float(said)
        except ValueError:
            value = math.nan
        if not 0 < value < math.inf:
            raise InputError(
                f"{self._path}: the metadata of {topic_of(self._camera, CALIBRATION)} say {name} = "
                f"{said or 'nothing'}; expected a number above 0"
            )
        return value

    def _until_whole(self) -> Tuple[Deque[_Item], Calibration]:
        """What comes up to the first frame that can be decoded, given again by ``read``, and its calibration."""
        items: Deque[_Item] = deque()
        for item in self._items:
            items.append(item)
            if isinstance(item, _Whole):
                return items, item.calibration
        why = items[0].why if items and isinstance(items[0], _Broken) else "it is empty"
        raise InputError(f"{self._path} holds no frame of {self._camera!r} that can be decoded ({why})")

    def _played(self) -> Iterator[_Item]:
        """The camera's frames. All parts of a frame have its number, and the left picture is the last of them."""
        parts: Dict[str, Message] = {}
        for item in self._reader.items():
            if isinstance(item, Damage):
                yield from self._lost(item)
                continue
            part = self._part(self._reader.channels.get(item.channel_id))
            if part == CORRUPT:
                self._frames += 1
                yield _Broken(read_corrupt(item.data), item.log_time)
            elif part == LEFT:
                self._frames += 1
                mine = {name: one.data for name, one in parts.items() if one.sequence == item.sequence}
                yield self._assembled(item, mine)
                parts.clear()
            elif part is not None:
                parts[part] = item

    def _lost(self, damage: Damage) -> Iterator[_Broken]:
        """The camera's frames in a chunk that cannot be read."""
        if damage.times is None:
            self._frames += 1
            yield _Broken(f"{self._path.name}: {damage.why}", None)
            return
        for channel, times in damage.times.items():
            if self._part(self._reader.channels.get(channel)) in (LEFT, CORRUPT):
                for time_ns in times:
                    self._frames += 1
                    yield _Broken(f"{self._path.name}: {damage.why}", time_ns)

    def _assembled(self, left: Message, parts: Mapping[str, bytes]) -> _Item:
        where = f"frame {self._frames - 1} of {self._path.name}"
        if left.log_time > _LATEST_NS:
            return _Broken(f"{where}: its time, {left.log_time}, is past all clocks", left.log_time)
        try:
            picture, depth, calibration = assembled({**parts, LEFT: left.data}, self._baseline_m, self._limits)
        except DamagedPictureError as damage:
            return _Broken(f"{where}: {damage}", left.log_time)
        return _Whole(picture, depth, calibration, left.log_time)

    def _warning(self) -> Optional[str]:
        if self._reader.complete:
            return None
        return f"{self._path} ends after {self._frames} frames, without its index: it was cut off"
