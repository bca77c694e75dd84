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
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from typing_extensions import Protocol

from nasion.errors import InputError
from nasion.mqtt.url import BrokerUrl

#: Pause before the next attempt. A broker that is not there is asked once a second, so that its return is seen at
#: once; one that refuses us, ever more seldom up to the longest pause.
RETRY_S = 1.0
LONGEST_RETRY_S = 5.0
#: An attempt to reach the broker (TCP and TLS) is given up after this time.
CONNECT_TIMEOUT_S = 5.0
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


def tls_context(broker: BrokerUrl, ca_file: Optional[str]) -> Optional[ssl.SSLContext]:
    """Certificate and host name are verified, by ``ca_file`` or the system's authorities; None without TLS."""
    if not broker.tls:
        if ca_file is not None:
            raise InputError(
                f"mqtt.ca_file is set, but {broker.redacted} is not encrypted; use mqtts:// or leave it out"
            )
        return None
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        why = "it holds none" if isinstance(error, ssl.SSLError) else error.strerror
        raise InputError(f"mqtt.ca_file {ca_file}: {why}; expected a file of CA certificates in PEM format") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def new_properties(packet: int) -> Properties:
    """MQTT 5 properties for a packet of this type."""
    return Properties(packet)  # type: ignore[no-untyped-call]


class Link:
    """``on_event`` is told once per episode that the broker is away (and why), and when it is back."""

    def __init__(
        self,
        broker: BrokerUrl,
        user: LinkUser,
        *,
        client_id: str,
        keepalive_s: int,
        ca_file: Optional[str],
        on_event: Callable[[str], None],
    ) -> None:
        self._broker = broker
        self._user = user
        self._client_id = client_id
        self._keepalive_s = keepalive_s
        self._tls = tls_context(broker, ca_file)
        self._episode = _Episode(broker.redacted, on_event)
        self._up = False
        self._refused = False
        self._why_down = ""
        self._closing = threading.Event()
        self._deadline = float("inf")
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)
        self._thread = threading.Thread(target=self._run, name=f"mqtt-{client_id}", daemon=True)

    def open(self) -> None:
        """Begin to connect; returns at once."""
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
            self._refused, self._why_down = False, ""
            was_up = self._one_connection()
            if self._closing.is_set():
                return
            self._episode.failed(self._why_down or "connection lost", was_up)
            pause = min(2 * pause, LONGEST_RETRY_S) if self._refused else RETRY_S
            self._closing.wait(pause)

    def _one_connection(self) -> bool:
        """From the attempt to the loss; whether the broker had accepted us."""
        client = self._new_client()
        was_up = False
        try:
            self._connect(client)
            self._drive(client)
        except OSError as error:
            self._why_down = _why(error)
        except Exception as error:
            # A server that does not speak MQTT makes paho raise anything; the thread must outlive it.
            self._why_down = f"the exchange failed ({type(error).__name__}: {error}); is this an MQTT 5 broker?"
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
        if self._tls is not None:
            client.tls_set_context(self._tls)
        if self._broker.username is not None:
            client.username_pw_set(self._broker.username, self._broker.password)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        self._user.prepare(client)
        return client

    def _connect(self, client: Client) -> None:
        properties = new_properties(PacketTypes.CONNECT)
        properties.SessionExpiryInterval = 0
        client.connect(self._broker.host, self._broker.port, self._keepalive_s, clean_start=True, properties=properties)

    def _drive(self, client: Client) -> None:
        while client.socket() is not None and time.monotonic() < self._deadline:
            readable = self._wait(client)
            if readable and client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            if client.want_write() and client.loop_write() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            if client.loop_misc() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            nothing_left = self._user.pump() if self._up else True
            if self._closing.is_set() and nothing_left:
                break
        client.disconnect()

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
            self._refused = True
            self._why_down = f"the broker refuses us: {reason.getName()}"
            return
        self._up = True
        self._episode.succeeded()
        self._user.up()

    def _on_disconnect(
        self, _client: Client, _data: Any, _flags: DisconnectFlags, reason: ReasonCode, _props: Optional[Properties]
    ) -> None:
        self._why_down = self._why_down or reason.getName()


class _Episode:
    """Says that the broker is away once for each cause, and that it is back."""

    def __init__(self, broker: str, on_event: Callable[[str], None]) -> None:
        self._broker = broker
        self._on_event = on_event
        self._said: Set[str] = set()
        self._since: Optional[float] = None

    def failed(self, why: str, was_up: bool) -> None:
        if self._since is None:
            self._since = time.monotonic()
        if why not in self._said:
            self._said.add(why)
            lost = "connection lost: " if was_up else ""
            self._on_event(f"broker {self._broker}: {lost}{why}; retrying")

    def succeeded(self) -> None:
        after = "" if self._since is None else f" after {time.monotonic() - self._since:.1f} s"
        self._on_event(f"broker {self._broker}: connected{after}")
        self._since = None
        self._said.clear()


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    if isinstance(error, socket.timeout):
        return f"no answer within {CONNECT_TIMEOUT_S:.0f} s"
    return error.strerror or str(error) or type(error).__name__
