"""What every part is given."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Optional, Sequence

from nasion.bench.plan import Plan
from nasion.bench.subject import Subject
from nasion.sources.frame import Clock, Frame
from nasion.sources.memory import MemorySource

#: Figures of a part, as JSON has them.
Figures = Dict[str, Any]


@dataclass(frozen=True)
class Bench:
    """``stop``: set where somebody has enough; ``expect``, ``advance``: how many turns a part takes, and that one was
    taken; ``yunet``: OpenCV's face detector, to be compared with.
    """

    subject: Subject
    plan: Plan
    clock: Clock
    stop: threading.Event
    expect: Callable[[int], None] = lambda _: None
    advance: Callable[[], None] = lambda: None
    yunet: Optional[Path] = None

    @staticmethod
    def replay(
        grabs: Iterable[Frame], frames: Sequence[Frame], *, number: int = 0, live: bool = False, fps: float = 30.0
    ) -> MemorySource:
        """A source of ``grabs``, which are made of ``frames``; ``number`` tells it from others of the same run."""
        return MemorySource(grabs, frames[0].calibration, live=live, fps=fps, uri=f"replay:{number}")
