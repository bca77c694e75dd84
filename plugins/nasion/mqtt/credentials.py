"""User name and password for the broker, and what told them.

Each comes from the first that tells it: the address, the settings (or flags), the environment, and, of the password
only, the file where container engines put a secret.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Mapping, Optional

from nasion.errors import InputError
from nasion.files import NotTextError, read_limited, text_of
from nasion.mqtt.url import BrokerUrl
from nasion.paths import expanded
from nasion.settings import MQTT_ENVIRONMENT, MQTT_PASSWORD_SECRET, MqttSettings

#: MQTT counts the bytes of either in 16 bits.
MAX_BYTES = 0xFFFF

_URL = "mqtt.url"


@dataclass(frozen=True)
class Told:
    """A value, which may be a secret, and the setting, variable or file that told it."""

    value: str = field(repr=False)
    by: str


@dataclass(frozen=True)
class Credentials:
    """``notice``: what must be said of them at the start, or None."""

    username: Optional[Told]
    password: Optional[Told]
    notice: Optional[str] = None

    @property
    def described(self) -> str:
        """Who we come as, without the password."""
        if self.username is None:
            return f"without a user name; set mqtt.username or {MQTT_ENVIRONMENT['username']}"
        told = f"as {self.username.value!r} ({self.username.by})"
        if self.password is None:
            return f"{told} without a password; set mqtt.password_file or {MQTT_ENVIRONMENT['password']}"
        return f"{told} with the password of {self.password.by}"


def told(settings: MqttSettings, name: str, environment: Mapping[str, str]) -> Optional[Told]:
    """The setting ``name``, else what the environment says of it; a variable that is empty says nothing."""
    value = getattr(settings, name)
    if value is not None:
        return Told(value, f"mqtt.{name}")
    variable = MQTT_ENVIRONMENT[name]
    if not environment.get(variable):
        return None
    said = environment[variable]
    return Told(str(expanded(said)) if name.endswith("_file") else said, variable)


def find_credentials(broker: BrokerUrl, settings: MqttSettings, environment: Mapping[str, str]) -> Credentials:
    """InputError where one cannot be read or sent, or a password is set without a user name."""
    username = _of_url(broker.username) or told(settings, "username", environment)
    password = _of_url(broker.password) or _password(settings, environment)
    for value, what in ((username, "user name"), (password, "password")):
        if value is not None:
            _check(value, what)
    if username is not None or password is None:
        return Credentials(username, password)
    lacking = f"no user name is told; set mqtt.username or {MQTT_ENVIRONMENT['username']}"
    if settings.password_file is not None:
        raise InputError(f"{password.by} is set, but {lacking}")
    return Credentials(None, None, f"the password of {password.by} is not used: {lacking}")


def _of_url(value: Optional[str]) -> Optional[Told]:
    return None if value is None else Told(value, _URL)


def _password(settings: MqttSettings, environment: Mapping[str, str]) -> Optional[Told]:
    if settings.password_file is not None:
        return _read("mqtt.password_file", settings.password_file)
    variable = MQTT_ENVIRONMENT["password"]
    if environment.get(variable):
        return Told(environment[variable], variable)
    return _read("the secret", MQTT_PASSWORD_SECRET) if os.path.exists(MQTT_PASSWORD_SECRET) else None


def _read(what: str, path: str) -> Told:
    """The one line of a file; no error shows anything of it."""
    by = f"{what} {path}"
    # Two more than MQTT allows, for the end of the line.
    content = read_limited(Path(path), MAX_BYTES + 2, what=what, too_large=f"{MAX_BYTES} bytes, MQTT's limit")
    try:
        text = text_of(content)
    except NotTextError as error:
        raise InputError(f"{by}: {error}, with the password in one line") from None
    text = text[:-1] if text.endswith("\n") else text
    text = text[:-1] if text.endswith("\r") else text
    if not text or "\n" in text:
        found = "holds several lines" if text else "is empty"
        raise InputError(f"{by}: it {found}; expected a file with the password in one line")
    return Told(text, by)


def _check(value: Told, what: str) -> None:
    """Refuse what MQTT cannot carry; the value is not shown."""
    try:
        size = len(value.value.encode("utf-8"))
    except UnicodeEncodeError:
        raise InputError(f"{value.by}: the {what} is not UTF-8") from None
    if "\0" in value.value:
        raise InputError(f"{value.by}: the {what} contains NUL, which MQTT does not allow")
    if size > MAX_BYTES:
        raise InputError(f"{value.by}: the {what} has {size} bytes; MQTT allows {MAX_BYTES}")
