"""Whether another program speaks for the same camera: two of one name write the same topics.

Each hears the camera's `status`, which both of them write. Who hears a new one says its own once more, so that the new
one knows too; and again when the other goes, whose farewell would otherwise stay with the broker in the name of both.
"""

import json
from typing import Any, Callable, List, Optional, Set, Tuple

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.subscribeoptions import SubscribeOptions

from nasion.mqtt.topics import STATUS, topic

#: More than so many are not told apart: nobody is to fill our memory with made-up sessions.
MOST = 16
_LONGEST_SESSION = 64


class Namesakes:
    """Of one camera, as far as they are heard over the present connection. Only the connection's thread calls, except
    that any may ask whether there is one.

    ``on_first``: another one appeared where there was none; ``on_say``: our own `status` must be said once more.
    """

    def __init__(
        self,
        prefix: str,
        camera: str,
        session: str,
        *,
        on_first: Callable[[], None],
        on_say: Callable[[], None],
        on_event: Callable[[str], None],
    ) -> None:
        self._name = f"{prefix}/{camera}"
        self._topic = topic(prefix, camera, STATUS)
        self._session = session
        self._on_first = on_first
        self._on_say = on_say
        self._on_event = on_event
        self._others: Set[str] = set()
        self._client: Optional[Client] = None
        self._asked: Optional[int] = None

    def __bool__(self) -> bool:
        return bool(self._others)

    def prepare(self, client: Client) -> None:
        """A new connection."""
        self._client = client
        client.message_callback_add(self._topic, self._hear)

    def up(self) -> None:
        """The broker has accepted us; what was known of before may be gone."""
        self._others.clear()
        if self._client is not None:
            # What is retained may be of a dead session; one that lives answers our `online`.
            options = SubscribeOptions(qos=1, noLocal=True, retainHandling=SubscribeOptions.RETAIN_DO_NOT_SEND)
            _, self._asked = self._client.subscribe(self._topic, options=options)

    def subscribed(self, mid: int, verdicts: List[Any]) -> None:
        """The broker's answer to a subscription, perhaps to ours."""
        if mid == self._asked and any(verdict.is_failure for verdict in verdicts):
            self._on_event(f"the broker does not let us hear {self._topic}; another program there goes unnoticed")

    def _hear(self, _client: Client, _data: Any, arrived: MQTTMessage) -> None:
        said = _read(bytes(arrived.payload))
        if said is None or arrived.retain:
            return
        session, online = said
        if online:
            self._come(session)
        else:
            self._go(session)

    def _come(self, session: str) -> None:
        if session in self._others or session == self._session or len(self._others) >= MOST:
            return
        if not self._others:
            self._on_first()
            self._on_event(
                f"duplicate camera: another program (session {session!r}) publishes as {self._name}, too; "
                "give each camera its own name, or each robot its own prefix"
            )
        self._others.add(session)
        self._on_say()

    def _go(self, session: str) -> None:
        """Also of who was never heard before, killed before we came, say, whose last will comes now."""
        if session in self._others:
            self._others.remove(session)
            if not self._others:
                self._on_event(f"duplicate camera: we are the only one again that publishes as {self._name}")
        self._on_say()


def _read(payload: bytes) -> Optional[Tuple[str, bool]]:
    """Session and whether it is online, also of a version that is not ours; None where it is no `status`."""
    try:
        said = json.loads(payload)
        session, process = said["session"], said["process"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return (session[:_LONGEST_SESSION], process == "online") if isinstance(session, str) else None
