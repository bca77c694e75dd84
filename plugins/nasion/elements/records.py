"""What belongs to a picture on its way through elements: found by the token that travels with its buffer.

A record lives as long as a buffer with its token, so nothing is kept for pictures that a queue has let go, and nothing
is lost that is still on its way. It cannot be asked for in any other way; there is no "latest". For what comes out of
nvinfer, whose mux makes new buffers, see `meeting`.
"""

import itertools
from dataclasses import dataclass, field
from threading import Lock
from typing import Dict, Optional, Tuple

from nasion.core.views import ViewGeometry
from nasion.pipeline.engine import ModelFile
from nasion.pipeline.slip import Slip
from nasion.settings import CameraSettings, DepthSettings, View
from nasion.sources.frame import Frame, Source


@dataclass(eq=False)
class Camera:
    """One source from its start to its end. ``depth``: the limits of the depth that it gives."""

    about: CameraSettings
    source: Source
    depth: DepthSettings
    ended: bool = False
    _lock: Lock = field(default_factory=Lock, repr=False)
    _next: int = 0

    def next_number(self) -> int:
        """The `seq` of the next frame that is spoken of."""
        with self._lock:
            number, self._next = self._next, self._next + 1
            return number


@dataclass(frozen=True)
class Look:
    """What the network was and who ran it, as in `info`, and what it saw of the picture."""

    engine: str
    view: View
    model: ModelFile
    geometry: ViewGeometry


@dataclass
class Record:
    """One picture; ``size`` is its (width, height).

    ``camera`` and ``frame`` (with the depth) are known of pictures from `nasionsrc`, ``look`` once the network has seen
    it, ``threshold`` and ``max_persons`` once it was searched. ``slip`` has the results.
    """

    slip: Slip
    size: Tuple[int, int]
    camera: Optional[Camera] = None
    frame: Optional[Frame] = None
    look: Optional[Look] = None
    threshold: Optional[float] = None
    max_persons: int = 1
    ranged: bool = False
    number: Optional[int] = None

    def branched(self) -> "Record":
        """A new record of the same picture, so that two networks behind a `tee` do not share their results."""
        slip = Slip(self.slip.stamp, self.slip.recorded_ns, dict(self.slip.spent_ns))
        return Record(slip, self.size, self.camera, self.frame)

    def numbered(self) -> int:
        """The `seq` of this picture; given when first asked for, in the order of the stream."""
        if self.number is None:
            self.number = self.camera.next_number() if self.camera else 0
        return self.number


_records: Dict[int, Tuple[Record, ...]] = {}
_tokens = itertools.count(1)


def enter(records: Tuple[Record, ...]) -> int:
    """Keep the record of a picture, or those of a batch, until they are forgotten.

    They are found by the token that comes back, which was never used before in this process.
    """
    token = next(_tokens)
    _records[token] = records
    return token


def find(token: int) -> Tuple[Record, ...]:
    """The records of exactly this token."""
    return _records.get(token, ())


def forget(token: int) -> None:
    """No buffer carries the token any more."""
    _records.pop(token, None)


def kept() -> int:
    """How many tokens are on their way."""
    return len(_records)
