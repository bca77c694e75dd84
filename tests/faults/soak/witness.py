"""Plain paho that notes all a broker hands on, with its age; not our own receiver.

Its session outlives the broker's death (the broker is told to keep it, see `stage.Broker`), so that what the broker
takes while the witness is away is still handed to it: whatever it never hears was never taken.
"""

from __future__ import annotations

import threading
import time
from typing import Any, NamedTuple

from nasion.messages import PersonMessage, StatsMessage, StatusMessage
from nasion.mqtt.boot import read_boot_id
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

#: How long the broker keeps the session of a witness that is away.
SESSION_S = 86_400
#: A witness is back this soon after the broker.
RETRY_S = 0.02


class Seen(NamedTuple):
    """A `person` message as it arrived; times are monotonic nanoseconds."""

    at_ns: int
    captured_ns: int
    seq: int
    max_age_ms: float
    published_at: float
    reason: str | None
    persons: int
    positions: int
    latency_ms: dict[str, float]

    @property
    def age_ms(self) -> float:
        return (self.at_ns - self.captured_ns) / 1e6

    @property
    def fresh(self) -> bool:
        return self.age_ms <= self.max_age_ms


class Said(NamedTuple):
    """A `status` as it arrived."""

    at_ns: int
    process: str
    source: str
    duplicate: bool


class Witness:
    """Hears everything under ``prefix`` of one camera on a port of this machine."""

    def __init__(self, port: int, topic: str = "nasion/cam0") -> None:
        self._port, self._topic = port, topic
        self._boot_id = read_boot_id()
        self.persons: list[Seen] = []
        #: Messages that came again: a session that is kept repeats what it did not see acknowledged.
        self.repeated = 0
        self._known: set[tuple[str, int]] = set()
        self.statuses: list[Said] = []
        self.stats: StatsMessage | None = None
        #: Messages that are not what the contract says.
        self.faults: list[str] = []
        self._ending = threading.Event()
        self._subscribed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="witness", daemon=True)

    def start(self) -> None:
        """Returns once it is subscribed."""
        self._thread.start()
        if not self._subscribed.wait(30):
            raise RuntimeError("the broker does not let the witness subscribe")

    def end(self) -> None:
        self._ending.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._ending.is_set():
            client = Client(
                CallbackAPIVersion.VERSION2,
                client_id="witness",
                protocol=MQTTProtocolVersion.MQTTv5,
                reconnect_on_failure=False,
            )
            client.on_connect = lambda client, *_: client.subscribe(f"{self._topic}/#", qos=1)
            client.on_subscribe = lambda *_: self._subscribed.set()
            client.on_message = self._note
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_S
            try:
                client.connect("127.0.0.1", self._port, 60, clean_start=False, properties=properties)
            except OSError:
                time.sleep(RETRY_S)
                continue
            while client.loop(0.05) == 0 and not self._ending.is_set():
                pass
            client.disconnect()

    def _note(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        at_ns, kind = time.monotonic_ns(), message.topic.rpartition("/")[2]
        try:
            if kind == "person":
                self._person(at_ns, PersonMessage.model_validate_json(message.payload, strict=True))
            elif kind == "status":
                told = StatusMessage.model_validate_json(message.payload, strict=True)
                self.statuses.append(Said(at_ns, told.process, told.source, told.duplicate))
            elif kind == "stats":
                self.stats = StatsMessage.model_validate_json(message.payload, strict=True)
        except ValueError as error:
            self.faults.append(f"{message.topic}: {error}")

    def _person(self, at_ns: int, message: PersonMessage) -> None:
        if message.boot_id != self._boot_id or message.monotonic_ns is None:
            self.faults.append(f"{self._topic}/person: no monotonic stamp of this boot")
            return
        if (message.session, message.seq) in self._known:
            self.repeated += 1
            return
        self._known.add((message.session, message.seq))
        self.persons.append(
            Seen(
                at_ns,
                int(message.monotonic_ns),
                message.seq,
                message.max_age_ms,
                message.published_at,
                message.reason,
                len(message.persons),
                sum(person.valid for person in message.persons),
                message.latency_ms,
            )
        )
