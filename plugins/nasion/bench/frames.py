"""The frames that everything is measured on: a few of the made scene, again and again, stamped as they are taken."""

from functools import lru_cache
from threading import Event
from typing import Iterator, List, NamedTuple, Sequence, Tuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nasion.core.calibration import Calibration, Intrinsics
from nasion.core.stereo import FACE_M
from nasion.settings import DepthSettings
from nasion.sources.clock import stamp_now
from nasion.sources.demo.scene import WALL_M, DemoScene, Truth
from nasion.sources.depth_map import DepthMap
from nasion.sources.frame import Clock, Frame, Stamp
from nasion.sources.stereo_depth import StereoDepth

#: Pictures of each scene, by the number of the walk's frame: a whole face at 1.5 to 2 m, and nobody in view.
SCENES = {"person": range(0, 64, 8), "nobody": range(576, 600, 3)}
#: Picture sizes from VGA to 2.2K, as a ZED gives them.
SIZES: Tuple[Tuple[int, int], ...] = ((672, 376), (1280, 720), (1920, 1080), (2208, 1242))
#: A camera's own pace, frames a second.
CAMERA_FPS = 30
#: Where a frame's depth comes from: matched around the keypoint, or given by the camera.
STEREO_PAIR, DEPTH_MAP = "stereo pair", "depth map"
#: How long the message of the frame before is waited for, seconds.
_PATIENCE_S = 10.0
_LOOK_S = 0.1
_NEVER = Stamp(0, 0)


def scene_frames(height: int, scene: str = "person") -> List[Frame]:
    """Frames of ``scene`` (one of SCENES) with 720 or 1080 lines. DependencyError without the portrait's library."""
    made = _rendered(height, scene)
    return [_frame(left, right, made.calibration) for left, right in made.pairs]


def mapped_frames(height: int) -> List[Frame]:
    """Frames of the scene `person` whose depth is a map already, as a ZED gives it: a face before the wall."""
    made, scene = _rendered(height, "person"), DemoScene(height)
    truths = [scene.truth(index) for index in SCENES["person"]]
    return [_mapped(left, truth, made.calibration) for (left, _), truth in zip(made.pairs, truths) if truth]


def resized_frames(width: int, height: int) -> List[Frame]:
    """Frames of the scene `person` in another size; those of more than 1080 lines show nothing finer."""
    made = _rendered(1080, "person")
    lens = made.calibration.left
    across, down = width / lens.width, height / lens.height
    cx, cy = (lens.cx + 0.5) * across - 0.5, (lens.cy + 0.5) * down - 0.5
    calibration = Calibration(
        Intrinsics(width, height, lens.fx * across, lens.fy * down, cx, cy), made.calibration.baseline_m
    )
    return [
        _frame(_resized(left, width, height), _resized(right, width, height), calibration) for left, right in made.pairs
    ]


class _Rendered(NamedTuple):
    """The scene's calibration, and left and right pictures."""

    calibration: Calibration
    pairs: List[Tuple[NDArray[np.uint8], NDArray[np.uint8]]]


@lru_cache(maxsize=4)
def _rendered(height: int, scene: str) -> _Rendered:
    made = DemoScene(height)
    return _Rendered(made.calibration, [made.render(index) for index in SCENES[scene]])


def _resized(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _frame(left: NDArray[np.uint8], right: NDArray[np.uint8], calibration: Calibration) -> Frame:
    return Frame(left, StereoDepth(left, right, calibration, DepthSettings()), calibration, _NEVER)


def _mapped(left: NDArray[np.uint8], truth: Truth, calibration: Calibration) -> Frame:
    depth = np.full(left.shape[:2], WALL_M, np.float32)
    far = truth.xyz[2]
    half = round(calibration.left.fx * FACE_M / 2 / far)
    rows, columns = (slice(max(round(place) - half, 0), round(place) + half) for place in (truth.v, truth.u))
    depth[rows, columns] = far
    return Frame(left, DepthMap(depth, DepthSettings()), calibration, _NEVER)


def as_fast_as_taken(frames: Sequence[Frame], count: int, clock: Clock) -> Iterator[Frame]:
    """``count`` frames, each as soon as it is asked for."""
    for index in range(count):
        yield _taken(frames, index, clock)


def one_by_one(frames: Sequence[Frame], count: int, answered: Event, clock: Clock) -> Iterator[Frame]:
    """``count`` frames, each as soon as ``answered`` is set for the one before, so that none waits for another."""
    for index in range(count):
        yield _taken(frames, index, clock)
        answered.wait(_PATIENCE_S)
        answered.clear()


def paced(frames: Sequence[Frame], rate: float, count: int, stop: Event, clock: Clock) -> Iterator[Frame]:
    """``count`` frames at ``rate`` a second, counted from the first, until ``stop`` is set."""
    began_ns = clock.monotonic_ns()
    for index in range(count):
        due_ns = began_ns + round(index * 1e9 / rate)
        while not stop.is_set() and clock.monotonic_ns() < due_ns:
            clock.sleep(min((due_ns - clock.monotonic_ns()) / 1e9, _LOOK_S))
        if stop.is_set():
            return
        yield _taken(frames, index, clock)


def _taken(frames: Sequence[Frame], index: int, clock: Clock) -> Frame:
    frame = frames[index % len(frames)]
    return Frame(frame.picture, frame.depth, frame.calibration, stamp_now(clock))
