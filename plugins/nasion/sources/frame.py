"""The one interface of all sources: a grab gives picture, depth, calibration and capture stamp of one instant."""

from dataclasses import dataclass
from typing import Dict, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Literal, Protocol, runtime_checkable

from nasion.core.calibration import Calibration
from nasion.core.results import EyesVerdict, PersonReason


class Clock(Protocol):
    """Time as the shells see it; tests pass their own."""

    def utc_ns(self) -> int:
        """Nanoseconds since 1970, UTC; may step."""

    def monotonic_ns(self) -> int:
        """Nanoseconds that only rise, the same on the whole host."""

    def sleep(self, seconds: float) -> None:
        """Wait; returns at once for 0 or less."""


@dataclass(frozen=True)
class Stamp:
    """The instant of a grab, on the wall clock and on the monotonic one."""

    utc_ns: int
    monotonic_ns: int


class DepthAccessor(Protocol):
    """Depth of one grab, asked for where it is needed."""

    def patch(self, u: float, v: float, size: int) -> NDArray[np.float32]:
        """``size`` x ``size`` depth values (z, metres) around pixel (u, v) of the full-resolution left picture.

        Not finite: NaN unknown, +inf beyond the far limit, -inf nearer than the near limit. Pixels outside the picture
        are NaN.
        """

    def refused(self) -> Optional[PersonReason]:
        """Why no distance may come of this grab, whatever the patches hold; None where it may."""


@dataclass(frozen=True)
class Frame:
    """One grab. ``picture``: rectified left picture, (H, W, 3) BGR or (H, W, 4) BGRx, uint8, C-contiguous.

    The arrays are the frame's own: a source never writes into them again. ``recorded_ns``: the recording's own time of
    this frame (any epoch), None for live sources; the demo, not paced, counts as a recording.
    """

    picture: NDArray[np.uint8]
    depth: DepthAccessor
    calibration: Calibration
    stamp: Stamp
    recorded_ns: Optional[int] = None


@dataclass(frozen=True)
class CorruptFrame:
    """A frame of a recording that cannot be decoded; the recording goes on. ``why`` names the file or place."""

    stamp: Stamp
    why: str
    recorded_ns: Optional[int] = None


@dataclass(frozen=True)
class End:
    """The source has no more frames. ``warning`` is set when it ended before its time (a truncated video)."""

    warning: Optional[str] = None


Grab = Union[Frame, CorruptFrame, End]


@dataclass(frozen=True)
class SourceHealth:
    """``state``: as in the status topic; ``counters``: what happened how often, what did not is left out.

    ``flags``: what the camera complains of now, e.g. `low_lighting`. ``fps``: pictures a second by the camera's own
    count; None where it is not known. ``eyes``: whether the two pictures that depth is matched in fit each other; None
    where the source gives depth itself.
    """

    state: Literal["ok", "reconnecting", "lost"]
    counters: Dict[str, int]
    flags: Tuple[str, ...]
    fps: Optional[float]
    eyes: Optional[EyesVerdict] = None


class Source(Protocol):
    """A camera, a recording or a made scene.

    Opening (the constructor) raises InputError, DependencyError or HardwareError with one clear line. One thread calls
    ``read`` and ``close``.
    """

    #: The URI as given, for messages.
    uri: str
    #: True where frames come at the pace of real time: the default mode is then `live`, else `every-frame`.
    live: bool
    #: Frames per second, nominal.
    fps: float
    calibration: Calibration

    def read(self) -> Grab:
        """Next grab; blocks until it is there."""

    def close(self) -> None:
        """Release what is held; no error when called twice."""


@runtime_checkable
class Watched(Protocol):
    """What a source has besides, whose ``read`` may wait for a lost camera. Any thread may ask."""

    @property
    def health(self) -> SourceHealth:
        """How the camera is now."""

    def interrupt(self) -> None:
        """``read`` gives End soon."""
