"""Publishes what a camera sees. Freshness is its promise: nothing older than ``max_age_ms`` is handed to the broker.

One message is in flight at a time; its acknowledgement is the clock. While it is awaited, the newest result waits in a
slot and replaces the one before. Of a broker that freezes, only the message in flight can therefore arrive late.
"""

import math
import threading
from collections import Counter
from typing import Any, Callable, Dict, Optional, Tuple, Union

from paho.mqtt.client import Client
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from typing_extensions import Literal, Protocol

from nasion.messages import PersonMessage, StatusMessage
from nasion.mqtt.link import Link, new_properties
from nasion.mqtt.topics import PERSON, STATUS, topic
from nasion.mqtt.url import BrokerUrl, parse_broker_url
from nasion.settings import MqttSettings
from nasion.sources.frame import Clock

SourceState = Literal["ok", "reconnecting", "lost"]

#: How long `stop` waits for the broker to take the last messages.
STOP_TIMEOUT_S = 1.0

#: What becomes of a message. Once stopped, offered = sent + replaced + stale + unsent and
#: sent = acknowledged + refused + lost.
COUNTERS = {
    "offered": "given to `publish`",
    "sent": "handed to the broker's connection",
    "acknowledged": "taken by the broker (with QoS 0: written to the connection)",
    "refused": "answered by the broker with a failure",
    "lost": "in flight when the connection was lost; not sent again",
    "replaced": "a newer message took its place before it could be sent",
    "stale": "older than max_age_ms when its turn came",
    "unsent": "still waiting when the publisher stopped, or given to it later",
}


class Publisher(Protocol):
    """One camera's way out. No method blocks or raises, except that ``stop`` waits briefly."""

    def start(self) -> None:
        """Begin to connect; the broker is tried for ever."""

    def publish(self, message: PersonMessage, captured_monotonic_ns: int) -> None:
        """Send this message, or a newer one. Any thread may call."""

    def source_state(self, state: SourceState) -> None:
        """Say in ``status`` how the source fares."""

    def stop(self) -> None:
        """Send what waits and is fresh, say ``stopped``, disconnect."""

    def counters(self) -> Dict[str, int]:
        """What became of the messages so far; the keys of ``COUNTERS``."""


def open_publisher(
    settings: MqttSettings, *, camera: str, session: str, clock: Clock, on_event: Callable[[str], None]
) -> Publisher:
    """The publisher of one camera; a URL of ``none`` gives one that sends nothing. InputError for a bad URL or CA."""
    broker = parse_broker_url(settings.url)
    if broker is None:
        return NoPublisher()
    return MqttPublisher(settings, broker, camera=camera, session=session, clock=clock, on_event=on_event)


class NoPublisher:
    """No broker is wanted."""

    def start(self) -> None: ...

    def publish(self, message: PersonMessage, captured_monotonic_ns: int) -> None: ...

    def source_state(self, state: SourceState) -> None: ...

    def stop(self) -> None: ...

    def counters(self) -> Dict[str, int]:
        return dict.fromkeys(COUNTERS, 0)


