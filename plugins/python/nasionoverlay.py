"""nasionoverlay: draws heat map, keypoint, probability and distance, or the reason why there is none, into the picture.

Pad templates
    sink  always   video/x-raw, format { BGR, BGRx }
    src   always   the same

Properties
    none

It stands behind nasionlocate or nasionrange (without it, no distance is drawn), before whatever scales or crops.

    gst-launch-1.0 nasionsrc uri="demo:?frames=4" mode=every-frame ! nasioninfer ! nasionlocate ! nasionrange
        ! nasionoverlay ! jpegenc ! avimux ! filesink location=seen.avi
"""

from typing import Any

from gi.repository import Gst
from nasion_element import PICTURES, WHY_NOT, Filter, templates  # type: ignore[import-not-found]

if WHY_NOT is None:
    from nasion.elements.buffers import Layout, copied, record_of, replace_picture
    from nasion.elements.outgoing import drawn
    from nasion.errors import InputError
    from nasion.sources.clock import SystemClock


class NasionOverlay(Filter):  # type: ignore[misc]
    """Draws what a picture's record holds."""

    __gtype_name__ = "NasionOverlay"
    __gstmetadata__ = ("Nasion overlay", "Filter/Editor/Video", "Draws heat map, keypoint and distance", "Nasion")
    __gsttemplates__ = templates(PICTURES, PICTURES)
    passthrough = False

    def begin(self) -> None:
        self._clock = SystemClock()

    def agree(self, caps: Any) -> None:
        self._layout = Layout.of(caps)

    def handle(self, buffer: Any) -> None:
        record = record_of(buffer)
        if record is None:
            raise InputError("nothing is known of this picture; put nasioninfer ! nasionlocate before it")
        if record.size != self._layout.size:
            raise InputError(
                f"a picture of {self._layout.width} x {self._layout.height} came, but the network saw one of "
                f"{record.size[0]} x {record.size[1]}; scale and crop after nasionoverlay"
            )
        replace_picture(buffer, self._layout, drawn(copied(buffer, self._layout), record, self._clock))


__gstelementfactory__ = ("nasionoverlay", Gst.Rank.NONE, NasionOverlay)
