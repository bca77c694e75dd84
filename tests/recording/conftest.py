"""Frames of every kind that is recorded, a recorder for them, and what comes back."""

from pathlib import Path
from typing import Any, Callable, Iterable, List, Optional, Union

import numpy as np
import pytest
from nasion.core.calibration import Calibration, Intrinsics
from nasion.recording.file import CameraFacts
from nasion.recording.recorder import Recorder
from nasion.recording.rotation import Rotation
from nasion.settings import DepthSettings
from nasion.sources.clock import SystemClock
from nasion.sources.depth_map import DepthMap
from nasion.sources.frame import CorruptFrame, End, Frame, Grab, Stamp
from nasion.sources.mcap import McapSource
from nasion.sources.stereo_depth import StereoDepth

WIDTH, HEIGHT = 64, 48
CALIBRATION = Calibration(Intrinsics(WIDTH, HEIGHT, 50.0, 50.1, 31.7, 24.3), 0.12)
#: Times between frames, nanoseconds.
STEP_NS = 33_333_333


def frame(
    number: int, *, stereo: bool = False, recorded: bool = True, size: "tuple[int, int]" = (WIDTH, HEIGHT)
) -> Frame:
    """Noise, the same for the same number."""
    random = np.random.default_rng(number)
    width, height = size
    left, right = (random.integers(0, 256, (height, width, 3)).astype(np.uint8) for _ in range(2))
    calibration = Calibration(Intrinsics(width, height, 50.0, 50.1, width / 2, height / 2), 0.12)
    depth: Union[DepthMap, StereoDepth]
    if stereo:
        depth = StereoDepth(left, right, calibration, DepthSettings())
    else:
        depth = DepthMap(random.uniform(0.5, 12, (height, width)).astype(np.float32), DepthSettings())
    time_ns = number * STEP_NS
    stamp = Stamp(1_700_000_000_000_000_000 + time_ns, 5_000_000_000 + time_ns)
    return Frame(left, depth, calibration, stamp, time_ns if recorded else None)


class Studio:
    """Records grabs and plays recordings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.events: List[str] = []

    def recorder(
        self,
        name: str = "walk.mcap",
        rotation: Rotation = Rotation(),  # noqa: B008
        jpeg: Optional[int] = None,
        cameras: Iterable[str] = ("cam0",),
        clock: Any = None,
    ) -> Recorder:
        recorder = Recorder(
            self.folder / name,
            rotation=rotation,
            jpeg=jpeg,
            clock=clock or SystemClock(),
            on_event=self.events.append,
        )
        for camera in cameras:
            recorder.add_camera(CameraFacts(camera, f"{camera}_left_camera_optical_frame", 30.0, 0.12))
        return recorder

    def record(self, grabs: Iterable[Union[Frame, CorruptFrame]], **how: Any) -> Path:
        """Every grab of one camera."""
        with self.recorder(**how) as recorder:
            for grab in grabs:
                recorder.frame("cam0", grab, wait=lambda: True)
        return self.folder / str(how.get("name", "walk.mcap"))

    def source(self, path: Path, camera: Optional[str] = None) -> McapSource:
        return McapSource(str(path), path, DepthSettings(), SystemClock(), camera)

    def play(self, path: Path, camera: Optional[str] = None) -> List[Grab]:
        """Everything that the file gives, the end as well."""
        source = self.source(path, camera)
        grabs: List[Grab] = []
        while not grabs or not isinstance(grabs[-1], End):
            grabs.append(source.read())
        source.close()
        return grabs


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


@pytest.fixture(name="frame")
def _frame() -> Callable[..., Frame]:
    return frame


def same(one: Grab, other: Grab) -> bool:
    """Whether two frames are the same in every pixel and every depth, and at the same time."""
    assert isinstance(one, Frame)
    assert isinstance(other, Frame)
    around = [frame.depth.patch(WIDTH / 2, HEIGHT / 2, 63).tobytes() for frame in (one, other)]
    times = [frame.recorded_ns for frame in (one, other)]
    return (
        np.array_equal(one.picture[:, :, :3], other.picture[:, :, :3])
        and around[0] == around[1]
        and one.calibration == other.calibration
        and times[0] == times[1]
    )


@pytest.fixture(name="same")
def _same() -> Callable[[Grab, Grab], bool]:
    return same
