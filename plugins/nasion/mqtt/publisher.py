"""Publishes what a camera sees. Freshness is its promise: nothing older than ``max_age_ms`` is handed to the broker.

One message is in flight at a time; its acknowledgement is the clock. While it is awaited, the newest result waits in a
slot and replaces the one before. Of a broker that freezes, only the message in flight can therefore arrive late.
Nothing waits for ever, also where a round trip takes longer than a frame, so that a `person` always waits: `status` and
`info` go first, then `stats`, which wait for no acknowledgement and delay nobody; answers to `set/` take turns with
`person`. Pictures go over a connection of their own.
"""

import math
import threading
from collections import Counter
from typing import Any, Callable, Dict, List, Optional, Set, Tuple, Union

from paho.mqtt.client import Client
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from nasion.core.results import FrameReason
from nasion.events import Event
from nasion.messages import (
    InfoMessage,
    Message,
    PersonMessage,
    ProcessState,
    SourceState,
    SourceStats,
    StatsMessage,
    StatusMessage,
)
from nasion.mqtt.access import Access, find_access
from nasion.mqtt.images import ImageSender, Picture
from nasion.mqtt.link import Link, new_properties
from nasion.mqtt.namesakes import Namesakes
from nasion.mqtt.publishing import COUNTERS, NoPublisher, Publisher
from nasion.mqtt.remote import Answer, Desk, Remote
from nasion.mqtt.samples import Samples
from nasion.mqtt.topics import INFO, PERSON, STATE, STATS, STATUS, topic
from nasion.settings import MqttSettings
from nasion.sources.frame import Clock

#: How long `stop` waits for the broker to take the last messages.
STOP_TIMEOUT_S = 1.0
#: The broker does not hand on `stats` that waited longer.
STATS_EXPIRY_S = 2

#: What a connection that is away costs, as COUNTERS names it.
MISSED = ("replaced", "stale", "lost")


def open_publisher(
    settings: MqttSettings, *, camera: str, session: str, clock: Clock, on_event: Callable[[str], None]
) -> Publisher:
    """The publisher of one camera; a URL of ``none`` gives one that sends nothing. InputError as of `find_access`."""
    access = find_access(settings)
    if access is None:
        return NoPublisher()
    return MqttPublisher(settings, access, camera=camera, session=session, clock=clock, on_event=on_event)


