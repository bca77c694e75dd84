#!/usr/bin/env python3
"""Receives where the person is, and refuses what a robot must not act upon. One file to copy; needs paho-mqtt >= 2.1.

    python3 nasion_receiver.py --host broker.local [--port 1883] [--prefix nasion] [--camera cam0] [--max-age-ms 200]

A message is refused when it is

- `stale`: older on arrival than its `max_age_ms` (or than --max-age-ms, where that is less). Its age is told by the
  monotonic clock where it comes from this very boot of this host, else by the wall clocks: keep them by NTP or PTP;
- `future`: captured more than 50 ms from now, so that the clocks disagree;
- `repeated`: not newer than one that was accepted;
- `malformed`: not a `person` message of schema 1.

Silence means a fault: also with nobody in view there is a message for each frame. Stop the robot when `Gate.silent_s`
grows. From the environment come NASION_MQTT_USER and NASION_MQTT_PASSWORD, and NASION_MQTT_CA_FILE: with it the broker
is spoken to by TLS and must show a certificate of that authority for its host name. NASION_MQTT_CERT_FILE and
NASION_MQTT_KEY_FILE are our own, where the broker asks for one.
"""

import argparse
import json
import math
import os
import re
import signal
import time
from collections import Counter

SCHEMA = 1
FUTURE_TOLERANCE_MS = 50.0
BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id"


class Gate:
    """Judges the `person` messages of one camera. Pure but for the defaults of its arguments."""

    def __init__(self, max_age_ms=math.inf, boot_id=None):
        """``max_age_ms``: refuse also what is older than this; ``boot_id``: this host's, see `boot_id`."""
        self.max_age_ms = max_age_ms
        self.boot_id = boot_id
        self.refused = Counter()
        self.accepted = 0
        self.missed = 0
        self.sessions = 0
        self._session = None
        self._seq = -1
        self._heard_ns = None

    def judge(self, payload, utc_ns, monotonic_ns):
        """(message, age in ms, None) or (None, age or None, cause) of what arrived at this instant of both clocks."""
        try:
            message = read_message(payload)
        except (ValueError, KeyError, TypeError, RecursionError):
            return self._refuse("malformed", None)
        age_ms = self._age_ms(message, utc_ns, monotonic_ns)
        if age_ms > min(message["max_age_ms"], self.max_age_ms):
            return self._refuse("stale", age_ms)
        if age_ms < -FUTURE_TOLERANCE_MS:
            return self._refuse("future", age_ms)
        if message["session"] != self._session:
            self.sessions += 1
        elif message["seq"] <= self._seq:
            return self._refuse("repeated", age_ms)
        else:
            self.missed += message["seq"] - self._seq - 1
        self._session, self._seq, self._heard_ns = message["session"], message["seq"], monotonic_ns
        self.accepted += 1
        return message, age_ms, None

    def silent_s(self, monotonic_ns):
        """Seconds since the last accepted message; infinite before the first."""
        return math.inf if self._heard_ns is None else (monotonic_ns - self._heard_ns) / 1e9

    def _age_ms(self, message, utc_ns, monotonic_ns):
        if self.boot_id is not None and message.get("boot_id") == self.boot_id and "monotonic_ns" in message:
            return (monotonic_ns - int(message["monotonic_ns"])) / 1e6
        return (utc_ns - int(message["captured_ns"])) / 1e6

    def _refuse(self, cause, age_ms):
        self.refused[cause] += 1
        return None, age_ms, cause


