"""nasionlocate: heat maps to the places of persons, in pixels of the full picture.

Pad templates
    sink  always   video/x-raw(ANY)
    src   always   the same

Properties
    threshold          text, by the model    probability of a person, 0 to 1
    max-persons        1..32, 1              how many persons are located, strongest first
    hysteresis         true or false, false  two thresholds instead of one
    appear             0..1, 0.7             with hysteresis: a person appears at this probability
    stay               0..1, 0.6             with hysteresis: a person in view stays down to this probability
    config-file-path   text                  behind nvinfer: nvinfer's own configuration file
    cameras            text, cam0            behind nvinfer: names of the nasionsrc at pads 0, 1, ... of the mux

It stands behind nasioninfer, or, with config-file-path, behind nvinfer. nvinfer must have seen what that file's view is
of a frame, as with `nasion run`: see scripts/gst-launch.md. Frames that nobody knows are dropped, with a warning; why
a frame has no heat map is told once.

    gst-launch-1.0 nasionsrc uri="demo:?frames=3" mode=every-frame ! nasioninfer ! nasionlocate threshold=0.6 ! fakesink
"""

from pathlib import Path
from typing import Any, Optional

from gi.repository import Gst
from nasion_element import ANY_PICTURES, WHY_NOT, Filter, gproperties, templates  # type: ignore[import-not-found]

if WHY_NOT is None:
    from nasion.elements.buffers import attach, record_of
    from nasion.elements.search import Search
    from nasion.elements.tensors import Tensors
    from nasion.errors import InputError
    from nasion.settings import CameraSettings
    from nasion.sources.clock import SystemClock

PLACES = {
    "threshold": ("threshold",),
    "max-persons": ("max_persons",),
    "hysteresis": ("hysteresis", "enabled"),
    "appear": ("hysteresis", "appear"),
    "stay": ("hysteresis", "stay"),
}


class Gate:
    """Lets a batch of which nobody knows a frame go no further. It holds no element, which would never be let go then.

    What `handle` returns could drop it too, but then the base class marks the next buffer, and where others hold that
    as well it goes on with a copy, by which no records are found.
    """

    def __init__(self) -> None:
        self.closed = False

    def let_through(self, _pad: Any, _info: Any) -> Any:
        """For the buffer that `handle` has just seen."""
        return Gst.PadProbeReturn.DROP if self.closed else Gst.PadProbeReturn.OK


class NasionLocate(Filter):  # type: ignore[misc]
    """Gives every picture's record its keypoints."""

    __gtype_name__ = "NasionLocate"
    __gstmetadata__ = ("Nasion locate", "Filter/Analyzer/Video", "Heat maps to places of persons", "Nasion")
    __gsttemplates__ = templates(ANY_PICTURES, ANY_PICTURES)
    __gproperties__ = gproperties(
        PLACES,
        config_file_path=(str, "Behind nvinfer: nvinfer's own configuration file.", None),
        cameras=(str, "Behind nvinfer: names of the nasionsrc at the mux's pads, with commas; default cam0.", None),
    )
    places = PLACES

    def __init__(self) -> None:
        super().__init__()
        self._gate = Gate()
        self.get_static_pad("src").add_probe(Gst.PadProbeType.BUFFER, self._gate.let_through)

    def begin(self) -> None:
        self._clock = SystemClock()
        self._search = Search(self.settings())
        self._tensors: Optional[Tensors] = None
        file, names = self.values.get("config-file-path"), self.values.get("cameras")
        if file:
            cameras = names.split(",") if names else [CameraSettings.model_fields["name"].default]
            self._tensors = Tensors(Path(file), cameras)

    def agree(self, caps: Any) -> None:
        if self._tensors is None and caps.get_features(0).contains("memory:NVMM"):
            raise InputError("behind nvinfer, set config-file-path to nvinfer's own configuration file")

    def handle(self, buffer: Any) -> None:
        if self._tensors is not None:
            self._handle_batch(buffer, self._tensors)
            return
        record = record_of(buffer)
        if record is None:
            raise InputError("no network has seen this picture; put nasioninfer before nasionlocate")
        self._search.locate(record, self._clock)

    def end(self) -> None:
        if self._tensors is None:
            return
        self._tensors.close()
        self._tensors = None

    def _handle_batch(self, buffer: Any, tensors: "Tensors") -> None:
        unknown, reasons = tensors.unknown, set(tensors.missing)
        records = tensors.read(buffer, self._clock)
        if tensors.unknown > unknown:
            self.say_warning(f"{tensors.unknown} frames of nvinfer so far are of no nasionsrc, by camera and PTS")
        for camera, why in sorted(tensors.missing.keys() - reasons):
            self.say_warning(f"{camera}: nvinfer gave a frame without a heat map: {why}")
        for record in records:
            self._search.locate(record, self._clock)
        self._gate.closed = not records
        if records:
            attach(buffer, *records)


__gstelementfactory__ = ("nasionlocate", Gst.Rank.NONE, NasionLocate)
