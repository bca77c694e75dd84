"""nasionsrc: pictures of any source of Nasion, each with the depth and the calibration of the same grab.

Pad templates
    src   always   video/x-raw, format { BGR, BGRx }

Properties
    uri       text, required         what `nasion run --source` takes: demo:, sbs:FILE, pairs:DIR, rgbd:DIR, zed:, ...
    camera    text, cam0             the camera's name in topics and messages
    mode      text, by the source    live or every-frame; live: a recording is played at its own pace
    near-m    number > 0, 0.7        nearer than this is too near
    far-m     number > 0, 10         farther than this is too far

The picture goes out as a buffer; depth, calibration and time of capture stay in the process, and a token in the
buffer's metadata leads to them, and to nothing else. PTS: of a live source the running time of the capture, of a
recording the recording's own time from 0. Frames that cannot be decoded are skipped, with a warning, and nasionpublish
says `corrupt_frame` in their place. It cannot seek.

    gst-launch-1.0 nasionsrc uri="demo:?frames=8" mode=every-frame ! jpegenc ! avimux ! filesink location=left.avi
"""

from fractions import Fraction
from typing import Any, Optional, Tuple

from gi.repository import Gst, GstBase
from nasion_element import PICTURES, WHY_NOT, Common, gproperties, templates  # type: ignore[import-not-found]

if WHY_NOT is None:
    from nasion.core.ring import next_pts
    from nasion.elements.buffers import attach, new_token
    from nasion.elements.meeting import leave
    from nasion.elements.records import Camera, Record
    from nasion.errors import InputError, NasionError
    from nasion.pipeline.buffers import picture_buffer
    from nasion.pipeline.slip import Slip
    from nasion.sources.clock import SystemClock
    from nasion.sources.frame import CorruptFrame, End, Frame, Source, Watched
    from nasion.sources.open import open_source

PLACES = {
    "camera": ("cameras", "name"),
    "mode": ("mode",),
    "near-m": ("depth", "near_m"),
    "far-m": ("depth", "far_m"),
}


class NasionSrc(Common, GstBase.BaseSrc):  # type: ignore[misc]
    """Reads the source in GStreamer's thread."""

    __gtype_name__ = "NasionSrc"
    __gstmetadata__ = ("Nasion source", "Source/Video", "Pictures with depth of a stereo camera", "Nasion")
    __gsttemplates__ = templates(None, PICTURES)
    __gproperties__ = gproperties(PLACES, uri=(str, "URI or path of the source, e.g. demo: or sbs:walk.avi", None))
    places = PLACES

    def __init__(self) -> None:
        super().__init__()
        self.prepare()
        self.set_format(Gst.Format.TIME)
        self._source: Optional[Source] = None
        self._camera: Optional[Camera] = None
        self._flushing = False
        self._caps: Optional[str] = None
        self._pts: Optional[int] = None
        self._first_ns: Optional[int] = None

    def do_change_state(self, change: Any) -> Any:
        # Before the base class asks whether the source is live.
        if change == Gst.StateChange.READY_TO_PAUSED and not self.guarded(self._open, False):
            return Gst.StateChangeReturn.FAILURE
        return GstBase.BaseSrc.do_change_state(self, change)

    def do_start(self) -> bool:
        return True

    def do_stop(self) -> bool:
        if self._source is not None:
            self._source.close()
        if self._camera is not None:
            self._camera.ended = True
        self._source = self._camera = None
        return True

    def do_is_seekable(self) -> bool:
        return False

    def do_negotiate(self) -> bool:
        # The first picture says what the caps are.
        return True

    def do_unlock(self) -> bool:
        self._flushing = True
        if WHY_NOT is None and isinstance(self._source, Watched):
            self._source.interrupt()
        return True

    def do_unlock_stop(self) -> bool:
        self._flushing = False
        return True

    def do_create(self, _offset: int, _size: int, _buffer: Any) -> Tuple[Any, Any]:
        flow: Tuple[Any, Any] = self.guarded(self._next, (Gst.FlowReturn.ERROR, None))
        return flow

    def _open(self) -> bool:
        uri = self.values.get("uri")
        if not uri:
            raise InputError(f"{self.factory_name()}: uri is not set; e.g. uri=demo: or uri=sbs:walk.avi")
        settings = self.settings()
        self._clock = SystemClock()
        self._source = open_source(
            uri, depth=settings.depth, mode=settings.mode, clock=self._clock, on_event=self.say_warning
        )
        about = settings.cameras[0].model_copy(update={"source": uri})
        self._camera = Camera(about, self._source, settings.depth)
        self._caps = self._pts = self._first_ns = None
        self._flushing = False
        self.set_live(self._source.live)
        return True

    def _next(self) -> Tuple[Any, Any]:
        assert self._source is not None
        while not self._flushing:
            grab = self._source.read()
            if self._flushing:
                break
            if isinstance(grab, End):
                if grab.warning:
                    self.say_warning(grab.warning)
                return Gst.FlowReturn.EOS, None
            if isinstance(grab, CorruptFrame):
                self._skip(grab)
            else:
                return self._pushed(grab)
        return Gst.FlowReturn.FLUSHING, None

    def _skip(self, grab: "CorruptFrame") -> None:
        """Say it, also in the stream, so that it is published in its place."""
        self.say_warning(f"corrupt frame skipped: {grab.why}")
        record = Record(Slip(grab.stamp, grab.recorded_ns), (0, 0), self._camera)
        told = Gst.Structure.new_empty("nasion-corrupt-frame")
        told.set_value("record", new_token(record))
        self.get_static_pad("src").push_event(Gst.Event.new_custom(Gst.EventType.CUSTOM_DOWNSTREAM, told))

    def _pushed(self, frame: "Frame") -> Tuple[Any, Any]:
        assert self._camera is not None
        if frame.calibration != self._camera.source.calibration:
            raise NasionError("the calibration changed from one frame to the next; start the pipeline anew")
        height, width, channels = frame.picture.shape
        rate = Fraction(self._camera.source.fps).limit_denominator(1001)
        caps = (
            f"video/x-raw, format={'BGRx' if channels == 4 else 'BGR'}, width={width}, height={height}, "
            f"framerate={rate.numerator}/{rate.denominator}, pixel-aspect-ratio=1/1"
        )
        if caps != self._caps:
            if not self.set_caps(Gst.Caps.from_string(caps)):
                return Gst.FlowReturn.NOT_NEGOTIATED, None
            self._caps = caps
        self._pts = next_pts(self._pts, self._running_time(frame))
        record = Record(Slip(frame.stamp, frame.recorded_ns), (width, height), self._camera, frame)
        record.slip.spend("receive", self._clock.monotonic_ns())
        buffer = picture_buffer(frame.picture, self._pts)
        buffer.duration = int(1e9 / rate)
        attach(buffer, record)
        leave(record, self._pts)
        return Gst.FlowReturn.OK, buffer

    def _running_time(self, frame: "Frame") -> int:
        if self._source is not None and self._source.live:
            clock = self.get_clock()
            if clock is None:
                return 0
            age = self._clock.monotonic_ns() - frame.stamp.monotonic_ns
            return int(clock.get_time() - self.get_base_time() - age)
        time_ns = frame.stamp.monotonic_ns if frame.recorded_ns is None else frame.recorded_ns
        if self._first_ns is None:
            self._first_ns = time_ns
        return time_ns - self._first_ns


__gstelementfactory__ = ("nasionsrc", Gst.Rank.NONE, NasionSrc)
