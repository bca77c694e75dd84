"""One MQTT 5 connection, kept up by a thread of its own for as long as the link is open.

paho is driven from here, through its interface for outer event loops, and not by its own thread, for two reasons. Its
thread sends again, after a loss, what was in flight before it, however old that has become; here every connection has
a new client, so nothing outlives a loss. And its thread calls ``on_publish`` while it holds the lock that ``publish``
takes; here all of paho runs in one thread, and nobody waits for it.
"""

import select
import socket
import ssl
import threading
import time
from contextlib import suppress
from typing import Any, Callable, Optional, Set

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion, LogLevel, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from typing_extensions import Protocol

from nasion.mqtt import reasons
from nasion.mqtt.access import Access
from nasion.mqtt.reasons import Why

#: Pause before the next attempt. A broker that is not there is asked once a second, so that its return is seen at
#: once; one that refuses us, or that we refuse, ever more seldom up to the longest pause.
RETRY_S = 1.0
LONGEST_RETRY_S = 5.0
#: An attempt to reach the broker (TCP and TLS) is given up after this time.
CONNECT_TIMEOUT_S = 5.0
#: How long a broker's verdict on our certificate is waited for; one that has no objection says so at once.
VERDICT_S = 0.5
#: How paho's log begins to tell of a connection that broke, whether in reading or in writing.
_SOCKET_FAILED = "failed to receive on socket: "
#: Longest sleep of the thread; keepalive is checked this often (its shortest setting is 1 s).
TICK_S = 0.25


class LinkUser(Protocol):
    """What the link serves. All methods are called from the link's thread."""

    def prepare(self, client: Client) -> None:
        """A new client, not yet connected: keep it, set the last will and the callbacks for messages."""

    def up(self) -> None:
        """The broker has accepted us."""

    def pump(self) -> bool:
        """Send what is due; called after every event. True when nothing is left to send or to be acknowledged."""

    def down(self) -> None:
        """The connection is gone, and with it what was in flight."""


def new_properties(packet: int) -> Properties:
    """MQTT 5 properties for a packet of this type."""
    return Properties(packet)  # type: ignore[no-untyped-call]


