"""Why the broker is not to be had, in words that say what to do."""

import re
import socket
import ssl
from dataclasses import dataclass
from typing import Optional

from paho.mqtt.reasoncodes import ReasonCode

from nasion.mqtt.access import Access

#: MQTT's names of refusals that are about who we are.
_ABOUT_US = {"Not authorized", "Bad user name or password", "Bad authentication method", "Banned"}
#: paho's name for a connection that ended without a word.
_SAYS_NOTHING = "Unspecified error"

#: MQTT's name of a refusal of our version, also where an older broker says it in its own way.
_VERSION_REFUSED = "Unsupported protocol version"
#: paho's name for an answer that is none of MQTT 5's.
_OTHER_ANSWER = "Protocol error"
_NEEDED = "Nasion needs MQTT 5, which mosquitto knows from 1.6 on"

#: How a connection ends that the other side closes while TLS begins.
_CUT_OFF = (ConnectionResetError, BrokenPipeError, ssl.SSLEOFError, ssl.SSLZeroReturnError)

#: X.509 verification errors, by OpenSSL's number.
_NOT_YET_VALID, _EXPIRED = 9, 10
_UNKNOWN_AUTHORITY = {2, 18, 19, 20, 21}
_OTHER_NAME = {62, 64}


@dataclass(frozen=True)
class Why:
    """``lasting``: it does not pass by itself; asking again soon helps nobody."""

    text: str
    lasting: bool = False


def refused(reason: ReasonCode, access: Access) -> Why:
    """The broker has answered, with a refusal."""
    name = reason.getName()
    if name == _VERSION_REFUSED:
        return Why(f"the broker refuses us: {name}; {_NEEDED}", lasting=True)
    who = f"; we came {access.identity}" if name in _ABOUT_US else ""
    return Why(f"the broker refuses us: {name}{who}", lasting=True)


def not_reached(error: OSError, access: Access, timeout_s: float) -> Why:
    """The attempt to reach it (TCP and TLS) failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _not_trusted(error)
    if isinstance(error, socket.timeout):
        return Why(f"no answer within {timeout_s:.0f} s")
    if access.tls is not None and isinstance(error, _CUT_OFF):
        return Why(f"it ends the connection when TLS begins; is port {access.broker.port} one for mqtt://?")
    if isinstance(error, ssl.SSLError):
        return _no_tls(error.reason or str(error), access)
    return Why(error.strerror or str(error) or type(error).__name__)


def ended(said: str, reason: Optional[str], access: Access, *, answered: bool) -> Why:
    """The connection is over. ``said``: the system's error; ``reason``: MQTT's; ``answered``: it had accepted us."""
    alert = re.search(r"\[SSL: (\w+)\]", said)
    if alert is not None:
        return _no_tls(alert[1], access)
    detail = re.sub(r"^\[Errno \d+\] | \(_ssl\.c:\d+\)$", "", said)
    if not detail:
        detail = reason if reason and reason != _SAYS_NOTHING else "the broker closed it"
    if answered:
        return Why(detail)
    if detail == "Keep alive timeout":
        return Why("it takes the connection, but does not answer our greeting")
    hint = _NEEDED if access.tls is not None else f"{_NEEDED}; or is port {access.broker.port} one for mqtts://?"
    if detail == _OTHER_ANSWER:
        return Why(f"its answer is none of MQTT 5 ({detail}); {hint}")
    return Why(f"it ends the connection without an answer ({detail}); {hint}")


def not_mqtt(error: Exception) -> Why:
    """What came was not MQTT; paho raises anything then."""
    return Why(f"the exchange failed ({type(error).__name__}: {error}); is this an MQTT 5 broker?")


def _not_trusted(error: ssl.SSLCertVerificationError) -> Why:
    what = error.verify_message.rstrip(".")
    if error.verify_code in (_NOT_YET_VALID, _EXPIRED):
        what += "; renew it, or set this machine's clock"
    elif error.verify_code in _UNKNOWN_AUTHORITY:
        what += "; expected one by an authority in mqtt.ca_file, by default the system's"
    elif error.verify_code in _OTHER_NAME:
        what += "; reach it by a name that stands in its certificate"
    return Why(f"its certificate is refused: {what}", lasting=True)


def _no_tls(name: str, access: Access) -> Why:
    """``name``: OpenSSL's of the failure, e.g. TLSV13_ALERT_CERTIFICATE_REQUIRED; an alert is the other side's."""
    words = name.replace("_", " ").lower()
    if name in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"):
        return Why(f"what answers on port {access.broker.port} is not TLS; is it one for mqtt://?", lasting=True)
    if "ALERT" not in name:
        return Why(f"TLS fails: {words}", lasting=True)
    if access.certified:
        return Why(f"it refuses our certificate (mqtt.cert_file) or our TLS: {words}", lasting=True)
    if name.endswith(("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE")):
        return Why(f"it asks for a client certificate; set mqtt.cert_file and mqtt.key_file ({words})", lasting=True)
    return Why(f"it refuses our TLS: {words}", lasting=True)
