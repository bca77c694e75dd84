"""The steps of `nasionlocate` and `nasionrange`: heat map to keypoints, keypoints and depth to persons."""

from typing import Dict, Optional

from nasion.core.gates import Hysteresis
from nasion.core.locate import locate
from nasion.core.ranging import Ranger
from nasion.core.results import FrameReason, Located
from nasion.elements.records import Camera, Record
from nasion.errors import InputError
from nasion.settings import RunSettings
from nasion.sources.frame import Clock

_NO_TENSOR = Located((), FrameReason.NO_TENSOR, None)


class Search:
    """Heat map to keypoints, frame after frame; every camera has its own hysteresis."""

    def __init__(self, settings: RunSettings) -> None:
        self._settings = settings
        self._hysteresis: Dict[Optional[Camera], Hysteresis] = {}

    def locate(self, record: Record, clock: Clock) -> None:
        """Give ``record`` its keypoints; InputError where the network has not seen it."""
        if record.look is None:
            raise InputError("no network has seen this picture; put nasioninfer before it")
        about, settings, slip = record.look.model.metadata, self._settings, record.slip
        record.threshold = about.threshold if settings.threshold is None else settings.threshold
        record.max_persons = settings.max_persons
        if record.camera not in self._hysteresis:
            self._hysteresis[record.camera] = Hysteresis(settings.hysteresis, record.threshold)
        hysteresis = self._hysteresis[record.camera]
        slip.spend("wait", clock.monotonic_ns())
        slip.located = _NO_TENSOR
        if slip.heat is not None:
            located = locate(
                slip.heat,
                record.look.geometry,
                about.stride,
                threshold=hysteresis.threshold,
                max_persons=settings.max_persons,
                drawn_sigma_px=about.sigma_px,
            )
            slip.located = hysteresis.admit(located)
        slip.spend("locate", clock.monotonic_ns())


class Ranging:
    """Keypoints and depth to persons, frame after frame; every camera has its own tracks."""

    def __init__(self, settings: RunSettings) -> None:
        self._settings = settings
        self._rangers: Dict[Camera, Ranger] = {}

    def range(self, record: Record, clock: Clock) -> None:
        """Give ``record`` its persons; InputError where it was not searched or has no depth."""
        slip, camera, frame = record.slip, record.camera, record.frame
        if camera is None or frame is None:
            raise InputError("no depth and no calibration came with this picture; begin the pipeline with nasionsrc")
        if slip.located is None:
            raise InputError("nobody has searched this picture; put nasioninfer ! nasionlocate before it")
        if camera not in self._rangers:
            # Where the source says where depth ends, the range must not say otherwise.
            limits = {"near_m": camera.depth.near_m, "far_m": camera.depth.far_m}
            depth = self._settings.depth.model_copy(update=limits)
            self._rangers[camera] = Ranger(frame.calibration, depth, self._settings.jump)
        slip.spend("wait", clock.monotonic_ns())
        slip.persons = self._rangers[camera].range(slip.located, frame.depth, slip.time_ns)
        record.ranged = True
        slip.spend("range", clock.monotonic_ns())
