"""The way out of one camera: messages get their number here, then go to the callback, the broker and the pictures."""

import threading
from array import array
from collections import Counter
from typing import Callable, Dict, Mapping, Optional, Sequence, Tuple

from nasion.core.compose import person_message
from nasion.core.results import FrameReason, Located, Person
from nasion.core.views import ViewGeometry
from nasion.messages import PersonMessage
from nasion.mqtt.boot import read_boot_id
from nasion.mqtt.publishing import Publisher
from nasion.pipeline.pictures import Pictures
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
        pictures: Pictures,
        geometry: ViewGeometry,
    ) -> None:
        self._camera = camera
        self._session = session
        self._max_age_ms = max_age_ms
        self._clock = clock
        self._publisher = publisher
        self._on_message = on_message
        self._video = video
        self._pictures = pictures
        self._geometry = geometry
        self._seq = 0
        self._boot_id = read_boot_id()
        self._persons: Counter[str] = Counter()
        self._spent_ms: Dict[str, _Latest] = {}
        self._lock = threading.Lock()

    def result(self, slip: Slip, located: Located, frame: Optional[Frame]) -> None:
        """A searched frame. ``frame`` is None where it was lost on the way; it then misses in the video."""
        with self._lock:
            message = self._send(slip.stamp, slip.recorded_ns, located, slip.persons, slip.latency_ms())
            if self._video is not None and frame is not None:
                self._video.write(draw(frame.picture, message, heat=slip.heat, geometry=self._heat_geometry(slip)))
            if frame is not None:
                self._pictures.offer(frame.picture, message, slip.heat, slip.stamp.monotonic_ns)
            slip.spend("publish", self._clock.monotonic_ns())
            for stage, spent in slip.latency_ms().items():
                self._spent_ms.setdefault(stage, _Latest(_LATEST)).append(spent)
                self._publisher.lately.add(stage, spent)

    def nobody(self, reason: FrameReason, stamp: Stamp, recorded_ns: Optional[int]) -> None:
        """A frame that could not be searched."""
        with self._lock:
            age_ms = (self._clock.monotonic_ns() - stamp.monotonic_ns) / 1e6
            self._send(stamp, recorded_ns, Located((), reason, None), (), {"total": age_ms})

    def persons(self) -> Dict[str, int]:
        """How many were seen so far, by the reason why they have no position; "" for those who have."""
        with self._lock:
            return dict(self._persons)

    def spent_ms(self) -> Dict[str, Sequence[float]]:
        """Milliseconds of the latest frames by stage, in no order."""
        with self._lock:
            return {stage: samples.values() for stage, samples in self._spent_ms.items()}

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
        ).stamped(stamp.monotonic_ns, self._boot_id)
        self._seq += 1
        self._persons.update(person.reason.value if person.reason else "" for person in persons)
        self._publisher.publish(message, stamp.monotonic_ns)
        self._on_message(message)
        return message


class _Latest:
    """The latest numbers, in no order: as they are asked for every second, a copy must cost little."""

    def __init__(self, kept: int) -> None:
        self._kept = kept
        self._values = array("d")
        self._oldest = 0

    def append(self, value: float) -> None:
        if len(self._values) < self._kept:
            self._values.append(value)
            return
        self._values[self._oldest] = value
        self._oldest = (self._oldest + 1) % self._kept

    def values(self) -> Sequence[float]:
        return self._values[:]
