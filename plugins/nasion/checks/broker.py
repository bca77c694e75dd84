"""Whether the broker is there and takes us: a real MQTT 5 connection, as a run makes it."""

import os
import socket
import threading
from typing import Any, Optional

from paho.mqtt.client import Client
from paho.mqtt.reasoncodes import ReasonCode

from nasion.checks.subject import Subject
from nasion.checks.verdict import Verdict, fail, in_two, ok, skipped, warn
from nasion.errors import InputError
from nasion.mqtt.access import Access, find_access
from nasion.mqtt.link import Link
from nasion.mqtt.reasons import not_reached

#: A broker on the robot's network answers in milliseconds.
TIMEOUT_S = 3.0
#: How long the good-bye may take.
_CLOSE_S = 0.5

#: MQTT 5 reason codes: bad user name or password, not authorized, banned, bad authentication method.
_ABOUT_US = (0x86, 0x87, 0x8A, 0x8C)

_REACH = "start it, or correct the address; or this machine's network does not lead there"
_TRUST = "mqtt.ca_file names the authority of its certificate; the address has to be a name that is in it"
_WHO = (
    "give a user name and password that it knows: mqtt.username and mqtt.password_file; "
    "mosquitto_passwd makes them known there"
)
_MQTT = "it has to be an MQTT 5 broker; mqtts:// is for a port with TLS, mqtt:// for one without"


def broker(subject: Subject) -> Verdict:
    """Reach it, then TLS, then who we are: each failure says which step it is."""
    settings = subject.settings.mqtt
    access = find_access(settings)
    if access is None:
        return skipped("broker", "no broker is wanted (none)")
    address = access.broker.redacted
    failed = _reach(access) or _trust(access) or _greet(access, settings.keepalive_s)
    if failed is not None:
        return failed
    encrypted = "" if access.tls is None else ", over TLS"
    if access.notices:
        notice, told = in_two(access.notices[0])
        remedy = told or "name the authority of its certificate in mqtt.ca_file, and leave mqtt.insecure out"
        return warn("broker", f"{address} takes us{encrypted}, but {notice}", remedy)
    return ok("broker", f"{address} takes us {access.identity.partition(';')[0]}{encrypted}")


def _reach(access: Access) -> Optional[Verdict]:
    try:
        _connect(access).close()
    except OSError as error:
        return _failed("not reached", not_reached(error, access, TIMEOUT_S).text, access, _REACH)
    return None


def _trust(access: Access) -> Optional[Verdict]:
    if access.tls is None:
        return None
    try:
        with _connect(access) as plain, access.tls.wrap_socket(plain, server_hostname=access.broker.host):
            return None
    except OSError as error:
        why = not_reached(error, access, TIMEOUT_S).text
        return _failed("TLS fails", why, access, _TRUST, InputError.exit_code)


def _greet(access: Access, keepalive_s: int) -> Optional[Verdict]:
    greeting = _Greeting(access.broker.redacted)
    link = Link(
        access,
        greeting,
        client_id=f"nasion-check-{os.getpid()}",
        keepalive_s=keepalive_s,
        on_event=greeting.event,
    )
    link.open()
    answered = greeting.over.wait(TIMEOUT_S)
    link.close(_CLOSE_S)
    if greeting.accepted:
        return None
    if greeting.refusal is not None and greeting.refusal.value in _ABOUT_US:
        name = access.broker.redacted
        return fail("broker", f"{name}: credentials: {greeting.why.replace('; ', ', ')}", _WHO, InputError.exit_code)
    why = greeting.why if answered else f"no answer to our greeting within {TIMEOUT_S:.0f} s"
    return _failed("no MQTT answer" if greeting.refusal is None else "refused", why, access, _MQTT)


class _Greeting:
    """What comes of the first attempt; see `LinkUser`."""

    def __init__(self, address: str) -> None:
        self._before, self._after = f"broker {address}: ", "; retrying"
        self.over = threading.Event()
        self.accepted = False
        self.refusal: Optional[ReasonCode] = None
        self.why = ""

    def prepare(self, client: Client) -> None:
        answer: Any = client.on_connect

        def on_connect(client: Client, data: Any, flags: Any, reason: ReasonCode, properties: Any) -> None:
            if reason.is_failure:
                self.refusal = reason
            answer(client, data, flags, reason, properties)

        client.on_connect = on_connect

    def up(self) -> None:
        self.accepted = True
        self.over.set()

    def pump(self) -> bool:
        return True

    def down(self) -> None: ...

    def event(self, text: str) -> None:
        """Notices come before the attempt; what comes of it ends with what the link does next."""
        if text.endswith(self._after) and not self.over.is_set():
            self.why = text[len(self._before) : -len(self._after)]
            self.over.set()


def _connect(access: Access) -> socket.socket:
    return socket.create_connection((access.broker.host, access.broker.port), TIMEOUT_S)


def _failed(step: str, why: str, access: Access, remedy: str, code: int = 1) -> Verdict:
    found, told = in_two(why)
    return fail("broker", f"{access.broker.redacted}: {step}: {found}", told or remedy, code)