class MqttPublisher:
    """The publisher of one camera over a connection of its own, because the last will belongs to a connection."""

    wanted = True

    def __init__(
        self,
        settings: MqttSettings,
        access: Access,
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
        self._counts_when_lost: Counter[str] = Counter()
        self.lately = Samples()
        self._slot: Optional[Tuple[PersonMessage, int]] = None
        self._stats: Optional[StatsMessage] = None
        self._info: Optional[InfoMessage] = None
        self._info_due = False
        self._process: ProcessState = "online"
        self._source: SourceState = "ok"
        self._episodes: Counter[str] = Counter()
        self._status_due = False
        self._newest_ns: Optional[int] = None
        self._desk: Optional[Desk] = None
        #: Kind of what is in flight and of what was before, its topic, and of a `person` when its picture was taken.
        self._in_flight: Optional[str] = None
        self._in_flight_before: Optional[str] = None
        self._in_flight_topic = ""
        self._in_flight_captured_ns = 0
        self._refusals_said: Set[str] = set()
        self._namesakes = Namesakes(
            settings.prefix,
            camera,
            session,
            on_first=lambda: self._count("duplicates"),
            on_say=self._say_status,
            on_event=self._say,
        )
        self._will = self._status("offline", "lost")
        # The same name on every connection: the broker then ends the old one before it accepts the new one, and our
        # last will cannot arrive after our `online`.
        self._client: Optional[Client] = None
        self._link = Link(
            access,
            self,
            client_id=f"nasion-{camera}-{session}",
            keepalive_s=settings.keepalive_s,
            on_event=self._say,
        )
        self._images = ImageSender(
            access,
            settings,
            camera=camera,
            session=session,
            clock=clock,
            on_event=self._say,
            on_outcome=self._count,
        )

    def start(self) -> None:
        self._link.open()

    def publish(self, message: PersonMessage, captured_monotonic_ns: int) -> None:
        with self._lock:
            self._counts["offered"] += 1
            if self._process != "online":
                self._counts["unsent"] += 1
                return
            if message.reason != FrameReason.NO_FRAME:
                self._newest_ns = captured_monotonic_ns
            if self._slot is not None:
                self._counts["replaced"] += 1
            self._slot = (message, captured_monotonic_ns)
        self._link.wake()

    def source_state(self, state: SourceState) -> None:
        with self._lock:
            if state != self._source:
                self._status_due = True
                self._episodes[state] += 1
            self._source = state
        self._link.wake()

    def info(self, message: InfoMessage) -> None:
        with self._lock:
            self._info, self._info_due = message, True
        self._link.wake()

    def stats(self, message: StatsMessage) -> None:
        with self._lock:
            self._stats = message
        self._link.wake()

    def source_stats(self) -> SourceStats:
        with self._lock:
            newest_ns = self._newest_ns
            return SourceStats(
                state=self._source,
                lost=self._episodes["lost"],
                reconnecting=self._episodes["reconnecting"],
                newest_age_ms=None if newest_ns is None else (self._clock.monotonic_ns() - newest_ns) / 1e6,
            )

    def image(self, picture: Picture) -> None:
        self._images.offer(picture)

    def image_skipped(self) -> None:
        self._count("images_skipped")

    def obey(self, remote: Remote) -> None:
        self._desk = Desk(remote, self._settings.prefix, self._camera, on_outcome=self._count, on_event=self._say)

    def stop(self, *, failed: bool = False) -> None:
        with self._lock:
            self._process = "offline" if failed else "stopped"
            self._status_due = True
            self._stats = None
        self._link.close(STOP_TIMEOUT_S)
        self._images.stop()
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
        client.on_subscribe = self._on_subscribe
        self._namesakes.prepare(client)
        if self._desk is not None:
            self._desk.prepare(client)
        client.will_set(self._topic(STATUS), self._will.to_json(), qos=1, retain=True)

    def up(self) -> None:
        with self._lock:
            self._status_due = True
            self._info_due = self._info is not None
            # They tell of an instant that is gone.
            self._stats = None
            self._counts["connections"] += 1
            missed = {name: self._counts[name] - self._counts_when_lost[name] for name in MISSED}
        if any(missed.values()):
            self._say("not sent meanwhile: " + ", ".join(f"{count} {name}" for name, count in missed.items() if count))
        self._refusals_said.clear()
        self._namesakes.up()
        if self._desk is not None:
            self._desk.up()

    def down(self) -> None:
        with self._lock:
            self._counts_when_lost = self._counts.copy()
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

    def _next_due(self) -> Optional[Union[Message, Answer]]:
        """What is sent now. `online` precedes everything, `stopped` follows everything; stale messages end here.

        Who leaves has little time: only who waits is still told something.
        """
        with self._lock:
            leaving = self._process != "online"
            if self._status_due and not leaving:
                return self._status_now()
            if self._info_due and not leaving:
                self._info_due = False
                return self._info
            if self._stats is not None:
                stats, self._stats = self._stats, None
                return stats
            turn = self._slot is None or self._in_flight_before == PERSON
            answer = self._desk.next(leaving=leaving) if self._desk is not None and turn else None
            if answer is not None:
                return answer
            while self._slot is not None:
                message, self._in_flight_captured_ns = self._slot
                self._slot = None
                age_ms = self._age_ms()
                if age_ms <= self._settings.max_age_ms:
                    self._counts["sent"] += 1
                    self.lately.add("sent", age_ms)
                    return message
                self._counts["stale"] += 1
            return self._status_now() if self._status_due else None

    def _send(self, client: Client, due: Union[Message, Answer]) -> None:
        properties = new_properties(PacketTypes.PUBLISH)
        where = None
        if isinstance(due, PersonMessage):
            properties.MessageExpiryInterval = math.ceil(self._settings.max_age_ms / 1000)
            due = due.model_copy(update={"published_at": self._clock.utc_ns() / 1e9})
            kind, qos, retain = PERSON, self._settings.qos, False
        elif isinstance(due, StatsMessage):
            properties.MessageExpiryInterval = STATS_EXPIRY_S
            kind, qos, retain = STATS, 0, False
        elif isinstance(due, Answer):
            if due.correlation is not None:
                properties.CorrelationData = due.correlation
            kind, qos, retain, where, due = STATE, 1, due.retain, due.topic, due.message
        else:
            kind, qos, retain = STATUS if isinstance(due, StatusMessage) else INFO, 1, True
        self._in_flight = kind
        if kind != STATS:
            # They take nobody's turn.
            self._in_flight_before = kind
        self._in_flight_topic = where or self._topic(kind)
        client.publish(self._in_flight_topic, due.to_json(), qos=qos, retain=retain, properties=properties)

    def _age_ms(self) -> float:
        return (self._clock.monotonic_ns() - self._in_flight_captured_ns) / 1e6

    def _on_publish(
        self, _client: Client, _data: Any, _mid: int, reason: ReasonCode, _properties: Optional[Properties]
    ) -> None:
        kind, self._in_flight = self._in_flight, None
        if kind == PERSON:
            with self._lock:
                self._counts["refused" if reason.is_failure else "acknowledged"] += 1
            if not reason.is_failure:
                self.lately.add("acknowledged", self._age_ms())
        if reason.is_failure and kind is not None and kind not in self._refusals_said:
            self._refusals_said.add(kind)
            self._say(f"the broker refuses {self._in_flight_topic}: {reason.getName()}")

    def _on_subscribe(
        self, _client: Client, _data: Any, mid: int, verdicts: List[ReasonCode], _properties: Optional[Properties]
    ) -> None:
        self._namesakes.subscribed(mid, verdicts)
        if self._desk is not None:
            self._desk.subscribed(mid, verdicts)

    def _say_status(self) -> None:
        """Once more, unless it was the last time."""
        with self._lock:
            self._status_due = self._status_due or self._process == "online"

    def _count(self, outcome: str) -> None:
        with self._lock:
            self._counts[outcome] += 1

    def _status_now(self) -> StatusMessage:
        self._status_due = False
        return self._status(self._process, self._source)

    def _status(self, process: ProcessState, source: SourceState) -> StatusMessage:
        return StatusMessage(
            session=self._session,
            camera=self._camera,
            process=process,
            source=source,
            duplicate=bool(self._namesakes),
            at=self._clock.utc_ns() / 1e9,
        )

    def _topic(self, kind: str) -> str:
        return topic(self._settings.prefix, self._camera, kind)

    def _say(self, text: str) -> None:
        self._on_event(Event(self._camera, text))
