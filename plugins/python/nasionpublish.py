"""nasionpublish: positions to an MQTT broker, as `nasion run` does: topics person, status and info of the camera.

Pad templates
    sink  always   video/x-raw(ANY)
    src   always   the same

Properties
    url            text, mqtt://127.0.0.1:1883   broker; mqtts:// for TLS; none: no broker
    prefix         text, nasion                  first level of every topic
    mqtt-qos       0..1, 1                       1: one message in flight, newest next; 0: sent and forgotten
    keepalive-s    1..3600, 2                    the broker declares us offline after 1.5 x this
    username       text, the environment's       user name at the broker
    password-file  text, the environment's       file that holds the password
    ca-file        text, the environment's       CA certificates for mqtts://; else the system's
    cert-file      text, the environment's       our own certificate, where the broker asks for one
    key-file       text, the environment's       its private key
    insecure       true or false, false          take any certificate for the broker's; for tests only
    max-age-ms     number > 0, 200               nothing older than this is sent
    post-messages  true or false, false          also post each as element message nasion-person, with the field json

It stands behind nasionrange. What the environment may say instead, as NASION_MQTT_PASSWORD, is in the README's table of
settings. At the end of the stream it says `stopped` and, as an info message, what became of the messages. The topic
stats, and person messages for a camera that is silent (`no_frame`), only `nasion run` has.

    gst-launch-1.0 -m nasionsrc uri="demo:?frames=60" ! nasioninfer ! nasionlocate ! nasionrange
        ! nasionpublish url=mqtt://127.0.0.1:1883 post-messages=true ! fakesink
"""

from typing import Any, Optional

from gi.repository import Gst, GstBase
from nasion_element import ANY_PICTURES, WHY_NOT, Filter, gproperties, templates  # type: ignore[import-not-found]

if WHY_NOT is None:
    from nasion.core.results import FrameReason
    from nasion.elements.buffers import records_for, records_of
    from nasion.elements.outgoing import Outgoing
    from nasion.errors import InputError
    from nasion.messages import PersonMessage
    from nasion.sources.clock import SystemClock

PLACES = {
    "url": ("mqtt", "url"),
    "prefix": ("mqtt", "prefix"),
    # Elements of this kind have a `qos` of their own.
    "mqtt-qos": ("mqtt", "qos"),
    "keepalive-s": ("mqtt", "keepalive_s"),
    "username": ("mqtt", "username"),
    "password-file": ("mqtt", "password_file"),
    "ca-file": ("mqtt", "ca_file"),
    "cert-file": ("mqtt", "cert_file"),
    "key-file": ("mqtt", "key_file"),
    "insecure": ("mqtt", "insecure"),
    "max-age-ms": ("mqtt", "max_age_ms"),
}


class NasionPublish(Filter):  # type: ignore[misc]
    """Publishes what a picture's record holds."""

    __gtype_name__ = "NasionPublish"
    __gstmetadata__ = ("Nasion publish", "Filter/Analyzer/Video", "Positions of persons over MQTT", "Nasion")
    __gsttemplates__ = templates(ANY_PICTURES, ANY_PICTURES)
    __gproperties__ = gproperties(PLACES, post_messages=(bool, "Also post each message on the bus.", False))
    places = PLACES

    def __init__(self) -> None:
        super().__init__()
        self._outgoing: Optional[Outgoing] = None

    def begin(self) -> None:
        self._outgoing = Outgoing(self.settings(), clock=SystemClock(), on_event=self.say)

    def end(self) -> None:
        if self._outgoing is not None:
            self._outgoing.close()

    def handle(self, buffer: Any) -> None:
        assert self._outgoing is not None
        records = records_of(buffer)
        if not records:
            raise InputError("nothing is known of this picture; put nasionrange before it")
        for record in records:
            self._posted(self._outgoing.send(record))

    def do_sink_event(self, event: Any) -> bool:
        if self._outgoing is not None:
            self.guarded(lambda: self._hear(event), None)
        return bool(GstBase.BaseTransform.do_sink_event(self, event))

    def _hear(self, event: Any) -> None:
        assert self._outgoing is not None
        if event.type == Gst.EventType.EOS:
            for camera, counts in self._outgoing.close().items():
                told = ", ".join(f"{what} {count}" for what, count in counts.items() if count)
                self.say(f"{camera}: mqtt: {told or 'nothing'}")
        elif event.has_name("nasion-corrupt-frame"):
            for record in records_for(event.get_structure().get_value("record")):
                self._posted(self._outgoing.nobody(record, FrameReason.CORRUPT_FRAME))

    def _posted(self, message: Optional["PersonMessage"]) -> None:
        if message is None or not self.values.get("post-messages"):
            return
        told = Gst.Structure.new_empty("nasion-person")
        told.set_value("json", message.to_json())
        self.post_message(Gst.Message.new_element(self, told))


__gstelementfactory__ = ("nasionpublish", Gst.Rank.NONE, NasionPublish)
