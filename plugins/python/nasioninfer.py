"""nasioninfer: pictures to heat maps, by the network of an nvinfer configuration file, with ONNX Runtime on the CPU.

Pad templates
    sink  always   video/x-raw, format { BGR, BGRx }
    src   always   the same

Properties
    config-file-path  text, by the view    nvinfer configuration file; default: deepstream_configs/nasion_VIEW.txt
    view              text, by the file    centre, full or fine: what the network sees; default without a file: full
    model             text, by the file    ONNX file instead of the configuration's onnx-file
    threads           1..64, 1             ONNX Runtime threads of one inference

Where nvinfer stands on a GPU, this stands on a CPU: it reads the same file, scales by itself, and leaves the picture as
it is. Put it before whatever scales, crops or turns the picture. Pictures may also come from elsewhere than nasionsrc,
from a video file say; they have no depth then. It scales as `nasion run` does.

    gst-launch-1.0 nasionsrc uri="demo:?frames=3" mode=every-frame ! nasioninfer threads=2 ! fakesink
"""

from typing import Any, Optional

from gi.repository import Gst
from nasion_element import PICTURES, WHY_NOT, Filter, gproperties, templates  # type: ignore[import-not-found]

if WHY_NOT is None:
    from nasion.elements.buffers import Layout, attach, record_of
    from nasion.elements.inference import Inference
    from nasion.elements.records import Look, Record
    from nasion.errors import InputError
    from nasion.pipeline.buffers import mapped
    from nasion.pipeline.slip import Slip
    from nasion.sources.clock import SystemClock, stamp_now

PLACES = {"config-file-path": ("nvinfer",), "view": ("view",), "model": ("model",), "threads": ("threads",)}


class NasionInfer(Filter):  # type: ignore[misc]
    """Gives every picture's record a heat map."""

    __gtype_name__ = "NasionInfer"
    __gstmetadata__ = ("Nasion inference", "Filter/Analyzer/Video", "Pictures to heat maps on the CPU", "Nasion")
    __gsttemplates__ = templates(PICTURES, PICTURES)
    __gproperties__ = gproperties(
        PLACES, view=(str, "What the network sees of the picture: centre, full or fine.", None)
    )
    places = PLACES
    # The buffer gets a record.
    passthrough = False

    def begin(self) -> None:
        settings = self.settings()
        self._clock = SystemClock()
        self._inference = Inference(settings, view=settings.view if self.values.get("view") else None)
        self._look: Optional[Look] = None

    def agree(self, caps: Any) -> None:
        self._layout = Layout.of(caps)
        self._look = self._inference.look(*self._layout.size)

    def handle(self, buffer: Any) -> None:
        assert self._look is not None
        before = record_of(buffer)
        record = before.branched() if before else Record(Slip(stamp_now(self._clock), None), self._layout.size)
        if record.size != self._layout.size:
            raise InputError(
                f"a picture of {self._layout.width} x {self._layout.height} came, but nasionsrc's had "
                f"{record.size[0]} x {record.size[1]}; scale and crop after the last element of nasion"
            )
        with mapped(buffer) as data:
            self._inference.infer(self._layout.picture(buffer, data), self._look, record, self._clock)
        attach(buffer, record)


__gstelementfactory__ = ("nasioninfer", Gst.Rank.NONE, NasionInfer)
