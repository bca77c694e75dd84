"""Views: which part of a frame the network sees, how large, and how its pixels and the frame's map to each other.

Every mapping between network pixels and frame pixels stands here. Both count (u, v) = (column, row) from the centre of
their top-left pixel, so that pixel u covers u - 0.5 .. u + 0.5 and a scaling by s takes u to (u + 0.5) * s - 0.5 (the
half-pixel rule, which nvinfer and OpenCV keep).
"""

from dataclasses import dataclass
from typing import Dict, Tuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from typing_extensions import Literal

from nasion.settings import View

#: How the channels of the network's input follow each other.
ChannelOrder = Literal["RGB", "BGR"]

Coordinate = TypeVar("Coordinate", float, NDArray[np.float32], NDArray[np.float64])

#: Network input of each view, (height, width) in pixels.
INPUT_SIZES: Dict[View, Tuple[int, int]] = {"centre": (224, 224), "full": (288, 480), "fine": (544, 960)}

#: `centre` shrinks the picture to this width before it takes the middle: 1080p by 4, and other sizes to the same width.
_CENTRE_WIDTH = 480
#: The exception that the original makes to that width: 720p is shrunk by 3 (to 427 pixels).
_CENTRE_FACTORS = {(1280, 720): 3.0}


@dataclass(frozen=True)
class ViewGeometry:
    """A rectangle of the frame (crop), its size after scaling, and the network input in whose top-left corner it lies.

    All in pixels. The input's rest, right of and below the scaled crop, is padded with 0. Width and height are scaled
    separately, because whole pixels rarely keep the aspect ratio exactly. ValueError where the crop leaves the frame or
    the scaled crop does not fit the input.
    """

    frame_width: int
    frame_height: int
    crop_left: int
    crop_top: int
    crop_width: int
    crop_height: int
    scaled_width: int
    scaled_height: int
    input_width: int
    input_height: int

    def __post_init__(self) -> None:
        for axis, frame, start, crop, scaled, network in (
            ("width", self.frame_width, self.crop_left, self.crop_width, self.scaled_width, self.input_width),
            ("height", self.frame_height, self.crop_top, self.crop_height, self.scaled_height, self.input_height),
        ):
            if start < 0 or crop < 1 or start + crop > frame:
                raise ValueError(f"the crop's {axis} {crop} from {start} does not lie in a frame of {axis} {frame}")
            if not 1 <= scaled <= network:
                raise ValueError(f"the scaled crop's {axis} must be 1..{network} (the network input), not {scaled}")

    @property
    def scale_x(self) -> float:
        """Frame pixels per network pixel, horizontally."""
        return self.crop_width / self.scaled_width

    @property
    def scale_y(self) -> float:
        """Frame pixels per network pixel, vertically."""
        return self.crop_height / self.scaled_height

    @property
    def padded(self) -> bool:
        """Whether the input has padding."""
        return (self.scaled_width, self.scaled_height) != (self.input_width, self.input_height)

    @property
    def crop(self) -> Tuple[slice, slice]:
        """Rows and columns of the frame that the network sees."""
        return (
            slice(self.crop_top, self.crop_top + self.crop_height),
            slice(self.crop_left, self.crop_left + self.crop_width),
        )

    def to_frame(self, u: Coordinate, v: Coordinate) -> Tuple[Coordinate, Coordinate]:
        """Network pixel to frame pixel; numbers or arrays. Padding maps to places outside the crop."""
        return (
            self.crop_left + (u + 0.5) * self.scale_x - 0.5,
            self.crop_top + (v + 0.5) * self.scale_y - 0.5,
        )

    def to_input(self, u: Coordinate, v: Coordinate) -> Tuple[Coordinate, Coordinate]:
        """Frame pixel to network pixel, the inverse of ``to_frame``; numbers or arrays."""
        return (
            (u - self.crop_left + 0.5) / self.scale_x - 0.5,
            (v - self.crop_top + 0.5) / self.scale_y - 0.5,
        )


