"""Receives what publishers say, and refuses what a robot must not act upon; `judge` says what that is."""

from dataclasses import dataclass
from typing import Any, Callable, Dict, Optional, Set, Type, TypeVar, Union

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions
from pydantic import BaseModel, ValidationError

from nasion.errors import InputError
from nasion.messages import SCHEMA_VERSION, PersonMessage, StatusMessage
from nasion.messages.person import DepthSeen, PersonEntry
from nasion.mqtt.access import find_access
from nasion.mqtt.judge import LIMITS_MS, MAX_BYTES, Gate, Message, Now, Verdict, read_boot_id, read_now
from nasion.mqtt.link import Link
from nasion.mqtt.topics import ANY_CAMERA, PERSON, STATUS, split_topic, topic
from nasion.mqtt.url import NO_BROKER
from nasion.settings import MqttSettings, checked_name

STOP_TIMEOUT_S = 0.5
#: Names can be made up without end; so many are followed, the first ones.
MOST_CAMERAS = 64


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
    """What must not be acted upon; ``cause``: one of `judge.CODES`. ``camera``: `+` where it is none that is heard."""

    camera: str
    cause: str
    detail: str


Heard = Union[Accepted, Refused, StatusMessage]
Known = TypeVar("Known", bound=BaseModel)


class Judges:
    """Judges what arrives for one camera, or for all under a prefix, each by a `Gate` of its own. Pure."""

    def __init__(
        self, prefix: str, camera: Optional[str] = None, *, max_age_ms: float, boot_id: Optional[str] = None
    ) -> None:
        """``max_age_ms``: what is older is refused, whatever its sender says; ``boot_id``: this host's."""
        self.counts: Dict[str, int] = {"accepted": 0}
        self._prefix = prefix
        self._camera = camera
        self._max_age_ms = min(max(max_age_ms, LIMITS_MS[0]), LIMITS_MS[1])
        self._boot_id = boot_id
        self._gates: Dict[str, Gate] = {}
        if camera is not None:
            self._gate(camera)

    def hear(self, name: str, retained: bool, payload: bytes, now: Now) -> Heard:
        """The verdict on what arrived on topic ``name``; a status, which has no age, as it is."""
        try:
            heard = self._hear(name, retained, payload, now)
        except Exception as error:
            heard = Refused(ANY_CAMERA, "error", f"{type(error).__name__} in the receiver")
        if not isinstance(heard, StatusMessage):
            code = heard.cause if isinstance(heard, Refused) else "accepted"
            self.counts[code] = self.counts.get(code, 0) + 1
        return heard

    def _hear(self, name: str, retained: bool, payload: bytes, now: Now) -> Heard:
        camera, kind = split_topic(self._prefix, name) or ("", "")
        gate = self._gate(camera)
        if gate is None or kind not in {PERSON, STATUS}:
            expected = topic(self._prefix, self._camera or ANY_CAMERA, PERSON)
            return Refused(ANY_CAMERA, "other_topic", f"expected {expected}, of {MOST_CAMERAS} cameras at most")
        if kind == STATUS:
            return judge_status(camera, payload)
        verdict = gate.judge(name, retained, payload, now)
        if verdict.message is None:
            return Refused(camera, verdict.code, verdict.detail)
        return self._accepted(camera, verdict, verdict.message, now)

    def _gate(self, camera: str) -> Optional[Gate]:
        """The camera's; None of one that is not asked for, has no name for a camera, or is one too many."""
        if camera not in self._gates and len(self._gates) < MOST_CAMERAS and self._camera in {None, camera}:
            try:
                checked_name(camera)
            except ValueError:
                return None
            self._gates[camera] = Gate(self._prefix, camera, max_age_ms=self._max_age_ms, boot_id=self._boot_id)
        return self._gates.get(camera)

    def _accepted(self, camera: str, verdict: Verdict, told: Message, now: Now) -> Union[Accepted, Refused]:
        known = _known(PersonMessage, told)
        known["persons"] = [
            {**_known(PersonEntry, person), "depth": _known(DepthSeen, person["depth"])} for person in told["persons"]
        ]
        try:
            message = PersonMessage.model_validate(known)
        except ValidationError as error:
            return Refused(camera, "malformed", _first_fault(error))
        age_ms = verdict.age_ms or 0.0
        if message.boot_id is not None and message.boot_id == self._boot_id:
            return Accepted(message, age_ms)
        return Accepted(message, age_ms, now.utc_ns / 1e6 - message.published_at * 1e3)


def judge_status(camera: str, payload: bytes) -> Union[StatusMessage, Refused]:
    """The status that arrived on ``camera``'s topic. It is retained, so its age is no matter."""
    if len(payload) > MAX_BYTES:
        return Refused(camera, "too_large", f"{len(payload)} bytes; expected at most {MAX_BYTES}")
    try:
        message = StatusMessage.model_validate_json(payload, strict=True)
    except ValidationError as error:
        return Refused(camera, "malformed", _first_fault(error))
    if message.schema_version != SCHEMA_VERSION:
        detail = f"schema {message.schema_version}; this receiver reads {SCHEMA_VERSION}"
        return Refused(camera, "other_schema", detail)
    if message.camera != camera:
        return Refused(camera, "other_camera", f"camera {message.camera!r} on the topic of {camera!r}")
    return message


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
        on_heard: Callable[[Heard], None],
        on_event: Callable[[str], None],
        camera: Optional[str] = None,
        now: Callable[[], Now] = read_now,
    ) -> None:
        """What is older than ``settings.max_age_ms`` is refused, whatever its sender says; ``now``: this instant."""
        access = find_access(settings)
        if access is None:
            raise InputError(f"a receiver needs a broker; expected mqtt://host:port, not {NO_BROKER!r}")
        self._prefix = settings.prefix
        self._camera = camera or ANY_CAMERA
        self._judges = Judges(settings.prefix, camera, max_age_ms=settings.max_age_ms, boot_id=read_boot_id())
        self._now = now
        self._on_heard = on_heard
        self._on_event = on_event
        self._client: Optional[Client] = None
        self._link = Link(access, self, client_id=client_id, keepalive_s=settings.keepalive_s, on_event=on_event)

    def start(self) -> None:
        """Begin to connect; returns at once."""
        self._link.open()

    def stop(self) -> None:
        """Disconnect; nothing is handed on afterwards."""
        self._link.close(STOP_TIMEOUT_S)

    def counters(self) -> Dict[str, int]:
        """How many messages were accepted, and refused for which cause."""
        return dict(self._judges.counts)

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
        try:
            name = arrived.topic
        except UnicodeDecodeError:
            # No publisher of ours can have said it.
            name = ""
        self._on_heard(self._judges.hear(name, arrived.retain, bytes(arrived.payload), self._now()))


def _known(kind: Type[Known], told: Dict[str, Any]) -> Dict[str, Any]:
    """What this version knows of an object: a newer publisher may say more."""
    names: Set[str] = {field.alias or name for name, field in kind.model_fields.items()}
    return {key: value for key, value in told.items() if key in names}


def _first_fault(error: ValidationError) -> str:
    """The first thing that is wrong, in one line."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(step) for step in fault["loc"])
    text = f"{place}: {fault['msg']}" if place else fault["msg"]
    # Keys are anybody's, and a terminal obeys control characters.
    return "".join(sign if sign.isprintable() else "?" for sign in " ".join(text.split())[:200])
