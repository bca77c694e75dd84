"""Topic `image`: pictures, over a connection of their own, so that no `person` message waits behind a large one.

The newest waits in a slot. It is sent when the one before is written, or not at all: what has grown too old is skipped.
"""

import math
import threading
from dataclasses import dataclass
from typing import Any, Callable, Optional

from paho.mqtt.client import Client
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from nasion.mqtt.access import Access
from nasion.mqtt.link import Link, new_properties
from nasion.mqtt.topics import IMAGE, topic
from nasion.settings import MqttSettings
from nasion.sources.frame import Clock

_STOP_TIMEOUT_S = 0.2


@dataclass(frozen=True)
class Picture:
    """``jpeg``: the file's bytes; ``seq``: that of the `person` message it shows; when it was taken, on both clocks."""

    jpeg: bytes
    seq: int
    captured_ns: str
    captured_monotonic_ns: int


class ImageSender:
    """Connects with the first picture. ``on_outcome``: told ``images_sent`` or ``images_skipped`` of each."""

    def __init__(
        self,
        access: Access,
        settings: MqttSettings,
        *,
        camera: str,
        session: str,
        clock: Clock,
        on_event: Callable[[str], None],
        on_outcome: Callable[[str], None],
    ) -> None:
        self._access = access
        self._settings = settings
        self._camera = camera
        self._session = session
        self._clock = clock
        self._on_event = on_event
        self._on_outcome = on_outcome
        self._lock = threading.Lock()
        self._link: Optional[Link] = None
        self._client: Optional[Client] = None
        self._slot: Optional[Picture] = None
        self._in_flight = False
        self._stopped = False

    def offer(self, picture: Picture) -> None:
        """Send this one, or a newer one. Any thread may call."""
        with self._lock:
            skipped = self._stopped or self._slot is not None
            if not self._stopped:
                self._slot = picture
                self._link = self._link or self._opened()
        if skipped:
            self._on_outcome("images_skipped")
        if self._link is not None:
            self._link.wake()

    def stop(self) -> None:
        """Disconnect; what waits is skipped."""
        with self._lock:
            self._stopped = True
            waiting, self._slot = self._slot, None
        if waiting is not None:
            self._on_outcome("images_skipped")
        if self._link is not None:
            self._link.close(_STOP_TIMEOUT_S)

    def _opened(self) -> Link:
        link = Link(
            self._access,
            self,
            client_id=f"nasion-{self._camera}-{self._session}-{IMAGE}",
            keepalive_s=self._settings.keepalive_s,
            on_event=lambda text: self._on_event(f"{IMAGE}: {text}"),
        )
        link.open()
        return link

    # What the link calls, from its own thread.

    def prepare(self, client: Client) -> None:
        self._client = client
        client.on_publish = self._on_publish

    def up(self) -> None: ...

    def down(self) -> None:
        self._in_flight = False

    def pump(self) -> bool:
        if self._in_flight or self._client is None:
            return False
        with self._lock:
            picture, self._slot = self._slot, None
        if picture is None:
            return True
        age_ms = (self._clock.monotonic_ns() - picture.captured_monotonic_ns) / 1e6
        if age_ms > self._settings.max_age_ms:
            self._on_outcome("images_skipped")
            return True
        properties = new_properties(PacketTypes.PUBLISH)
        properties.MessageExpiryInterval = math.ceil(self._settings.max_age_ms / 1000)
        properties.ContentType = "image/jpeg"
        properties.UserProperty = [
            ("session", self._session),
            ("seq", str(picture.seq)),
            ("captured_ns", picture.captured_ns),
        ]
        self._in_flight = True
        where = topic(self._settings.prefix, self._camera, IMAGE)
        self._client.publish(where, picture.jpeg, qos=0, properties=properties)
        return False

    def _on_publish(
        self, _client: Client, _data: Any, _mid: int, _reason: ReasonCode, _properties: Optional[Properties]
    ) -> None:
        self._in_flight = False
        self._on_outcome("images_sent")