class MqttPublisher:
    """The publisher of one camera over a connection of its own, because the last will belongs to a connection."""

    def __init__(
        self,
        settings: MqttSettings,
        broker: BrokerUrl,
        *,
        camera: str,
        session: str,
        clock: Clock,
        on_event: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._camera = camera
        self._session = session
        self._clock = clock
        self._on_event = on_event
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._slot: Optional[Tuple[PersonMessage, int]] = None
        self._process: Literal["online", "stopped"] = "online"
        self._source: SourceState = "ok"
        self._status_due = False
        self._in_flight: Optional[str] = None
        self._refusal_said = False
        self._will = self._status("offline", "lost")
        # The same name on every connection: the broker then ends the old one before it accepts the new one, and our
        # last will cannot arrive after our `online`.
        self._client: Optional[Client] = None
        self._link = Link(
            broker,
            self,
            client_id=f"nasion-{camera}-{session}",
            keepalive_s=settings.keepalive_s,
            ca_file=settings.ca_file,
            on_event=self._say,
        )

    def start(self) -> None:
        self._link.open()

    def publish(self, message: PersonMessage, captured_monotonic_ns: int) -> None:
        with self._lock:
            self._counts["offered"] += 1
            if self._process == "stopped":
                self._counts["unsent"] += 1
                return
            if self._slot is not None:
                self._counts["replaced"] += 1
            self._slot = (message, captured_monotonic_ns)
        self._link.wake()

    def source_state(self, state: SourceState) -> None:
        with self._lock:
            self._status_due = self._status_due or state != self._source
            self._source = state
        self._link.wake()

    def stop(self) -> None:
        with self._lock:
            self._process = "stopped"
            self._status_due = True
        self._link.close(STOP_TIMEOUT_S)
        with self._lock:
            if self._slot is not None:
                self._slot = None
                self._counts["unsent"] += 1

    def counters(self) -> Dict[str, int]:
        with self._lock:
            return {name: self._counts[name] for name in COUNTERS}

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us and has not been lost since."""
        return self._link.connected

    # What the link calls, from its own thread.

    def prepare(self, client: Client) -> None:
        self._client = client
        client.on_publish = self._on_publish
        client.will_set(self._topic(STATUS), self._will.to_json(), qos=1, retain=True)

    def up(self) -> None:
        with self._lock:
            self._status_due = True
        self._refusal_said = False

    def down(self) -> None:
        with self._lock:
            if self._in_flight == PERSON:
                self._counts["lost"] += 1
            self._in_flight = None

    def pump(self) -> bool:
        while self._client is not None and self._in_flight is None:
            due = self._next_due()
            if due is None:
                return True
            self._send(self._client, due)
        return False

    def _next_due(self) -> Optional[Union[PersonMessage, StatusMessage]]:
        """What is sent now. `online` precedes everything, `stopped` follows everything; stale messages end here."""
        with self._lock:
            if self._status_due and not (self._process == "stopped" and self._slot is not None):
                self._status_due = False
                return self._status(self._process, self._source)
            if self._slot is None:
                return None
            message, captured_monotonic_ns = self._slot
            self._slot = None
            age_ms = (self._clock.monotonic_ns() - captured_monotonic_ns) / 1e6
            if age_ms <= self._settings.max_age_ms:
                self._counts["sent"] += 1
                return message
            self._counts["stale"] += 1
        return self._next_due()

    def _send(self, client: Client, due: Union[PersonMessage, StatusMessage]) -> None:
        if isinstance(due, StatusMessage):
            self._in_flight = STATUS
            client.publish(self._topic(STATUS), due.to_json(), qos=1, retain=True)
            return
        properties = new_properties(PacketTypes.PUBLISH)
        properties.MessageExpiryInterval = math.ceil(self._settings.max_age_ms / 1000)
        self._in_flight = PERSON
        stamped = due.model_copy(update={"published_at": self._clock.utc_ns() / 1e9})
        client.publish(self._topic(PERSON), stamped.to_json(), qos=self._settings.qos, properties=properties)

    def _on_publish(
        self, _client: Client, _data: Any, _mid: int, reason: ReasonCode, _properties: Optional[Properties]
    ) -> None:
        kind, self._in_flight = self._in_flight, None
        if kind == PERSON:
            with self._lock:
                self._counts["refused" if reason.is_failure else "acknowledged"] += 1
        if reason.is_failure and not self._refusal_said:
            self._refusal_said = True
            self._say(f"the broker refuses {self._topic(kind or PERSON)}: {reason.getName()}")

    def _status(self, process: Literal["online", "stopped", "offline"], source: SourceState) -> StatusMessage:
        return StatusMessage(
            session=self._session,
            camera=self._camera,
            process=process,
            source=source,
            at=self._clock.utc_ns() / 1e9,
        )

    def _topic(self, kind: str) -> str:
        return topic(self._settings.prefix, self._camera, kind)

    def _say(self, text: str) -> None:
        self._on_event(f"{self._camera}: {text}")
