"""Topic `info`: the birth certificate of a session, what a receiver must know to read its messages."""

from typing import Dict

from pydantic import Field
from typing_extensions import Literal

from nasion.messages.base import Count, Finite, Message, Stamped
from nasion.settings import View

#: The unit of every quantity; a name's ending says it again (`range_m`, `bearing_rad`, `latency_ms`, `captured_ns`).
UNITS = {
    "position": "m",
    "covariance": "m2",
    "depth": "m",
    "range": "m",
    "bearing": "rad",
    "pixel": "px",
    "age": "ms",
    "latency": "ms",
    "at": "s",
}


class ModelInfo(Message):
    """The network."""

    name: str = Field(description="E.g. `nasion-lite`.")
    version: str = Field(description="Version of the weights.")
    digest: str = Field(description="SHA-256 of the model file, hexadecimal.")
    precision: Literal["float", "int8"] = Field(description="What its weights and activations are.")
    keypoint: str = Field(description="What the point is that it finds.")


class Size(Message):
    """Pixels."""

    width: Count
    height: Count


class CalibrationInfo(Message):
    """Pinhole model of the rectified full-resolution left picture, and the distance of the two cameras."""

    fx: Finite = Field(description="Pixels.")
    fy: Finite = Field(description="Pixels.")
    cx: Finite = Field(description="Pixels, from the centre of the top-left pixel.")
    cy: Finite = Field(description="Pixels, from the centre of the top-left pixel.")
    baseline_m: Finite = Field(gt=0, description="Distance of left and right camera.")


class Limits(Message):
    """What bounds an answer."""

    near_m: Finite = Field(gt=0, description="Nearer is `too_near`.")
    far_m: Finite = Field(gt=0, description="Farther is `too_far`.")
    threshold: Finite = Field(ge=0, le=1, description="Probability from which on a person is listed.")
    max_persons: Count = Field(description="No more persons than this are listed.")


class InfoMessage(Stamped):
    """Retained, and said again with every connection. It stays after the end: `status` says whether `session` lives."""

    version: str = Field(description="Version of Nasion.")
    engine: str = Field(description="What runs the network.")
    model: ModelInfo
    view: View = Field(description="What the network sees of the picture.")
    frame: Size = Field(description="The full-resolution left picture, in whose pixels `pixel` counts.")
    network_input: Size = Field(description="What the network sees.")
    calibration: CalibrationInfo
    frame_id: str = Field(description="Coordinate frame of every position.")
    live: bool = Field(description="Whether the source gives frames at the pace of real time.")
    fps: Finite = Field(description="Frames per second of the source, nominal.")
    limits: Limits
    units: Dict[str, str] = Field(description="The unit of every quantity.")
    max_age_ms: Finite = Field(gt=0, description="No `person` message older than this is sent.")
