"""Addresses of brokers are understood, or refused without giving a password away."""

from typing import Optional
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nasion.errors import InputError
from nasion.mqtt.url import BrokerUrl, parse_broker_url


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "username", "password"),
    [
        ("mqtt://broker", "broker", 1883, False, None, None),
        ("mqtt://broker/", "broker", 1883, False, None, None),
        ("mqtts://broker", "broker", 8883, True, None, None),
        ("MQTT://broker", "broker", 1883, False, None, None),
        ("mqtt://127.0.0.1:1900", "127.0.0.1", 1900, False, None, None),
        ("mqtt://[::1]:1900", "::1", 1900, False, None, None),
        ("mqtt://[fe80::1%25eth0]", "fe80::1%eth0", 1883, False, None, None),
        ("mqtt://robot@broker", "broker", 1883, False, "robot", None),
        ("mqtt://robot:@broker", "broker", 1883, False, "robot", ""),
        ("mqtts://robot:pass@broker:9", "broker", 9, True, "robot", "pass"),
        ("mqtt://ro%40bot:p%3A%2F%40%23%20s@broker", "broker", 1883, False, "ro@bot", "p:/@# s"),
        ("mqtt://r:p@ss@broker", "broker", 1883, False, "r", "p@ss"),
    ],
)
def test_reads_addresses(
    url: str, host: str, port: int, tls: bool, username: Optional[str], password: Optional[str]
) -> None:
    assert parse_broker_url(url) == BrokerUrl(host, port, tls, username, password)


def test_none_is_no_broker() -> None:
    assert parse_broker_url("none") is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "must begin with mqtt://"),
        ("broker:1883", "must begin with mqtt://"),
        ("http://broker", "must begin with mqtt://"),
        ("mqtt:broker", "must begin with mqtt://"),
        ("mqtt://", "must begin with mqtt://"),
        ("mqtt://:1883", "host is missing"),
        ("mqtt://user@", "host is missing"),
        ("mqtt://bro$ker", "host is missing"),
        ("mqtt://broker:port", "port must be a number"),
        ("mqtt://broker:0", "port must be a number"),
        ("mqtt://broker:65536", "port must be a number"),
        ("mqtt://broker:1883/topic", "nothing may follow the port"),
        ("mqtt://broker?qos=1", "nothing may follow the port"),
        ("mqtt://bro ker", "blanks"),
        ("mqtt://broker\n", "blanks"),
        ("mqtt://[::1", "cannot be read"),
        ("mqtt://[nonsense]:1883", ""),
        ("mqtt://u:%ff@broker", "cannot be read"),
        ("mqtt://u:%00@broker", "NUL"),
        ("mqtt://:secret@broker", "needs a user name"),
    ],
)
def test_refuses_what_is_no_address(url: str, said: str) -> None:
    with pytest.raises(InputError) as refusal:
        parse_broker_url(url)
    assert said in str(refusal.value)
    assert "expected mqtt://host:port" in str(refusal.value)
    assert "\n" not in str(refusal.value)


SECRET = "Tr0ub4dor"


@settings(max_examples=1000)
@given(
    user=st.text("abc%:/#?[] \n", max_size=4),
    before=st.text("ab%:/#?[]\\\0 ", max_size=4),
    after=st.text("ab%:/#?[]\\\0 ", max_size=4),
    end=st.sampled_from(["@broker", "@broker:x", "@broker:99999", "@", "@[::1", "@broker/topic", ""]),
    scheme=st.sampled_from(["mqtt://", "mqtts://", "http://"]),
)
def test_no_message_shows_the_password(user: str, before: str, after: str, end: str, scheme: str) -> None:
    url = f"{scheme}{user}:{before}{SECRET}{after}{end}"
    try:
        broker = parse_broker_url(url)
    except InputError as refusal:
        shown = str(refusal)
    else:
        assert broker is not None
        shown = f"{broker.redacted} {broker!r}"
    assert SECRET not in shown


@given(
    username=st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), min_size=1),
    password=st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0")),
)
def test_any_name_and_password_can_be_written_percent_encoded(username: str, password: str) -> None:
    broker = parse_broker_url(f"mqtt://{quote(username, safe='')}:{quote(password, safe='')}@broker")
    assert broker == BrokerUrl("broker", 1883, False, username, password)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("mqtts://robot:pass@[::1]", "mqtts://robot:***@[::1]:8883"),
        ("mqtt://robot@broker:9", "mqtt://robot@broker:9"),
        ("mqtt://broker", "mqtt://broker:1883"),
    ],
)
def test_logs_show_who_and_where_without_the_password(url: str, shown: str) -> None:
    broker = parse_broker_url(url)
    assert broker is not None
    assert broker.redacted == shown