def read_message(payload):
    """The message as a dictionary; ValueError, KeyError or TypeError of anything else."""
    message = json.loads(payload, parse_constant=_no_constant)
    if message["schema"] != SCHEMA or isinstance(message["schema"], bool):
        raise ValueError(f"schema {message['schema']}; this receiver reads {SCHEMA}")
    for key, kind in (("session", str), ("camera", str), ("frame_id", str), ("seq", int), ("persons", list)):
        if not isinstance(message[key], kind) or isinstance(message[key], bool):
            raise TypeError(f"{key}: {message[key]!r}; expected {kind.__name__}")
    for key in ("captured_ns", "monotonic_ns"):
        if not re.fullmatch("-?[0-9]{1,19}", message.get(key, "0" if key == "monotonic_ns" else "")):
            raise ValueError(f"{key}: expected nanoseconds as a decimal string")
    if not _numbers([message["max_age_ms"]], 1) or message["max_age_ms"] <= 0:
        raise ValueError(f"max_age_ms: {message['max_age_ms']!r}; expected a number above 0")
    for person in message["persons"]:
        if not isinstance(person["valid"], bool):
            raise TypeError(f"valid: {person['valid']!r}; expected true or false")
        if person["valid"] and not (
            _numbers(person["position_m"], 3)
            and _numbers(person["covariance_m2"], 9)
            and _numbers([person["range_m"]], 1)
        ):
            raise ValueError("a valid person has a position of 3, a covariance of 9 numbers and a range")
    return message


def nearest(message):
    """The valid person with the least range; None where nobody has a position."""
    valid = [person for person in message["persons"] if person["valid"]]
    return min(valid, key=lambda person: person["range_m"], default=None)


def boot_id():
    """This boot of this host; None where it cannot be told."""
    try:
        with open(BOOT_ID_FILE, encoding="ascii") as file:
            return file.read().strip() or None
    except OSError:
        return None


def _numbers(values, count):
    return (
        isinstance(values, list)
        and len(values) == count
        and all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values)
        and all(abs(value) < math.inf for value in values)
    )


def _no_constant(name):
    raise ValueError(f"{name} is not JSON")


def subscribe(host, port, topic, on_payload, on_event=print):
    """A client that connects in its own thread, comes back after every loss, and hands on what arrives."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    told = os.environ.get
    if told("NASION_MQTT_USER"):
        client.username_pw_set(told("NASION_MQTT_USER"), told("NASION_MQTT_PASSWORD"))
    if told("NASION_MQTT_CA_FILE"):
        client.tls_set(told("NASION_MQTT_CA_FILE"), told("NASION_MQTT_CERT_FILE"), told("NASION_MQTT_KEY_FILE"))
    # QoS 0: a message that is late need not be brought again.
    client.on_connect = lambda client, _data, _flags, reason, _properties: (
        on_event(f"refused by the broker: {reason}") if reason.is_failure else client.subscribe(topic, qos=0)
    )
    client.on_subscribe = lambda *_: on_event(f"subscribed {topic}")
    client.on_connect_fail = lambda *_: on_event("disconnected: the broker cannot be reached, or not by TLS")
    client.on_disconnect = lambda _client, _data, _flags, reason, _properties: on_event(f"disconnected: {reason}")
    client.on_message = lambda _client, _data, message: on_payload(message.payload)
    client.reconnect_delay_set(1, 1)
    client.connect_async(host, port, keepalive=2)
    client.loop_start()
    return client


def main():
    # SIGTERM ends it as Ctrl-C does, which a shell that started it in the background has switched off.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--prefix", default="nasion")
    parser.add_argument("--camera", default="cam0")
    parser.add_argument("--max-age-ms", type=float, default=math.inf)
    told = parser.parse_args()
    gate = Gate(told.max_age_ms, boot_id())

    def say(text):
        print(text, flush=True)

    def on_payload(payload):
        message, age_ms, cause = gate.judge(payload, time.time_ns(), time.monotonic_ns())
        if message is None:
            age = "" if age_ms is None else f" {age_ms:.1f} ms"
            say(f"refused {cause}{age}; so far {json.dumps(dict(gate.refused), sort_keys=True)}")
            return
        counts = f"session {gate.sessions} seq {message['seq']} missed {gate.missed}"
        person = nearest(message)
        where = f"nobody ({message['reason']})" if person is None else "at " + json.dumps(person["position_m"])
        say(f"accepted {counts} age {age_ms:.1f} ms: {where}")

    client = subscribe(told.host, told.port, f"{told.prefix}/{told.camera}/person", on_payload, say)
    silent = False
    try:
        while True:
            time.sleep(0.1)
            if (gate.silent_s(time.monotonic_ns()) > 1.5) != silent:
                silent = not silent
                say("silent: stop" if silent else "heard again")
    except KeyboardInterrupt:
        pass
    finally:
        client.disconnect()
        client.loop_stop()


if __name__ == "__main__":
    main()
