"""What the pipeline is held against, each in one thread: the bare network, an OpenCV loop, and YuNet."""

import math
import threading
import time
from pathlib import Path
from typing import Any, Callable, List, Optional, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from nasion.bench.turns import Turn
from nasion.core.locate import locate
from nasion.core.ranging import Ranger
from nasion.core.tensor import blank_tensor, fill_tensor
from nasion.core.views import ViewGeometry, view_geometry
from nasion.engine.onnx_model import HeatMapModel
from nasion.errors import InputError
from nasion.settings import DepthSettings, JumpSettings, View
from nasion.sources.frame import Frame

#: Does its work on frame number N.
Step = Callable[[int], Any]

#: YuNet's own default.
_YUNET_THRESHOLD = 0.9


def timed(step: Step, frames: int, stop: threading.Event, seconds: float = math.inf) -> Optional[Turn]:
    """Call ``step`` with 0, 1, …, up to ``frames`` times; None where ``stop`` was set meanwhile.

    After ``seconds`` it is not called again: one large network would take as long as all the rest.
    """
    wall_s, cpu_s, done = time.perf_counter(), time.process_time(), 0
    while done < frames and (done == 0 or time.perf_counter() - wall_s < seconds):
        if stop.is_set():
            return None
        step(done)
        done += 1
    return Turn(done, time.perf_counter() - wall_s, time.process_time() - cpu_s)


def network_step(network: HeatMapModel, height: int, width: int) -> Step:
    """The network alone, on tensors that are there."""
    random = np.random.default_rng(0)
    tensors = [random.uniform(0, 255, (1, 3, height, width)).astype(np.float32) for _ in range(4)]
    return lambda index: network.infer(tensors[index % len(tensors)])


class Stopwatch:
    """A network, and the seconds that it took so far."""

    def __init__(self, network: HeatMapModel) -> None:
        self._network = network
        self.metadata = network.metadata
        self.spent_s = 0.0

    def infer(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `HeatMapModel.infer`."""
        began_s = time.perf_counter()
        heat = self._network.infer(tensor)
        self.spent_s += time.perf_counter() - began_s
        return heat


def opencv_step(network: Stopwatch, frames: Sequence[Frame], view: View) -> Step:
    """The whole work in a plain loop: crop, OpenCV's area averaging, the same network, place and depth."""
    calibration = frames[0].calibration
    geometry = view_geometry(view, calibration.left.width, calibration.left.height)
    ranger = Ranger(calibration, DepthSettings(), JumpSettings(mode="off"))
    tensor = blank_tensor(geometry.input_height, geometry.input_width)
    about = network.metadata

    def step(index: int) -> None:
        frame = frames[index % len(frames)]
        fill_tensor(_scaled(frame.picture, geometry, cv2.COLOR_BGR2RGB), tensor)
        located = locate(
            network.infer(tensor),
            geometry,
            about.stride,
            threshold=about.threshold,
            max_persons=1,
            drawn_sigma_px=about.sigma_px,
        )
        ranger.range(located, frame.depth, time.monotonic_ns())

    return step


def yunet_step(file: Path, frames: Sequence[Frame], view: View) -> Step:
    """OpenCV's YuNet on pictures that are scaled already to the view's network input. InputError: no such model."""
    lens = frames[0].calibration.left
    geometry = view_geometry(view, lens.width, lens.height)
    ready: List[NDArray[np.uint8]] = []
    for frame in frames:
        padded = np.zeros((geometry.input_height, geometry.input_width, 3), np.uint8)
        padded[: geometry.scaled_height, : geometry.scaled_width] = _scaled(frame.picture, geometry)
        ready.append(padded)
    size = (geometry.input_width, geometry.input_height)
    # OpenCV 5 warns of things that nobody can change.
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_FATAL)
    try:
        detector = cv2.FaceDetectorYN.create(str(file), "", size, _YUNET_THRESHOLD)
        detector.detect(ready[0])
    except cv2.error as error:
        raise InputError(
            f"YuNet {file}: OpenCV takes it for no YuNet model: {' '.join(str(error).split())[:200]}"
        ) from None
    finally:
        cv2.utils.logging.setLogLevel(level)
    return lambda index: detector.detect(ready[index % len(ready)])


def _scaled(picture: NDArray[np.uint8], geometry: ViewGeometry, convert: Optional[int] = None) -> NDArray[np.uint8]:
    scaled = cv2.resize(
        picture[geometry.crop], (geometry.scaled_width, geometry.scaled_height), interpolation=cv2.INTER_AREA
    )
    return np.asarray(scaled if convert is None else cv2.cvtColor(scaled, convert), np.uint8)
