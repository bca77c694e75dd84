"""The pipeline of the engine `deepstream`: every element with every property, and all of it as one text.

    appsrc ! queue ! nvvideoconvert ! NVMM RGBA ! mux.sink_0                 for each camera
    nvstreammux ! nvinfer ! queue ! identity ! fakesink                      for all of them

The text is what ``gst-launch-1.0`` takes. Only properties that DeepStream 6.3 and GStreamer 1.16 know are used.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import List, Mapping, Sequence, Tuple, Union

from nasion.core.views import ViewGeometry

Value = Union[int, bool, str]

#: One buffer, however large; `leaky` lets the oldest go.
_ONE_BUFFER: Mapping[str, Value] = {"max-size-buffers": 1, "max-size-bytes": 0, "max-size-time": 0}
#: interpolation-method: both elements' default is the nearest pixel.
_BILINEAR = 1
#: Frame rate where a source does not tell one: the elements need some.
_SOME_FPS = 30.0


@dataclass(frozen=True)
class Element:
    """One element by its factory; ``name`` is what the graph finds it by."""

    factory: str
    name: str
    properties: Mapping[str, Value] = field(default_factory=dict)

    def text(self) -> str:
        """As gst-launch-1.0 takes it."""
        parts = [
            self.factory,
            f"name={self.name}",
            *(f"{key}={_written(value)}" for key, value in self.properties.items()),
        ]
        return " ".join(parts)


@dataclass(frozen=True)
class CameraInput:
    """What the pipeline must know of one camera."""

    geometry: ViewGeometry
    live: bool
    fps: float

    @property
    def rate(self) -> float:
        """Frames a second, above 0."""
        return self.fps if self.fps > 0 else _SOME_FPS


def camera_elements(number: int, camera: CameraInput) -> List[Element]:
    """From the application to a pad of the mux.

    The appsrc never blocks and never lets go (``max-bytes=0``): in mode live the queue behind it does, at once; else
    the feeder counts what is on its way. Pictures are BGRx: there is no BGRA, and the Jetson's scaler has no 24-bit
    formats.

    Of a picture the rows of the crop go in, which are in one piece and so cost no copy: of 1920x1080 for `centre` five
    sixths. The crop itself, two fifths, would have to be copied before it is copied to the GPU: measured as much.
    """
    view = camera.geometry
    rate = Fraction(camera.rate).limit_denominator(1001)
    frame_caps = (
        f"video/x-raw,format=BGRx,width={view.frame_width},height={view.crop_height},"
        f"framerate={rate.numerator}/{rate.denominator}"
    )
    scaled_caps = f"video/x-raw(memory:NVMM),format=RGBA,width={view.scaled_width},height={view.scaled_height}"
    source: Mapping[str, Value] = {
        "is-live": True,
        "format": "time",
        "do-timestamp": False,
        "block": False,
        "max-bytes": 0,
    }
    crop = f"{view.crop_left}:0:{view.crop_width}:{view.crop_height}"
    return [
        Element("appsrc", f"source_{number}", {**source, "caps": frame_caps}),
        Element("queue", f"newest_{number}", {**_ONE_BUFFER, "leaky": "downstream" if camera.live else "no"}),
        Element("nvvideoconvert", f"crop_{number}", {"src-crop": crop, "interpolation-method": _BILINEAR}),
        Element("capsfilter", f"scaled_{number}", {"caps": scaled_caps}),
    ]


def common_elements(cameras: Sequence[CameraInput], nvinfer_file: Path) -> List[Element]:
    """From the mux to the end. All that nvinfer is told stands in its file; a property would win over a key there.

    A batch that is not full waits for one frame time of the fastest camera, no longer.
    """
    width, height = scaled_size(cameras)
    mux: Mapping[str, Value] = {
        "batch-size": len(cameras),
        "width": width,
        "height": height,
        "live-source": True,
        "batched-push-timeout": round(1e6 / max(camera.rate for camera in cameras)),
        "sync-inputs": False,
    }
    return [
        Element("nvstreammux", "mux", mux),
        Element("nvinfer", "infer", {"config-file-path": str(nvinfer_file)}),
        Element("queue", "searched", _ONE_BUFFER),
        Element("identity", "results", {"silent": True}),
        Element("fakesink", "sink", {"sync": False, "async": False, "enable-last-sample": False}),
    ]


def scaled_size(cameras: Sequence[CameraInput]) -> Tuple[int, int]:
    """Width and height of what all cameras give to the mux. ValueError where they differ: the mux would scale again."""
    sizes = [(camera.geometry.scaled_width, camera.geometry.scaled_height) for camera in cameras]
    for width, height in sizes[1:]:
        if (width, height) != sizes[0]:
            raise ValueError(
                f"the view makes {width} x {height} of these pictures and {sizes[0][0]} x {sizes[0][1]} of another "
                "camera's; in one run of the engine deepstream all must give the same: start a run for each shape"
            )
    return sizes[0]


def description(cameras: Sequence[CameraInput], nvinfer_file: Path) -> str:
    """The whole pipeline as one text."""
    chains = [_chain(common_elements(cameras, nvinfer_file))]
    chains += [f"{_chain(camera_elements(n, camera))} ! mux.sink_{n}" for n, camera in enumerate(cameras)]
    return "\n".join(chains)


def _chain(elements: Sequence[Element]) -> str:
    return " ! ".join(element.text() for element in elements)


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
