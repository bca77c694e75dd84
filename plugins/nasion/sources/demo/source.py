"""The made scene as a source: at the pace of a camera, or frame by frame as fast as it is asked for."""

from typing import Optional

from nasion.settings import DepthSettings
from nasion.sources.clock import stamp_now
from nasion.sources.demo.scene import DemoScene
from nasion.sources.demo.walk import CYCLE_FRAMES, FPS
from nasion.sources.frame import Clock, End, Frame, Grab
from nasion.sources.stereo_depth import StereoDepth


class DemoSource:
    """A person walking about before a wall; see ``DemoScene``."""

    fps = FPS

    def __init__(
        self,
        uri: str,
        height: int,
        depth: DepthSettings,
        clock: Clock,
        paced: bool,
        frames: Optional[int] = None,
        loop: bool = True,
    ) -> None:
        """``height``: 720 or 1080. DependencyError where the photograph's library is missing.

        ``paced``: like a camera, 30 frames a second, those nobody asked for in time are lost; else every frame, with
        ``recorded_ns`` = index / 30 s. It ends after ``frames`` frames of the scene, or, without ``loop``, after one
        walk (24 s).
        """
        self.uri = uri
        self.live = paced
        self.scene = DemoScene(height)
        self.calibration = self.scene.calibration
        self._depth, self._clock = depth, clock
        ends = [end for end in (frames, None if loop else CYCLE_FRAMES) if end is not None]
        self._end = min(ends) if ends else None
        self._next = 0
        self._began_ns: Optional[int] = None

    def read(self) -> Grab:
        """Next frame; when paced, blocks until its time."""
        index = self._due() if self.live else self._next
        if self._end is not None and index >= self._end:
            return End()
        self._next = index + 1
        left, right = self.scene.render(index)
        if self.live:
            self._wait_for(index)
        depth = StereoDepth(left, right, self.calibration, self._depth)
        recorded_ns = None if self.live else round(index * 1e9 / FPS)
        return Frame(left, depth, self.calibration, stamp_now(self._clock), recorded_ns)

    def close(self) -> None:
        """No frame follows."""
        self._end = 0

    def _due(self) -> int:
        """The frame that a camera would show next: those whose time has passed are lost."""
        now = self._clock.monotonic_ns()
        if self._began_ns is None:
            self._began_ns = now
        return max(self._next, int((now - self._began_ns) * FPS / 1e9))

    def _wait_for(self, index: int) -> None:
        assert self._began_ns is not None
        self._clock.sleep((self._began_ns - self._clock.monotonic_ns()) / 1e9 + index / FPS)
