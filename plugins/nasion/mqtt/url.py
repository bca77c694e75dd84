"""A broker's address: ``mqtt://host:port``, ``mqtts://…`` for TLS, or ``none``; ``user:pass@`` may precede the host.

Passwords never leave this module in clear, except in ``BrokerUrl.password``: no error and no log line shows one.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import NoReturn, Optional
from urllib.parse import quote, unquote, urlsplit

from nasion.errors import InputError

#: The ports that IANA registered for MQTT and for MQTT over TLS.
DEFAULT_PORTS = {"mqtt": 1883, "mqtts": 8883}

NO_BROKER = "none"


@dataclass(frozen=True)
class BrokerUrl:
    """Where the broker is, and who we say we are. Name and password are decoded; ``host`` has no brackets."""

    host: str
    port: int
    tls: bool
    username: Optional[str] = None
    password: Optional[str] = field(default=None, repr=False)

    @property
    def redacted(self) -> str:
        """The address as it may stand in logs."""
        user = ""
        if self.username is not None:
            user = f"{quote(self.username, safe='')}{':***' if self.password is not None else ''}@"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{user}{host}:{self.port}"


def parse_broker_url(url: str) -> Optional[BrokerUrl]:
    """The broker that ``url`` names; None for ``none``. InputError says in one line what is wrong with it."""
    if url == NO_BROKER:
        return None
    if not url.isprintable() or " " in url:
        _refuse(url, "it contains blanks or control characters; write them percent-encoded (a blank is %20)")
    try:
        parts = urlsplit(url)
        host = unquote(parts.hostname or "", errors="strict")
        username = None if parts.username is None else unquote(parts.username, errors="strict")
        password = None if parts.password is None else unquote(parts.password, errors="strict")
    except ValueError:
        # The text of this error may hold the password.
        _refuse(
            url, "it cannot be read; an IPv6 address stands in brackets and / : @ # in a password as %2F %3A %40 %23"
        )
    if parts.scheme not in DEFAULT_PORTS or not parts.netloc:
        _refuse(url, "it must begin with mqtt:// or mqtts://")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        _refuse(url, "nothing may follow the port; write / ? # in a password as %2F %3F %23")
    if not _plausible_host(host, bracketed="[" in parts.netloc.rpartition("@")[2]):
        _refuse(url, "the host is missing or is not a name or an address")
    if password is not None and not username:
        _refuse(url, "a password needs a user name before it")
    if "\0" in (username or "") + (password or ""):
        _refuse(url, "MQTT allows no NUL in user name and password")
    try:
        port = DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        port = 0
    if not 1 <= port <= 65535:
        _refuse(url, "the port must be a number from 1 to 65535")
    return BrokerUrl(host, port, parts.scheme == "mqtts", username, password)


def _plausible_host(host: str, bracketed: bool) -> bool:
    if not bracketed:
        return re.fullmatch(r"[\w.-]+", host) is not None
    try:
        ipaddress.IPv6Address(host.split("%", 1)[0])
    except ValueError:
        return False
    return True


def _refuse(url: str, why: str) -> NoReturn:
    raise InputError(f"mqtt url {_harmless_part(url)}: {why}; expected mqtt://host:port, mqtts://… for TLS, or none")


def _harmless_part(url: str) -> str:
    """Scheme and host only: whatever else stands in a malformed URL may be a password or a piece of one."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "(no ://)"
    host = re.split(r"[:/?#]", rest.rpartition("@")[2], maxsplit=1)[0]
    return "".join(character if character.isprintable() else "?" for character in f"{scheme}://{host}…")
