"""Receives what publishers say, and refuses what a robot must not act upon: stale, from the future, malformed."""

from dataclasses import dataclass
from typing import Any, Callable, Dict, Optional, Tuple, Type, TypeVar, Union

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions
from pydantic import ValidationError
from typing_extensions import Literal

from nasion.errors import InputError
from nasion.messages import SCHEMA_VERSION, PersonMessage, StatusMessage
from nasion.mqtt.access import find_access
from nasion.mqtt.boot import read_boot_id
from nasion.mqtt.link import Link
from nasion.mqtt.topics import ANY_CAMERA, PERSON, STATUS, split_topic, topic
from nasion.mqtt.url import NO_BROKER
from nasion.settings import MqttSettings
from nasion.sources.frame import Clock

#: A picture from the future means that the clocks disagree; so little is forgiven to hosts kept together by NTP.
FUTURE_TOLERANCE_MS = 50.0

STOP_TIMEOUT_S = 0.5

OfCamera = TypeVar("OfCamera", PersonMessage, StatusMessage)

Cause = Literal["stale", "future", "malformed"]


@dataclass(frozen=True)
class Now:
    """The instant of an arrival on both clocks of the host whose boot is ``boot_id`` (None: it has no id)."""

    utc_ns: int
    monotonic_ns: int = 0
    boot_id: Optional[str] = None


@dataclass(frozen=True)
class Accepted:
    """A message that may be acted upon; ``age_ms`` is the picture's age on arrival.

    ``offset_ms``: from its publishing to its arrival, by the wall clocks of two hosts: the way plus what the clocks
    differ by. Where it is not small, or below 0, the clocks disagree. None on one host: its monotonic clock was used.
    """

    message: PersonMessage
    age_ms: float
    offset_ms: Optional[float] = None


@dataclass(frozen=True)
class Refused:
    """A message that must not be acted upon, and why."""

    camera: str
    cause: Cause
    detail: str


Heard = Union[Accepted, Refused, StatusMessage]


def judge_person(camera: str, payload: bytes, now: Now) -> Union[Accepted, Refused]:
    """Whether a message that arrived on ``camera``'s topic at ``now`` may be acted upon.

    Its age is told by the monotonic clock where publisher and receiver are of one boot, else by the wall clocks.
    """
    message = _read(PersonMessage, camera, payload)
    if isinstance(message, Refused):
        return message
    age_ms, offset_ms = _age_and_offset_ms(message, now)
    apparent = ""
    if offset_ms is not None and abs(offset_ms) > FUTURE_TOLERANCE_MS:
        apparent = f" (published {offset_ms:.0f} ms ago by the hosts' wall clocks)"
    if age_ms > message.max_age_ms:
        return Refused(camera, "stale", f"{age_ms:.0f} ms old, max_age_ms is {message.max_age_ms:.0f}{apparent}")
    if age_ms < -FUTURE_TOLERANCE_MS:
        return Refused(camera, "future", f"captured {-age_ms:.0f} ms from now; the hosts' clocks disagree{apparent}")
    return Accepted(message, age_ms, offset_ms)


def _age_and_offset_ms(message: PersonMessage, now: Now) -> Tuple[float, Optional[float]]:
    if message.monotonic_ns is not None and message.boot_id == now.boot_id:
        return (now.monotonic_ns - int(message.monotonic_ns)) / 1e6, None
    return (now.utc_ns - int(message.captured_ns)) / 1e6, now.utc_ns / 1e6 - message.published_at * 1e3


def judge_status(camera: str, payload: bytes) -> Union[StatusMessage, Refused]:
    """The status that arrived on ``camera``'s topic. It is retained, so its age is no matter."""
    return _read(StatusMessage, camera, payload)


class Receiver:
    """Subscribes to one camera, or to all, and hands on what it hears, judged.

    ``on_heard`` and ``on_event`` are called from the receiver's thread. The broker is tried for ever, and subscribed to
    anew after every loss.
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        client_id: str,
        clock: Clock,
        on_heard: Callable[[Heard], None],
        on_event: Callable[[str], None],
        camera: Optional[str] = None,
        boot_id: Optional[str] = None,
    ) -> None:
        """``boot_id``: that of this host; default: what the kernel says."""
        access = find_access(settings)
        if access is None:
            raise InputError(f"a receiver needs a broker; expected mqtt://host:port, not {NO_BROKER!r}")
        self._prefix = settings.prefix
        self._camera = camera or ANY_CAMERA
        self._clock = clock
        self._boot_id = boot_id or read_boot_id()
        self._on_heard = on_heard
        self._on_event = on_event
        self._counts = {"accepted": 0, "stale": 0, "future": 0, "malformed": 0}
        self._client: Optional[Client] = None
        self._link = Link(access, self, client_id=client_id, keepalive_s=settings.keepalive_s, on_event=on_event)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._link.open()

    def stop(self) -> None:
        """Disconnect; nothing is handed on afterwards."""
        self._link.close(STOP_TIMEOUT_S)

    def counters(self) -> Dict[str, int]:
        """How many `person` messages were accepted, and refused for which cause."""
        return dict(self._counts)

    # What the link calls, from its own thread.

    def prepare(self, client: Client) -> None:
        self._client = client
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe

    def up(self) -> None:
        if self._client is not None:
            # `person` with QoS 0: a message that is late need not be brought again.
            self._client.subscribe(
                [
                    (topic(self._prefix, self._camera, PERSON), SubscribeOptions(qos=0)),
                    (topic(self._prefix, self._camera, STATUS), SubscribeOptions(qos=1)),
                ]
            )

    def pump(self) -> bool:
        return True

    def down(self) -> None: ...

    def _on_subscribe(
        self, _client: Client, _data: Any, _mid: int, reasons: Any, _properties: Optional[Properties]
    ) -> None:
        refusals = {reason.getName() for reason in reasons if isinstance(reason, ReasonCode) and reason.is_failure}
        for refusal in sorted(refusals):
            self._on_event(f"the broker refuses the subscription to {self._prefix}/{self._camera}/…: {refusal}")

    def _on_message(self, _client: Client, _data: Any, arrived: MQTTMessage) -> None:
        ours = split_topic(self._prefix, arrived.topic)
        if ours is None:
            return
        camera, kind = ours
        payload = bytes(arrived.payload)
        if kind == STATUS:
            self._on_heard(judge_status(camera, payload))
            return
        now = Now(self._clock.utc_ns(), self._clock.monotonic_ns(), self._boot_id)
        heard = judge_person(camera, payload, now)
        self._counts[heard.cause if isinstance(heard, Refused) else "accepted"] += 1
        self._on_heard(heard)


def _read(kind: Type[OfCamera], camera: str, payload: bytes) -> Union[OfCamera, Refused]:
    try:
        message = kind.model_validate_json(payload, strict=True)
    except ValidationError as error:
        return Refused(camera, "malformed", _first_fault(error))
    if message.schema_version != SCHEMA_VERSION:
        return Refused(camera, "malformed", f"schema: {message.schema_version}; this receiver reads {SCHEMA_VERSION}")
    if message.camera != camera:
        return Refused(camera, "malformed", f"camera: {message.camera!r} in the message, {camera!r} in the topic")
    return message


def _first_fault(error: ValidationError) -> str:
    """The first thing that is wrong, in one line."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(step) for step in fault["loc"])
    text = f"{place}: {fault['msg']}" if place else fault["msg"]
    return " ".join(text.split())
