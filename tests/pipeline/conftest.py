"""A stage for the pipeline: pictures with one red dot, depth that is known, sources that do what a test wants."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List, Optional

import numpy as np
import pytest
from nasion.core.calibration import Calibration, Intrinsics
from nasion.core.views import view_geometry
from nasion.messages import PersonMessage
from nasion.pipeline import app
from nasion.pipeline.summary import RunSummary
from nasion.settings import RunSettings, View
from nasion.sources.clock import SystemClock, stamp_now
from nasion.sources.frame import CorruptFrame, End, Frame, Grab
from nasion.sources.memory import MemorySource
from numpy.typing import NDArray

#: Frames are this large where the size does not matter.
WIDTH, HEIGHT = 320, 180


@dataclass(frozen=True)
class Wall:
    """Depth that is the same everywhere."""

    metres: float

    def refused(self) -> None: ...

    def patch(self, _u: float, _v: float, size: int) -> NDArray[np.float32]:
        return np.full((size, size), self.metres, np.float32)


@dataclass
class Stage:
    """Makes frames and sources, runs the application over them, and keeps what it said."""

    model: Path
    clock: Any = field(default_factory=SystemClock)
    stop: threading.Event = field(default_factory=threading.Event)
    messages: List[PersonMessage] = field(default_factory=list)
    events: List[str] = field(default_factory=list)

    def calibration(self, width: int = WIDTH, height: int = HEIGHT) -> Calibration:
        return Calibration(Intrinsics(width, height, 0.8 * width, 0.8 * width, width / 2, height / 2), 0.12)

    def dot(
        self,
        u: float = 150.0,
        v: float = 80.0,
        width: int = WIDTH,
        height: int = HEIGHT,
        *,
        view: View = "full",
        channels: int = 3,
    ) -> NDArray[np.uint8]:
        """A black picture, BGR or BGRx, with a red Gaussian around (u, v): 4 pixels of the network's input wide."""
        geometry = view_geometry(view, width, height)
        across = np.exp(-0.5 * ((np.arange(width) - u) / (4 * geometry.scale_x)) ** 2)
        down = np.exp(-0.5 * ((np.arange(height) - v) / (4 * geometry.scale_y)) ** 2)
        picture = np.zeros((height, width, channels), np.uint8)
        picture[:, :, 2] = np.rint(250 * np.outer(down, across))
        return picture

    def frame(
        self, picture: Optional[NDArray[np.uint8]] = None, metres: float = 2.0, recorded_ns: Optional[int] = None
    ) -> Frame:
        """A grab of this instant."""
        shown = self.dot() if picture is None else picture
        height, width = shown.shape[:2]
        return Frame(shown, Wall(metres), self.calibration(width, height), stamp_now(self.clock), recorded_ns)

    def corrupt(self, why: str, recorded_ns: Optional[int] = None) -> CorruptFrame:
        return CorruptFrame(stamp_now(self.clock), why, recorded_ns)

    def source(self, grabs: Iterable[Grab], width: int = WIDTH, height: int = HEIGHT, **about: Any) -> MemorySource:
        return MemorySource(grabs, self.calibration(width, height), **about)

    def truncated(self, why: str) -> End:
        return End(warning=why)

    def run(
        self,
        sources: Dict[str, MemorySource],
        on_message: Optional[Callable[[PersonMessage], None]] = None,
        **settings: Any,
    ) -> RunSummary:
        """Run over sources by camera name."""

        def opener(uri: str, **_: Any) -> MemorySource:
            return sources[uri]

        told = {
            "cameras": [{"name": name, "source": name} for name in sources],
            "engine": "onnxruntime",
            "model": str(self.model),
            "mqtt": {"url": "none"},
            # It would end the tests.
            "watchdog": {"seconds": 300},
            **settings,
        }
        return app.run(
            RunSettings.model_validate(told),
            clock=self.clock,
            on_message=on_message or self.messages.append,
            on_event=self.events.append,
            stop=self.stop,
            opener=opener,
        )

    def of(self, camera: str) -> List[PersonMessage]:
        return [message for message in self.messages if message.camera == camera]


@pytest.fixture
def stage(spot_model: Path) -> Stage:
    return Stage(spot_model)
