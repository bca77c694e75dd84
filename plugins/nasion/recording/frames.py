"""A grab as the messages that are recorded of it, and back."""

import json
from typing import Callable, Iterator, Mapping, Optional, Tuple, TypeVar, Union

import numpy as np
from numpy.typing import NDArray

from nasion.core.calibration import Calibration
from nasion.errors import NasionError
from nasion.recording.foxglove import (
    calibration_message,
    depth_message,
    picture_message,
    read_depth,
    read_intrinsics,
    read_picture,
)
from nasion.recording.topics import CALIBRATION, CORRUPT, DEPTH, LEFT, RIGHT, RIGHT_CALIBRATION
from nasion.settings import DepthSettings
from nasion.sources.depth_map import DepthMap
from nasion.sources.frame import CorruptFrame, DepthAccessor, Frame
from nasion.sources.pictures import DamagedPictureError, Picture
from nasion.sources.stereo_depth import StereoDepth

_T = TypeVar("_T")
_Number = TypeVar("_Number", bound=np.generic)


def payloads(
    grab: Union[Frame, CorruptFrame], *, time_ns: int, frame_id: str, jpeg: Optional[int]
) -> Iterator[Tuple[str, bytes]]:
    """(part, message) of everything that the grab holds, the left picture last; ``jpeg``: quality, None for PNG.

    NasionError: its depth is of a kind that cannot be recorded.
    """
    if isinstance(grab, CorruptFrame):
        yield CORRUPT, json.dumps({"why": grab.why}).encode()
        return
    yield from _depth(grab.depth, grab.calibration, time_ns=time_ns, frame_id=frame_id, jpeg=jpeg)
    yield CALIBRATION, calibration_message(grab.calibration, right=False, time_ns=time_ns, frame_id=frame_id)
    yield LEFT, picture_message(grab.picture, time_ns=time_ns, frame_id=frame_id, jpeg=jpeg)


def _depth(
    depth: DepthAccessor, calibration: Calibration, *, time_ns: int, frame_id: str, jpeg: Optional[int]
) -> Iterator[Tuple[str, bytes]]:
    """The depth map, or the right picture that depth is matched with."""
    if isinstance(depth, DepthMap):
        yield DEPTH, depth_message(depth.whole, time_ns=time_ns, frame_id=frame_id)
    elif isinstance(depth, StereoDepth):
        yield RIGHT_CALIBRATION, calibration_message(calibration, right=True, time_ns=time_ns, frame_id=frame_id)
        yield RIGHT, picture_message(depth.right(), time_ns=time_ns, frame_id=frame_id, jpeg=jpeg)
    else:
        raise NasionError(f"depth of the kind {type(depth).__name__} cannot be recorded")


def assembled(
    parts: Mapping[str, bytes], baseline_m: float, limits: DepthSettings
) -> Tuple[Picture, DepthAccessor, Calibration]:
    """What `payloads` was given. DamagedPictureError: a part is missing or damaged, or they do not fit each other."""
    calibration = Calibration(_read(parts, CALIBRATION, read_intrinsics), baseline_m)
    size = (calibration.left.width, calibration.left.height)
    picture = _sized(LEFT, _read(parts, LEFT, read_picture), size)
    if DEPTH in parts:
        return picture, DepthMap(_sized(DEPTH, _read(parts, DEPTH, read_depth), size), limits), calibration
    right = _sized(RIGHT, _read(parts, RIGHT, read_picture), size)
    return picture, StereoDepth(picture, right, calibration, limits), calibration


def read_corrupt(data: bytes) -> str:
    """Why a frame was corrupt when it was recorded."""
    try:
        return str(json.loads(data)["why"])
    except (ValueError, LookupError, TypeError):
        return "it was corrupt when it was recorded"


def _read(parts: Mapping[str, bytes], part: str, read: Callable[[bytes], _T]) -> _T:
    try:
        if part not in parts:
            raise DamagedPictureError("it is missing")
        return read(parts[part])
    except DamagedPictureError as damage:
        raise DamagedPictureError(f"{part}: {damage}") from None


def _sized(part: str, array: "NDArray[_Number]", size: Tuple[int, int]) -> "NDArray[_Number]":
    found = (array.shape[1], array.shape[0])
    if found != size:
        raise DamagedPictureError(
            f"{part}: it is {found[0]}x{found[1]}, but the calibration is for {size[0]}x{size[1]}"
        )
    return array
