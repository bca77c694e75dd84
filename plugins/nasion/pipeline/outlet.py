"""The way out of one camera: messages get their number here, then go to the callback, the broker and the video."""

import threading
from collections import deque
from typing import Callable, Deque, Dict, Mapping, Optional, Tuple

from nasion.core.compose import person_message
from nasion.core.results import FrameReason, Located, Person
from nasion.core.views import ViewGeometry
from nasion.messages import PersonMessage
from nasion.mqtt.publisher import Publisher
from nasion.pipeline.slip import Slip
from nasion.settings import CameraSettings
from nasion.show.overlay import draw
from nasion.show.video import AnnotatedVideo
from nasion.sources.frame import Clock, Frame, Stamp

#: Latencies are those of the latest frames: ten minutes at 30 fps.
_LATEST = 18_000


class Outlet:
    """Sends what a camera has to say, in order; any thread may call."""

    def __init__(
        self,
        camera: CameraSettings,
        *,
        session: str,
        max_age_ms: float,
        clock: Clock,
        publisher: Publisher,
        on_message: Callable[[PersonMessage], None],
        video: Optional[AnnotatedVideo],
        geometry: ViewGeometry,
    ) -> None:
        self._camera = camera
        self._session = session
        self._max_age_ms = max_age_ms
        self._clock = clock
        self._publisher = publisher
        self._on_message = on_message
        self._video = video
        self._geometry = geometry
        self._seq = 0
        self._spent_ms: Dict[str, Deque[float]] = {}
        self._lock = threading.Lock()

    def result(self, slip: Slip, located: Located, frame: Optional[Frame]) -> None:
        """A searched frame. ``frame`` is None where it was lost on the way; it then misses in the video."""
        with self._lock:
            message = self._send(slip.stamp, slip.recorded_ns, located, slip.persons, slip.latency_ms())
            if self._video is not None and frame is not None:
                self._video.write(draw(frame.picture, message, heat=slip.heat, geometry=self._heat_geometry(slip)))
            slip.spend("publish", self._clock.monotonic_ns())
            for stage, spent in slip.latency_ms().items():
                self._spent_ms.setdefault(stage, deque(maxlen=_LATEST)).append(spent)

    def nobody(self, reason: FrameReason, stamp: Stamp, recorded_ns: Optional[int]) -> None:
        """A frame that could not be searched."""
        with self._lock:
            age_ms = (self._clock.monotonic_ns() - stamp.monotonic_ns) / 1e6
            self._send(stamp, recorded_ns, Located((), reason, None), (), {"total": age_ms})

    def spent_ms(self) -> Dict[str, Tuple[float, ...]]:
        """Milliseconds of the latest frames by stage."""
        with self._lock:
            return {stage: tuple(samples) for stage, samples in self._spent_ms.items()}

    def _heat_geometry(self, slip: Slip) -> Optional[ViewGeometry]:
        return None if slip.heat is None else self._geometry

    def _send(
        self,
        stamp: Stamp,
        recorded_ns: Optional[int],
        located: Located,
        persons: Tuple[Person, ...],
        latency_ms: Mapping[str, float],
    ) -> PersonMessage:
        message = person_message(
            located,
            persons,
            session=self._session,
            seq=self._seq,
            camera=self._camera.name,
            frame_id=self._camera.frame_id,
            captured_ns=stamp.utc_ns,
            recorded_ns=recorded_ns,
            published_at_ns=self._clock.utc_ns(),
            max_age_ms=self._max_age_ms,
            latency_ms=latency_ms,
        )
        self._seq += 1
        self._publisher.publish(message, stamp.monotonic_ns)
        self._on_message(message)
        return message
