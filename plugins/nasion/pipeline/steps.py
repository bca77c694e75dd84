"""The steps of a frame, each found by its PTS: admit, prepare, infer (or heat), locate, range, publish.

They hold no GStreamer and no network; the pad probes of both engines' pipelines call them. Where the network runs
outside of Python, `heat` takes the place of `prepare` and `infer`. What can be set while it runs is read once for each
frame, by `locate`.
"""

from contextlib import contextmanager
from typing import Callable, Dict, Iterator, List, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from nasion.core.gates import Hysteresis
from nasion.core.heatmap import is_probability_map
from nasion.core.locate import locate
from nasion.core.ranging import Ranger
from nasion.core.results import FrameReason, Located
from nasion.core.ring import FrameRing
from nasion.core.scaling import scaled_crop
from nasion.core.tensor import blank_tensor, fill_tensor
from nasion.core.views import ChannelOrder, ViewGeometry
from nasion.engine.metadata import ModelMetadata
from nasion.pipeline.controls import InForce
from nasion.pipeline.flow import Flow
from nasion.pipeline.outlet import Outlet
from nasion.pipeline.slip import Slip
from nasion.sources.clock import stamp_now
from nasion.sources.frame import Clock, Frame

_NO_TENSOR = Located((), FrameReason.NO_TENSOR, None)


class Steps:
    """What is done with the frames of one camera. Frames come in order; one thread calls each step."""

    def __init__(
        self,
        *,
        metadata: ModelMetadata,
        geometry: ViewGeometry,
        hysteresis: Hysteresis,
        ranger: Ranger,
        in_force: Callable[[], InForce],
        limit: Optional[int],
        read_ahead: bool,
        frames: "FrameRing[Frame]",
        slips: "FrameRing[Slip]",
        flow: Flow,
        outlet: Outlet,
        clock: Clock,
    ) -> None:
        """``metadata``: the network's; ``in_force``: what is set now; ``limit``: number of frames after which no more
        are taken; ``read_ahead``: the frames are a recording's, and wait for the network (see `let_out`); ``frames``:
        pictures and depth by PTS.
        """
        self._metadata = metadata
        self._geometry = geometry
        self._hysteresis = hysteresis
        self._ranger = ranger
        self._in_force = in_force
        #: Of the frames between `locate` and `range`, what they go by; and by what the ranger goes.
        self._goes_by: Dict[int, InForce] = {}
        self._ranger_goes_by: Optional[InForce] = None
        self._limit = limit
        self._read_ahead = read_ahead
        self._frames = frames
        self._slips = slips
        self._flow = flow
        self._outlet = outlet
        self._clock = clock
        self._taken = 0
        self._spare_tensors: List[NDArray[np.float32]] = []
        self._running: Dict[str, None] = {}

    @property
    def running(self) -> Tuple[str, ...]:
        """The steps that have begun and not ended. Any thread may ask."""
        return tuple(self._running)

    def spend(self, pts: int, stage: str) -> None:
        """Note that the frame's time until now went into ``stage``."""
        slip = self._slips.get(pts)
        if slip is not None:
            slip.spend(stage, self._clock.monotonic_ns())

    def admit(self, pts: int) -> bool:
        """Whether the frame that comes out of the first queue is searched; where not, it is counted."""
        if not self._flow.arrived(pts):
            return False
        if self._taken == self._limit:
            self._flow.dropped("surplus")
            self._flow.left(processed=False)
            return False
        self._taken += 1
        self._frames.hold(pts)
        self._slips.hold(pts)
        self.spend(pts, "wait")
        return True

    def prepare(self, pts: int, picture: NDArray[np.uint8], order: ChannelOrder) -> None:
        """Picture (H, W, 3 or 4) uint8, BGR or BGRx, to the network's input, whose channels are in ``order``."""
        slip = self._slips.get(pts)
        if slip is None:
            return
        with self._step("preprocess"):
            slip.tensor = self._spare_tensor()
            fill_tensor(scaled_crop(picture, self._geometry, order), slip.tensor)
        slip.spend("preprocess", self._clock.monotonic_ns())

    def infer(self, pts: int, network: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> None:
        """Network input to heat map, by ``network``."""
        slip = self._slips.get(pts)
        if slip is None or slip.tensor is None:
            return
        self.let_out(pts)
        with self._step("network"):
            heat = network(slip.tensor)
        self._spare_tensors.append(slip.tensor)
        slip.tensor = None
        self.heat(pts, heat)

    def let_out(self, pts: int) -> None:
        """The network takes the frame. One that was read ahead counts its age from here, and from its scaling."""
        slip = self._slips.get(pts)
        if slip is None:
            return
        slip.spend("wait", self._clock.monotonic_ns())
        if self._read_ahead:
            slip.let_out(stamp_now(self._clock))

    def heat(self, pts: int, heat: Optional[NDArray[np.float32]]) -> None:
        """The heat map that the network gave for this frame, or None where it gave none."""
        slip = self._slips.get(pts)
        if slip is None:
            return
        if heat is not None and is_probability_map(heat):
            slip.heat = heat
        else:
            self._flow.dropped("no_tensor")
        slip.spend("network", self._clock.monotonic_ns())

    def lost(self, pts: int) -> None:
        """The frame does not come any more. What is kept for it would push out what belongs to others."""
        self._frames.give_up(pts)
        self._slips.give_up(pts)

    def locate(self, pts: int) -> None:
        """Heat map to keypoints."""
        slip = self._slips.get(pts)
        if slip is None:
            return
        now = self._goes_by[pts] = self._in_force()
        with self._step("locate"):
            slip.located = _NO_TENSOR if slip.heat is None else self._search(slip.heat, now)
        slip.spend("locate", self._clock.monotonic_ns())

    def range(self, pts: int) -> None:
        """Keypoints and the depth of this very frame to persons."""
        slip, now = self._slips.get(pts), self._goes_by.pop(pts, None)
        if slip is None or slip.located is None or now is None:
            return
        if now is not self._ranger_goes_by:
            self._ranger.tune(now.depth, now.jump)
            self._ranger_goes_by = now
        frame = self._frames.get(pts)
        if frame is None:
            self._flow.dropped("unpaired")
        with self._step("range"):
            slip.persons = self._ranger.range(slip.located, frame.depth if frame else None, slip.time_ns)
        slip.spend("range", self._clock.monotonic_ns())

    def publish(self, pts: int) -> None:
        """Persons, or the reason why there are none, to the outlet; the frame ends here."""
        slip, frame = self._slips.take(pts), self._frames.take(pts)
        if slip is None or slip.located is None:
            self._flow.dropped("unknown")
            self._flow.left(processed=False)
            return
        with self._step("publish"):
            self._outlet.result(slip, slip.located, frame)
        self._flow.left(processed=True)

    def _spare_tensor(self) -> NDArray[np.float32]:
        try:
            return self._spare_tensors.pop()
        except IndexError:
            return blank_tensor(self._geometry.input_height, self._geometry.input_width)

    @contextmanager
    def _step(self, stage: str) -> Iterator[None]:
        self._running[stage] = None
        try:
            yield
        finally:
            del self._running[stage]

    def _search(self, heat: NDArray[np.float32], now: InForce) -> Located:
        about = self._metadata
        located = locate(
            heat,
            self._geometry,
            about.stride,
            threshold=now.threshold,
            max_persons=now.max_persons,
            drawn_sigma_px=about.sigma_px,
        )
        return self._hysteresis.admit(located)
