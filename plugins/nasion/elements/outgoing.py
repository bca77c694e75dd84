"""The steps of `nasionoverlay` and `nasionpublish`: results to a drawn picture and to messages."""

import uuid
from typing import Callable, Dict, Optional, Set

import numpy as np
from numpy.typing import NDArray

from nasion.core.compose import person_message
from nasion.core.results import FrameReason, Located
from nasion.elements.records import Camera, Look, Record
from nasion.errors import InputError
from nasion.messages import InfoMessage, PersonMessage
from nasion.mqtt.access import find_access
from nasion.mqtt.boot import read_boot_id
from nasion.mqtt.publisher import open_publisher
from nasion.mqtt.publishing import Publisher
from nasion.pipeline.report import info_message
from nasion.settings import MqttSettings, RunSettings
from nasion.show.overlay import draw, draw_located
from nasion.sources.clock import stamp_now
from nasion.sources.frame import Clock


def drawn(picture: NDArray[np.uint8], record: Record, clock: Clock) -> NDArray[np.uint8]:
    """Annotated copy, (H, W, 3) BGR, of ``picture``; what is not known, as the distance without depth, is left out."""
    slip = record.slip
    if slip.located is None:
        raise InputError("nobody has searched this picture; put nasioninfer ! nasionlocate before it")
    geometry = record.look.geometry if record.look is not None and slip.heat is not None else None
    if not record.ranged:
        return draw_located(picture, slip.located, heat=slip.heat, geometry=geometry)
    message = _message(record, "", MqttSettings().max_age_ms, clock)
    return draw(picture, message, heat=slip.heat, geometry=geometry)


class Outgoing:
    """Publishes what cameras see: `person`, and with it `status` and `info`. One thread calls it."""

    def __init__(self, settings: RunSettings, *, clock: Clock, on_event: Callable[[str], None]) -> None:
        """InputError as of `find_access`."""
        find_access(settings.mqtt)
        self._settings = settings
        self._clock = clock
        self._on_event = on_event
        self._session = uuid.uuid4().hex[:12]
        self._boot_id = read_boot_id()
        self._publishers: Dict[Camera, Publisher] = {}
        self._introduced: Set[Camera] = set()

    def send(self, record: Record) -> PersonMessage:
        """The message of a searched picture; InputError where distances or the camera are not known."""
        if record.camera is None or not record.ranged:
            raise InputError("no distances are known of this picture; put nasionrange before it")
        publisher = self._publisher_of(record.camera)
        if record.camera not in self._introduced and record.look is not None:
            self._introduced.add(record.camera)
            publisher.info(self._info(record, record.camera, record.look))
        return self._publish(record, publisher)

    def nobody(self, record: Record, reason: FrameReason) -> Optional[PersonMessage]:
        """The message of a frame that could not be searched."""
        if record.camera is None:
            return None
        record.slip.located = Located((), reason, None)
        return self._publish(record, self._publisher_of(record.camera))

    def close(self) -> Dict[str, Dict[str, int]]:
        """Send what waits and is fresh, say `stopped`; of each camera by name, what became of its messages."""
        counters = {}
        for camera, publisher in self._publishers.items():
            publisher.stop()
            counters[camera.about.name] = publisher.counters()
        self._publishers, self._introduced = {}, set()
        return counters

    def _publisher_of(self, camera: Camera) -> Publisher:
        if camera not in self._publishers:
            self._publishers[camera] = open_publisher(
                self._settings.mqtt,
                camera=camera.about.name,
                session=self._session,
                clock=self._clock,
                on_event=self._on_event,
            )
            self._publishers[camera].start()
        return self._publishers[camera]

    def _info(self, record: Record, camera: Camera, look: Look) -> InfoMessage:
        about = {
            "view": look.view,
            "depth": camera.depth,
            "threshold": record.threshold,
            "max_persons": record.max_persons,
        }
        return info_message(
            camera.about,
            self._settings.model_copy(update=about),
            source=camera.source,
            model=look.model,
            session=self._session,
            stamp=stamp_now(self._clock),
            boot_id=self._boot_id,
            engine=look.engine,
        )

    def _publish(self, record: Record, publisher: Publisher) -> PersonMessage:
        stamp = record.slip.stamp
        message = _message(record, self._session, self._settings.mqtt.max_age_ms, self._clock)
        message = message.stamped(stamp.monotonic_ns, self._boot_id)
        publisher.publish(message, stamp.monotonic_ns)
        return message


def _message(record: Record, session: str, max_age_ms: float, clock: Clock) -> PersonMessage:
    slip, camera = record.slip, record.camera
    assert slip.located is not None
    assert camera is not None
    slip.spend("wait", clock.monotonic_ns())
    return person_message(
        slip.located,
        slip.persons,
        session=session,
        seq=record.numbered(),
        camera=camera.about.name,
        frame_id=camera.about.frame_id,
        captured_ns=slip.stamp.utc_ns,
        recorded_ns=slip.recorded_ns,
        published_at_ns=clock.utc_ns(),
        max_age_ms=max_age_ms,
        latency_ms=slip.latency_ms(),
    )
