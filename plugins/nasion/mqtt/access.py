"""How we come to a broker: its address, who we are, whom we trust; found once, before anything runs."""

import os
import ssl
from dataclasses import dataclass, replace
from typing import Mapping, Optional, Tuple

from nasion.mqtt.credentials import find_credentials, told
from nasion.mqtt.tls import INSECURE, tls_context
from nasion.mqtt.url import BrokerUrl, parse_broker_url
from nasion.settings import MqttSettings


@dataclass(frozen=True)
class Access:
    """``broker``: with name and password, wherever they came from; ``tls``: None without TLS; ``certified``: whether we
    have a certificate to show; ``identity``: who we come as, in words; ``notices``: what is said at every start.
    """

    broker: BrokerUrl
    tls: Optional[ssl.SSLContext]
    certified: bool
    identity: str
    notices: Tuple[str, ...] = ()


def find_access(settings: MqttSettings, environment: Mapping[str, str] = os.environ) -> Optional[Access]:
    """None where no broker is wanted. InputError for a bad address, credentials that cannot be used, bad files."""
    broker = parse_broker_url(settings.url)
    if broker is None:
        return None
    credentials = find_credentials(broker, settings, environment)
    username, password = credentials.username, credentials.password
    broker = replace(
        broker, username=username.value if username else None, password=password.value if password else None
    )
    notices = (credentials.notice, INSECURE if settings.insecure else None)
    tls = tls_context(broker, settings, environment)
    return Access(
        broker,
        tls,
        certified=tls is not None and told(settings, "cert_file", environment) is not None,
        identity=credentials.described,
        notices=tuple(notice for notice in notices if notice is not None),
    )