class Link:
    """``on_event`` is told once per episode that the broker is away (and why), and when it is back."""

    def __init__(
        self,
        access: Access,
        user: LinkUser,
        *,
        client_id: str,
        keepalive_s: int,
        on_event: Callable[[str], None],
    ) -> None:
        self._access = access
        self._user = user
        self._client_id = client_id
        self._keepalive_s = keepalive_s
        self._episode = _Episode(access.broker.redacted, on_event)
        self._up = False
        self._why: Optional[Why] = None
        #: What the system and MQTT said of the end, the latest of either.
        self._system_said = ""
        self._mqtt_said: Optional[str] = None
        self._closing = threading.Event()
        self._deadline = float("inf")
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)
        self._thread = threading.Thread(target=self._run, name=f"mqtt-{client_id}", daemon=True)

    def open(self) -> None:
        """Begin to connect; returns at once."""
        for notice in self._access.notices:
            self._episode.say(notice)
        self._thread.start()

    @property
    def connected(self) -> bool:
        """Whether the broker has accepted us and has not been lost since."""
        return self._up

    def wake(self) -> None:
        """Something may be due; ``pump`` is called soon. Never blocks; any thread may call it."""
        if self._up:
            # It fails where enough unread wake-ups wait already, or the link was closed this instant.
            with suppress(OSError):
                self._wake_writer.send(b"\0")

    def close(self, timeout_s: float) -> None:
        """Let ``pump`` finish for at most ``timeout_s``, then disconnect in order; no last will is sent."""
        self._deadline = time.monotonic() + timeout_s
        self._closing.set()
        self.wake()
        if self._thread.is_alive():
            # An attempt to connect may take longer; the thread is a daemon and ends itself after it.
            self._thread.join(timeout_s + 2 * TICK_S)
        if not self._thread.is_alive():
            self._wake_reader.close()
            self._wake_writer.close()

    def _run(self) -> None:
        pause = RETRY_S
        while not self._closing.is_set():
            self._why, self._system_said, self._mqtt_said = None, "", None
            was_up = self._one_connection()
            if self._closing.is_set():
                return
            why = self._why or reasons.ended(self._system_said, self._mqtt_said, self._access, answered=was_up)
            self._episode.failed(why.text, was_up)
            pause = min(2 * pause, LONGEST_RETRY_S) if why.lasting else RETRY_S
            self._closing.wait(pause)

    def _one_connection(self) -> bool:
        """From the attempt to the loss; whether the broker had accepted us."""
        client = self._new_client()
        was_up = False
        try:
            self._connect(client)
            self._drive(client)
        except OSError as error:
            self._why = reasons.not_reached(error, self._access, CONNECT_TIMEOUT_S)
        except Exception as error:
            # A server that does not speak MQTT makes paho raise anything; the thread must outlive it.
            self._why = reasons.not_mqtt(error)
        finally:
            left_open = client.socket()
            if left_open is not None:
                left_open.close()
            was_up, self._up = self._up, False
            if was_up:
                self._user.down()
        return was_up

    def _new_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        broker = self._access.broker
        if self._access.tls is not None:
            client.tls_set_context(self._access.tls)
        if broker.username is not None:
            client.username_pw_set(broker.username, broker.password)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_log = self._on_log
        client.on_socket_open = _hear_verdict
        self._user.prepare(client)
        return client

    def _connect(self, client: Client) -> None:
        properties = new_properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 0
        broker = self._access.broker
        client.connect(broker.host, broker.port, self._keepalive_s, clean_start=True, properties=properties)

    def _drive(self, client: Client) -> None:
        while client.socket() is not None and time.monotonic() < self._deadline:
            readable = self._wait(client)
            if readable and client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            if client.want_write() and client.loop_write() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            if client.loop_misc() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            # Who is about to be accepted waits for it: what a short run has to say would not be heard at all.
            nothing_left = self._up and self._user.pump()
            if self._closing.is_set() and nothing_left:
                client.disconnect()
                return
        # Not everything could be said: the broker, once it can, shall say our last will.

    def _wait(self, client: Client) -> bool:
        """Sleep until the socket, a wake-up or the tick; whether the socket is readable."""
        connection: Any = client.socket()
        # What TLS has decrypted already no longer shows in the socket.
        if hasattr(connection, "pending") and connection.pending() > 0:
            return True
        poll = select.poll()
        poll.register(self._wake_reader, select.POLLIN)
        poll.register(connection, select.POLLIN | (select.POLLOUT if client.want_write() else 0))
        events = dict(poll.poll(TICK_S * 1000))
        if self._wake_reader.fileno() in events:
            self._wake_reader.recv(4096)
        return bool(events.get(connection.fileno(), 0) & ~select.POLLOUT)

    def _on_connect(
        self, _client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _properties: Optional[Properties]
    ) -> None:
        if reason.is_failure:
            self._why = reasons.refused(reason, self._access)
            return
        self._up = True
        self._episode.succeeded()
        self._user.up()

    def _on_disconnect(
        self, _client: Client, _data: Any, _flags: DisconnectFlags, reason: ReasonCode, _props: Optional[Properties]
    ) -> None:
        self._mqtt_said = reason.getName()

    def _on_log(self, _client: Client, _data: Any, level: int, text: str) -> None:
        """paho tells only its log what the socket said when a connection ends."""
        if level == LogLevel.MQTT_LOG_ERR and text.startswith(_SOCKET_FAILED):
            self._system_said = text[len(_SOCKET_FAILED) :]


def _hear_verdict(_client: Client, _data: Any, connection: Any) -> None:
    """Before the first word over TLS: ssl.SSLError where the broker refuses our certificate, or that we show none.

    TLS 1.3 lets us finish before the broker has judged it. A broker that ends the connection then ends also what we
    write, and paho reads nothing after a failed writing: the reason would be lost.
    """
    if not isinstance(connection, ssl.SSLSocket) or connection.version() != "TLSv1.3":
        return
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    if poll.poll(VERDICT_S * 1000):
        # What a content broker sends here, session tickets, is no data.
        with suppress(ssl.SSLWantReadError):
            connection.recv(1)


class _Episode:
    """Says that the broker is away once for each cause, and that it is back."""

    def __init__(self, broker: str, on_event: Callable[[str], None]) -> None:
        self._broker = broker
        self._on_event = on_event
        self._said: Set[str] = set()
        self._since: Optional[float] = None

    def say(self, text: str) -> None:
        self._on_event(f"broker {self._broker}: {text}")

    def failed(self, why: str, was_up: bool) -> None:
        if self._since is None:
            self._since = time.monotonic()
        if why not in self._said:
            self._said.add(why)
            lost = "connection lost: " if was_up else ""
            self.say(f"{lost}{why}; retrying")

    def succeeded(self) -> None:
        after = "" if self._since is None else f" after {time.monotonic() - self._since:.1f} s"
        self.say(f"connected{after}")
        self._since = None
        self._said.clear()
