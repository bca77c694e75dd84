"""What a camera's way out is: its promises, what becomes of the messages, and the way out that leads nowhere."""

from typing import Dict, Optional

from typing_extensions import Protocol

from nasion.messages import InfoMessage, PersonMessage, SourceState, SourceStats, StatsMessage
from nasion.mqtt.images import Picture
from nasion.mqtt.remote import Remote
from nasion.mqtt.samples import Samples

#: What becomes of a `person` message, and of the rest. Once stopped, offered = sent + replaced + stale + unsent and
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
    "images_sent": "pictures written to the connection of `image`",
    "images_skipped": "pictures that were due, but too old or without a connection, or a newer one took their place",
    "requests_obeyed": "messages on `set/` that are in force",
    "requests_refused": "messages on `set/` that are not, for the reason that was answered",
    "requests_ignored": "retained messages on `set/`",
    "requests_unanswered": "answers to `set/` that were not sent: too many waited, or to a response topic of ours",
    "connections": "how often the broker has accepted us; each time but the first it was away before",
    "duplicates": "how often another program was heard that publishes under this camera's name",
}


class Publisher(Protocol):
    """One camera's way out. No method blocks or raises, except that ``stop`` waits briefly."""

    #: What took how long lately, for `stats`: the stages of the frames and the ages of the messages.
    lately: Samples
    #: False where nobody can hear: nothing need be said.
    wanted: bool

    @property
    def connected(self) -> Optional[bool]:
        """Whether the broker has accepted us and has not been lost since; None where none is wanted."""

    def start(self) -> None:
        """Begin to connect; the broker is tried for ever."""

    def publish(self, message: PersonMessage, captured_monotonic_ns: int) -> None:
        """Send this message, or a newer one. Any thread may call."""

    def source_state(self, state: SourceState) -> None:
        """Say in ``status`` how the source fares."""

    def info(self, message: InfoMessage) -> None:
        """Say this in ``info``, now and on every new connection, in place of what was said before."""

    def stats(self, message: StatsMessage) -> None:
        """Say this in ``stats`` at the next turn, before a `person` that waits; a newer one takes its place."""

    def source_stats(self) -> SourceStats:
        """How the source has fared so far."""

    def image(self, picture: Picture) -> None:
        """Send this picture on `image`, or a newer one, or none where it would be late."""

    def image_skipped(self) -> None:
        """A picture was due and was not made."""

    def obey(self, remote: Remote) -> None:
        """Hear `set/`, and answer what ``remote`` says; before ``start``."""

    def stop(self, *, failed: bool = False) -> None:
        """Send what waits and is fresh, say ``stopped`` (``offline`` where the program ``failed``), disconnect."""

    def counters(self) -> Dict[str, int]:
        """What became of the messages so far; the keys of ``COUNTERS``."""


class NoPublisher:
    """No broker is wanted."""

    wanted = False
    connected = None

    def __init__(self) -> None:
        self.lately = Samples()

    def start(self) -> None: ...

    def publish(self, message: PersonMessage, captured_monotonic_ns: int) -> None: ...

    def source_state(self, state: SourceState) -> None: ...

    def info(self, message: InfoMessage) -> None: ...

    def stats(self, message: StatsMessage) -> None: ...

    def source_stats(self) -> SourceStats:
        return SourceStats(state="ok", lost=0, reconnecting=0, newest_age_ms=None)

    def image(self, picture: Picture) -> None: ...

    def image_skipped(self) -> None: ...

    def obey(self, remote: Remote) -> None: ...

    def stop(self, *, failed: bool = False) -> None: ...

    def counters(self) -> Dict[str, int]:
        return dict.fromkeys(COUNTERS, 0)
