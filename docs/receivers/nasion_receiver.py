#!/usr/bin/env python3
"""Receives where the person is, and refuses what a robot must not act upon. Needs paho-mqtt >= 2.1, nasion_judge.py.

    python3 nasion_receiver.py --host broker.local [--port 1883] [--prefix nasion] [--camera cam0]
                               [--max-age-ms 200] [--silent-ms 250]

nasion_judge.py beside it judges; README.md lists what is refused. Silence means a fault: also with nobody in view there
is a message for each frame. `silent: stop` is printed when nothing was accepted for --silent-ms: stop the robot.

From the environment come NASION_MQTT_USER and NASION_MQTT_PASSWORD, and NASION_MQTT_CA_FILE: with it the broker is
spoken to by TLS and must show a certificate of that authority for its host name. NASION_MQTT_CERT_FILE and
NASION_MQTT_KEY_FILE are our own, where the broker asks for one.
"""

import argparse
import json
import os
import signal
import time

from nasion_judge import MAX_AGE_MS, MAX_BYTES, SILENT_MS, Gate, nearest, read_boot_id, read_now

#: Silence is looked for this often.
TICK_S = 0.02


class Receiver:
    """Judges what arrives, and says what came of it."""

    def __init__(self, gate, say):
        self.gate = gate
        self.say = say

    def hear(self, topic, retained, payload, now):
        """The verdict on a message that arrived ``now``."""
        verdict = self.gate.judge(topic, retained, payload, now)
        if verdict.code != "accepted":
            age = "" if verdict.age_ms is None else f" {verdict.age_ms:.1f} ms"
            self.say(f"refused {verdict.code}{age}; so far {json.dumps(self.gate.refused)}; {verdict.detail}")
            return verdict
        message = verdict.message
        person = nearest(message)
        # Nobody with a position; of the reasons only no_face and low_probability mean that nobody is seen.
        where = f"nobody ({message['reason']})" if person is None else "at " + json.dumps(person["position_m"])
        counts = f"session {self.gate.sessions} seq {message['seq']} missed {self.gate.missed}"
        self.say(f"accepted {counts} age {verdict.age_ms:.1f} ms: {where}")
        return verdict


def subscribe(host, port, gate, hear, say=print):
    """A client that connects in its own thread, comes back after every loss, and calls ``hear`` as `Receiver.hear`."""
    from paho.mqtt.client import Client
    from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
    from paho.mqtt.packettypes import PacketTypes
    from paho.mqtt.properties import Properties

    client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    told = os.environ.get
    if told("NASION_MQTT_USER"):
        client.username_pw_set(told("NASION_MQTT_USER"), told("NASION_MQTT_PASSWORD"))
    if told("NASION_MQTT_CA_FILE"):
        client.tls_set(told("NASION_MQTT_CA_FILE"), told("NASION_MQTT_CERT_FILE"), told("NASION_MQTT_KEY_FILE"))

    def on_message(_client, _data, message):
        # What a callback raises ends paho's thread, and nothing would be heard any more.
        try:
            hear(message.topic, message.retain, message.payload, read_now())
        except Exception as error:
            gate.counts["error"] += 1
            say(f"refused error; {error!r}")

    def on_subscribe(_client, _data, _mid, reasons, _properties):
        refused = any(reason.is_failure for reason in reasons)
        say(f"{'refused by the broker: the subscription to' if refused else 'subscribed'} {gate.topic}")

    # QoS 0: a message that is late need not be brought again.
    client.on_connect = lambda client, _data, _flags, reason, _properties: (
        say(f"refused by the broker: {reason}") if reason.is_failure else client.subscribe(gate.topic, qos=0)
    )
    client.on_subscribe = on_subscribe
    client.on_connect_fail = lambda *_: say("disconnected: the broker cannot be reached, or not by TLS")
    client.on_disconnect = lambda _client, _data, _flags, reason, _properties: say(f"disconnected: {reason}")
    client.on_message = on_message
    client.reconnect_delay_set(1, 1)
    # What is refused as too large anyway need not be sent to us, nor fill our memory.
    properties = Properties(PacketTypes.CONNECT)
    properties.MaximumPacketSize = MAX_BYTES + 4096
    client.connect_async(host, port, keepalive=2, properties=properties)
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
    parser.add_argument("--max-age-ms", type=float, default=MAX_AGE_MS)
    parser.add_argument("--silent-ms", type=float, default=SILENT_MS)
    told = parser.parse_args()
    try:
        gate = Gate(
            told.prefix, told.camera, max_age_ms=told.max_age_ms, silent_ms=told.silent_ms, boot_id=read_boot_id()
        )
    except ValueError as error:
        parser.error(str(error))

    def say(text):
        print(text, flush=True)

    client = subscribe(told.host, told.port, gate, Receiver(gate, say).hear, say)
    silent = False
    try:
        while True:
            time.sleep(TICK_S)
            if gate.silent(read_now()) != silent:
                silent = not silent
                say("silent: stop" if silent else "heard again")
    except KeyboardInterrupt:
        pass
    finally:
        client.disconnect()
        client.loop_stop()


if __name__ == "__main__":
    main()
