"""nasionrange: places of persons and the depth of the same grab to positions, or the reason why there is none.

Pad templates
    sink  always   video/x-raw(ANY)
    src   always   the same

Properties
    patch-px            1..63 and odd, 5     side of the depth patch, full-resolution pixels
    reducer             text, median         median or mean: how the finite depths become one
    min-share           0..1, 0.2            share of finite depths below which the patch has no depth
    sigma-disparity-px  number >= 0, 0.25    standard deviation of a disparity, pixels
    jump                text, speed          speed, fixed or off: when a distance is refused as too fast
    max-speed-m-s       number > 0, 3        speed: a person approaches no faster than this
    sigmas              number >= 0, 3       speed: allowance for noise, standard deviations
    fixed-m             number > 0, 2        fixed: largest accepted step
    expires-s           number > 0, 1        after this time without an accepted range, any is accepted

It stands behind nasionlocate, in a pipeline that begins with nasionsrc, whose near-m and far-m are the limits.

    gst-launch-1.0 nasionsrc uri="demo:?frames=3" mode=every-frame ! nasioninfer ! nasionlocate ! nasionrange ! fakesink
"""

from typing import Any

from gi.repository import Gst
from nasion_element import ANY_PICTURES, WHY_NOT, Filter, gproperties, templates  # type: ignore[import-not-found]

if WHY_NOT is None:
    from nasion.elements.buffers import records_of
    from nasion.elements.search import Ranging
    from nasion.errors import InputError
    from nasion.sources.clock import SystemClock

PLACES = {
    "patch-px": ("depth", "patch_px"),
    "reducer": ("depth", "reducer"),
    "min-share": ("depth", "min_share"),
    "sigma-disparity-px": ("depth", "sigma_disparity_px"),
    "jump": ("jump", "mode"),
    "max-speed-m-s": ("jump", "max_speed_m_s"),
    "sigmas": ("jump", "sigmas"),
    "fixed-m": ("jump", "fixed_m"),
    "expires-s": ("jump", "expires_s"),
}


class NasionRange(Filter):  # type: ignore[misc]
    """Gives every picture's record its persons."""

    __gtype_name__ = "NasionRange"
    __gstmetadata__ = ("Nasion range", "Filter/Analyzer/Video", "Places and depth to positions", "Nasion")
    __gsttemplates__ = templates(ANY_PICTURES, ANY_PICTURES)
    __gproperties__ = gproperties(PLACES)
    places = PLACES

    def begin(self) -> None:
        self._clock = SystemClock()
        self._ranging = Ranging(self.settings())

    def handle(self, buffer: Any) -> None:
        records = records_of(buffer)
        if not records:
            raise InputError("nothing is known of this picture; put nasionsrc, nasioninfer, nasionlocate before it")
        for record in records:
            self._ranging.range(record, self._clock)


__gstelementfactory__ = ("nasionrange", Gst.Rank.NONE, NasionRange)
