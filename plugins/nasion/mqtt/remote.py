"""Requests on `set/<key>` and where their answers go. What is answered is the ``Remote``'s to say.

To everybody on `state/<key>`; and, where the request names one (MQTT 5), to its response topic. Both carry its
correlation data.
"""

from collections import deque
from dataclasses import dataclass
from typing import Any, Callable, Deque, List, Optional

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.subscribeoptions import SubscribeOptions
from typing_extensions import Protocol

from nasion.messages import StateMessage
from nasion.mqtt.topics import SET, STATE, topic

#: So many answers wait at most; of more, the oldest go.
MAX_WAITING = 64
#: What is asked for under a longer name is answered under its beginning.
_LONGEST_KEY = 64


class Remote(Protocol):
    """What can be set. Called from the connection's thread; must not block."""

    def ask(self, key: str, payload: bytes, *, retained: bool) -> StateMessage:
        """Obey, or not; what is in force now."""

    def states(self) -> List[StateMessage]:
        """What is in force, key by key."""


@dataclass(frozen=True)
class Answer:
    """A state on its way to ``topic``. ``asked``: somebody waits for it; else it only says what is in force."""

    topic: str
    message: StateMessage
    retain: bool
    correlation: Optional[bytes] = None
    asked: bool = True


class Desk:
    """Takes the requests of one camera and has their answers ready. Only the connection's thread calls.

    ``on_outcome``: told ``requests_…`` of each, as counted in `publishing.COUNTERS`.
    """

    def __init__(
        self,
        remote: Remote,
        prefix: str,
        camera: str,
        *,
        on_outcome: Callable[[str], None],
        on_event: Callable[[str], None],
    ) -> None:
        self._remote = remote
        self._prefix = f"{prefix}/"
        self._set = topic(prefix, camera, f"{SET}/")
        self._state = topic(prefix, camera, f"{STATE}/")
        self._on_outcome = on_outcome
        self._on_event = on_event
        self._client: Optional[Client] = None
        self._asked: Optional[int] = None
        self._answers: Deque[Answer] = deque()

    def prepare(self, client: Client) -> None:
        """A new connection."""
        self._client = client
        client.on_message = self._hear

    def up(self) -> None:
        """The broker has accepted us: hear all that is set, say what is in force."""
        self._answers = deque(
            Answer(f"{self._state}{state.key}", state, retain=True, asked=False) for state in self._remote.states()
        )
        if self._client is not None:
            # Retained requests then come with their flag, also those that are said only now.
            options = SubscribeOptions(qos=1, retainAsPublished=True)
            _, self._asked = self._client.subscribe(f"{self._set}+", options=options)

    def subscribed(self, mid: int, verdicts: List[Any]) -> None:
        """The broker's answer to a subscription, perhaps to ours."""
        for verdict in verdicts if mid == self._asked else ():
            if verdict.is_failure:
                self._on_event(f"the broker lets nobody set anything: {verdict.getName()}")

    def next(self, *, leaving: bool = False) -> Optional[Answer]:
        """The oldest answer that waits; ``leaving``: the oldest that somebody waits for, and no other any more."""
        while self._answers:
            answer = self._answers.popleft()
            if answer.asked or not leaving:
                return answer
        return None

    def _hear(self, _client: Client, _data: Any, arrived: MQTTMessage) -> None:
        if not arrived.topic.startswith(self._set):
            return
        key = arrived.topic[len(self._set) :]
        state = self._remote.ask(key, bytes(arrived.payload), retained=arrived.retain)
        self._on_outcome("requests_" + ("ignored" if arrived.retain else "obeyed" if state.accepted else "refused"))
        correlation: Optional[bytes] = getattr(arrived.properties, "CorrelationData", None)
        # What was refused is not retained: what stays with the broker is what is in force.
        self._answer(Answer(f"{self._state}{key[:_LONGEST_KEY]}", state, state.accepted, correlation))
        response: Optional[str] = getattr(arrived.properties, "ResponseTopic", None)
        if response is None:
            return
        # Among our own topics, `person`, say, an answer would be taken for something else.
        if not response or response.startswith(self._prefix) or set(response) & set("+#"):
            self._on_outcome("requests_unanswered")
        else:
            self._answer(Answer(response, state, False, correlation))

    def _answer(self, answer: Answer) -> None:
        self._answers.append(answer)
        if len(self._answers) > MAX_WAITING:
            self._answers.popleft()
            self._on_outcome("requests_unanswered")
