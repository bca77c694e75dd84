"""What the doubles of NVIDIA's elements share: the facts they are made of, and what happens in them in a test."""

from __future__ import annotations

import json
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

import cv2
import numpy as np
from gi.repository import GLib, GObject
from nasion.core.scaling import resized
from nasion.pipeline.buffers import picture_buffer
from nasion.pipeline.gst import load_gst
from numpy.typing import NDArray

from tests.doubles import pyds_double as pyds

load_gst()
from gi.repository import Gst  # noqa: E402  # only now it is clear which version

FACTS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "fixtures" / "elements.json").read_text())["elements"]
#: Of the list in the facts without RGB and BGR: the Jetson's scaler, the element's default, has no 24-bit formats.
RAW = "{I420,NV12,P010_10LE,BGRx,RGBA,GRAY8,YUY2,UYVY,YVYU,Y42B,BGR10A2_LE,UYVP}"
NVMM = "video/x-raw(memory:NVMM),format="

Resampler = Callable[[NDArray[np.uint8], int, int], NDArray[np.uint8]]


def bilinear(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Two by two pixels, however much it shrinks."""
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def nearest(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_NEAREST).astype(np.uint8, copy=False)


def as_the_cpu_engine(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """As the engine onnxruntime scales."""
    return resized(picture, width, height)


@dataclass
class Reality:
    """What happens in the elements: written by the test. Frames are named by pad and number, both from 0.

    ``tensor``: makes of a heat map what nvinfer gives in its place; ``null``: frames whose host pointer is empty;
    ``no_list``: those whose list of host pointers is; ``name``: what the output is called. ``foreign_pts``: makes of a
    frame's PTS another one, behind nvinfer. ``swallowed``, ``failing``: batches that do not come out of nvinfer, or end
    it with an error; ``held``: those that come out behind the next one.
    """

    resample: Resampler = bilinear
    dropped_by_mux: Callable[[int, int], bool] = lambda _pad, _number: False
    twice: Callable[[int, int], bool] = lambda _pad, _number: False
    without_tensor: Callable[[int, int], bool] = lambda _pad, _number: False
    null: Callable[[int, int], bool] = lambda _pad, _number: False
    no_list: Callable[[int, int], bool] = lambda _pad, _number: False
    name: bytes | None = b"heat_map"
    tensor: Callable[[NDArray[np.float32]], NDArray[Any]] = lambda heat: heat
    foreign_pts: Callable[[int, int, int], int] = lambda _pad, _number, pts: pts
    swallowed: Callable[[int], bool] = lambda _batch: False
    failing: Callable[[int], bool] = lambda _batch: False
    held: Callable[[int], bool] = lambda _batch: False
    before_inference: Callable[[], None] = lambda: None
    #: What was done: for the test to look at.
    faults: list[str] = field(default_factory=list)
    batch_sizes: list[int] = field(default_factory=list)
    #: How many batches were in nvinfer at once, at most.
    most_in_flight: int = 0
    built: list[Path] = field(default_factory=list)
    batches: pyds.Batches = field(default_factory=pyds.Batches)
    surfaces: dict[int, list[NDArray[np.uint8]]] = field(default_factory=dict)
    #: The frame metas of a batch: what nvinfer, in C, walks without pyds.
    frames: dict[int, list[Any]] = field(default_factory=dict)

    def broken(self) -> list[str]:
        """All that no run may do."""
        return [*self.faults, *self.batches.undefined]


#: The reality of the test that runs now.
_now: list[Reality] = []


def reality() -> Reality:
    return _now[-1]


def put_on(real: Reality) -> None:
    """From now on elements live in ``real``."""
    _now.append(real)


def take_off() -> None:
    """Back to the one before."""
    _now.pop()


def properties(facts: str) -> dict[str, Any]:
    """As PyGObject wants them."""
    made: dict[str, Any] = {}
    for name, about in FACTS[facts]["properties"].items():
        low, high = about.get("range", (0, GLib.MAXUINT32))
        if about["type"] in ("uint", "int", "uint64"):
            kind = {"uint": GObject.TYPE_UINT, "int": GObject.TYPE_INT, "uint64": GObject.TYPE_UINT64}[about["type"]]
            high = GLib.MAXUINT64 if kind == GObject.TYPE_UINT64 else high
            made[name] = (kind, name, name, low, high, about["default"], GObject.ParamFlags.READWRITE)
        elif about["type"] == "enum":
            keys = sorted(int(key) for key in about["enum"])
            made[name] = (int, name, name, keys[0], keys[-1], about["default"], GObject.ParamFlags.READWRITE)
        elif about["type"] == "boolean":
            made[name] = (bool, name, name, about["default"], GObject.ParamFlags.READWRITE)
        elif about["type"] == "string":
            made[name] = (str, name, name, about["default"], GObject.ParamFlags.READWRITE)
        else:
            assert about["type"] == "pointer", about
    return made


class Facts:
    """Property values, kept by name."""

    facts: str

    def _init_values(self) -> None:
        about = FACTS[self.facts]["properties"]
        self.values = {name: fact["default"] for name, fact in about.items()}

    def do_get_property(self, spec: Any) -> Any:
        return self.values[spec.name]

    def do_set_property(self, spec: Any, value: Any) -> None:
        early = FACTS[self.facts]["properties"][spec.name].get("changeable") == "NULL/READY"
        if early and self.get_state(0).state > Gst.State.READY:  # type: ignore[attr-defined]
            reality().faults.append(f"{self.facts}: {spec.name} was set in a state in which it has no effect")
        self.values[spec.name] = value


def template(name: str, direction: Any, caps: str, presence: Any = Gst.PadPresence.ALWAYS) -> Any:
    return Gst.PadTemplate.new(name, direction, presence, Gst.Caps.from_string(caps))


def nvmm_buffer(pts: int, surfaces: list[NDArray[np.uint8]], gone: Callable[[int], None] = lambda _: None) -> Any:
    """A buffer whose memory is a handle, not pixels; the surfaces are forgotten with it."""
    handle = np.full((1, 16, 4), 0xA5, np.uint8)
    buffer, real = picture_buffer(handle, pts), reality()
    address = hash(buffer)
    real.surfaces[address] = surfaces

    def forget() -> None:
        del real.surfaces[address]
        gone(address)

    weakref.finalize(handle, forget).atexit = False
    return buffer


def fail(element: Any, text: str, place: str) -> Any:
    element.post_message(Gst.Message.new_error(element, GLib.Error(text), place))
    return Gst.FlowReturn.ERROR
