"""TLS to the broker: whom we trust and who we are. Certificate and host name are verified unless told otherwise."""

import ssl
from typing import Mapping, Optional

from nasion.errors import InputError
from nasion.mqtt.credentials import Told, told
from nasion.mqtt.url import BrokerUrl
from nasion.settings import MqttSettings

OLDEST = ssl.TLSVersion.TLSv1_2

#: Settings that mean nothing without TLS.
_ONLY_WITH_TLS = ("ca_file", "cert_file", "key_file", "insecure")

INSECURE = "its certificate is NOT verified (mqtt.insecure): whoever answers is believed, and gets the password"


def tls_context(broker: BrokerUrl, settings: MqttSettings, environment: Mapping[str, str]) -> Optional[ssl.SSLContext]:
    """None without TLS. InputError where a file cannot be used or the settings contradict each other.

    What only the environment says is no contradiction: it may be meant for another broker.
    """
    if not broker.tls:
        for name in _ONLY_WITH_TLS:
            if getattr(settings, name):
                raise InputError(
                    f"mqtt.{name} is set, but {broker.redacted} is not encrypted; use mqtts:// or leave it out"
                )
        return None
    if settings.insecure and settings.ca_file is not None:
        raise InputError("mqtt.insecure and mqtt.ca_file exclude each other: leave out mqtt.insecure")
    context = _trusting(None if settings.insecure else told(settings, "ca_file", environment))
    if settings.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.minimum_version = OLDEST
    certificate, key = (told(settings, name, environment) for name in ("cert_file", "key_file"))
    if certificate is not None:
        _show(context, certificate, key or certificate)
    elif key is not None:
        raise InputError(f"{key.by} is set, but no certificate that it belongs to; set mqtt.cert_file")
    return context


def _trusting(authorities: Optional[Told]) -> ssl.SSLContext:
    """A context that verifies, by the certificates in a file or by the system's."""
    if authorities is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=authorities.value)
    except OSError as error:
        why = "it holds none" if isinstance(error, ssl.SSLError) else error.strerror
        raise InputError(
            f"{authorities.by} {authorities.value}: {why}; expected a file of CA certificates in PEM format"
        ) from None


def _show(context: ssl.SSLContext, certificate: Told, key: Told) -> None:
    """Let ``context`` show our certificate to a broker that asks for it."""
    for file, what in ((certificate, "a certificate"), (key, "its private key")):
        try:
            with open(file.value, "rb") as opened:
                opened.read(1)
        except OSError as error:
            raise InputError(
                f"{file.by} {file.value}: {error.strerror}; expected a file with {what} in PEM format"
            ) from None

    def no_password() -> str:
        # Without this OpenSSL would ask for it on the terminal, and wait.
        raise InputError(f"{key.by} {key.value}: the key is encrypted; expected one without a password, mode 600")

    try:
        context.load_cert_chain(certificate.value, key.value, no_password)
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise InputError(
                f"{key.by} {key.value} is not the key of the certificate in {certificate.by} {certificate.value}"
            ) from None
        raise InputError(
            f"{certificate.by} {certificate.value} and {key.by} {key.value}: "
            "not a certificate and its private key in PEM format"
        ) from None