def view_geometry(view: View, width: int, height: int) -> ViewGeometry:
    """Geometry of a view for frames of ``width`` x ``height`` pixels.

    `centre`: the middle of the shrunken picture, 224 x 224 (a crop of 896² at 1080p, 672² at 720p; a frame too small
    for the square gives the rectangle there is). `full`, `fine`: the whole frame (less an odd last column or row), as
    large as the input allows; `fine` is never enlarged. Crops have even left, top, width and height.
    ValueError: an unknown view, or a frame that leaves nothing to see (under 2 pixels, or an extreme aspect ratio).
    """
    if view not in INPUT_SIZES:
        raise ValueError(f"unknown view {view!r}; known are {', '.join(INPUT_SIZES)}")
    if min(width, height) < 2:
        raise ValueError(f"a frame of {width} x {height} pixels is too small; each side needs at least 2")
    input_height, input_width = INPUT_SIZES[view]
    if view == "centre":
        factor = _CENTRE_FACTORS.get((width, height), width / _CENTRE_WIDTH)
        crop_left, crop_width = _middle(width, factor * input_width)
        crop_top, crop_height = _middle(height, factor * input_height)
    else:
        crop_left, crop_width = 0, _even(width)
        crop_top, crop_height = 0, _even(height)
    scaled_width, scaled_height = _fit(crop_width, crop_height, input_width, input_height)
    if view == "fine" and scaled_width >= crop_width and scaled_height >= crop_height:
        scaled_width, scaled_height = crop_width, crop_height
    if min(scaled_width, scaled_height) < 1:
        raise ValueError(
            f"a frame of {width} x {height} pixels is too narrow for view {view!r}: nothing is left of it when it is "
            f"scaled to {input_width} x {input_height}"
        )
    return ViewGeometry(
        frame_width=width,
        frame_height=height,
        crop_left=crop_left,
        crop_top=crop_top,
        crop_width=crop_width,
        crop_height=crop_height,
        scaled_width=scaled_width,
        scaled_height=scaled_height,
        input_width=input_width,
        input_height=input_height,
    )


def whole_picture(width: int, height: int, longest: int = 320, multiple: int = 32) -> ViewGeometry:
    """Geometry of a still picture: the longest side scaled to ``longest``, padded to multiples of ``multiple``.

    The network halves its picture several times, so its input must be a multiple of 32 (``multiple``). ValueError where
    a size is not positive.
    """
    if min(width, height, longest, multiple) < 1:
        raise ValueError(f"sizes must be at least 1: width {width}, height {height}, {longest=}, {multiple=}")
    shrink = longest / max(width, height)
    scaled_width, scaled_height = max(1, round(width * shrink)), max(1, round(height * shrink))
    return ViewGeometry(
        frame_width=width,
        frame_height=height,
        crop_left=0,
        crop_top=0,
        crop_width=width,
        crop_height=height,
        scaled_width=scaled_width,
        scaled_height=scaled_height,
        input_width=-(-scaled_width // multiple) * multiple,
        input_height=-(-scaled_height // multiple) * multiple,
    )


def _even(length: float) -> int:
    """Largest even number that is not above ``length``."""
    return int(length) // 2 * 2


def _middle(frame: int, wanted: float) -> Tuple[int, int]:
    """Start and length, both even, of the middle ``wanted`` pixels of ``frame`` pixels, or of all there are."""
    length = min(max(_even(wanted + 1), 2), _even(frame))
    return _even((frame - length) / 2), length


def _fit(width: int, height: int, input_width: int, input_height: int) -> Tuple[int, int]:
    """Size of ``width`` x ``height`` scaled into the input, aspect ratio kept: nvinfer's ``maintain-aspect-ratio=1``.

    nvinfer truncates to whole pixels, and so the other side's scale differs a little. Which side fills the input it
    decides before.
    """
    if input_width * height <= input_height * width:
        return input_width, input_width * height // width
    return input_height * width // height, input_height
