"""The slip that goes with a frame: where its time went, and what each step made of it."""

from dataclasses import dataclass, field
from typing import Dict, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from nasion.core.results import Located, Person
from nasion.sources.frame import Stamp

#: Where a frame's time goes. `receive`: from the capture stamp until the frame is handed to GStreamer; `wait`: in
#: queues; `preprocess`: crop, scale, convert, tensor; `publish`: message, callback, annotated video (it cannot stand in
#: the message itself).
STAGES = ("receive", "wait", "preprocess", "network", "locate", "range", "publish")

#: Where a frame only waited, before the network took it.
WAITED = ("receive", "wait")


@dataclass
class Slip:
    """One frame on its way; the light part that outlives picture and depth.

    ``spent_ns``: nanoseconds spent in each stage so far; they add up to the frame's age.
    """

    stamp: Stamp
    recorded_ns: Optional[int]
    spent_ns: Dict[str, int] = field(default_factory=dict)
    tensor: Optional[NDArray[np.float32]] = None
    heat: Optional[NDArray[np.float32]] = None
    located: Optional[Located] = None
    persons: Tuple[Person, ...] = ()

    @property
    def time_ns(self) -> int:
        """When the frame was taken, for the gates: a recording's own time, else the monotonic stamp."""
        return self.stamp.monotonic_ns if self.recorded_ns is None else self.recorded_ns

    def spend(self, stage: str, now_ns: int) -> None:
        """All the time since the last call went into ``stage``."""
        age = now_ns - self.stamp.monotonic_ns
        self.spent_ns[stage] = self.spent_ns.get(stage, 0) + age - sum(self.spent_ns.values())

    def let_out(self, now: Stamp) -> None:
        """A recording's frame is let out only now: what it waited before does not make it older.

        Reading ahead keeps the network busy. A frame that waits in front of it is as fresh as one still in the file.
        """
        self.spent_ns = {stage: 0 if stage in WAITED else spent for stage, spent in self.spent_ns.items()}
        worked_ns = sum(self.spent_ns.values())
        self.stamp = Stamp(now.utc_ns - worked_ns, now.monotonic_ns - worked_ns)

    def latency_ms(self) -> Dict[str, float]:
        """Milliseconds of each stage so far, in the order of STAGES, and their sum `total`."""
        stages = {stage: self.spent_ns[stage] / 1e6 for stage in STAGES if stage in self.spent_ns}
        return {**stages, "total": sum(self.spent_ns.values()) / 1e6}
