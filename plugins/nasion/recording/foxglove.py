"""Pictures, depth and calibration as Foxglove's messages, there and back.

https://docs.foxglove.dev/docs/visualization/message-schemas; in Protocol Buffers, because JSON would carry pictures as
base64: measured on a depth map of 1280 x 720, that took twice the time and a seventh more room.
"""

from typing import Any, Dict, Optional

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray

from nasion.core.calibration import Calibration, Intrinsics
from nasion.recording.protobuf import TIMESTAMP, Field, MessageType, decode, encode
from nasion.sources.pictures import DamagedPictureError, Picture, decode_picture

COMPRESSED_IMAGE = MessageType(
    "foxglove.CompressedImage",
    (
        Field(1, "timestamp", TIMESTAMP),
        Field(4, "frame_id", "string"),
        Field(2, "data", "bytes"),
        Field(3, "format", "string"),
    ),
)
RAW_IMAGE = MessageType(
    "foxglove.RawImage",
    (
        Field(1, "timestamp", TIMESTAMP),
        Field(7, "frame_id", "string"),
        Field(2, "width", "fixed32"),
        Field(3, "height", "fixed32"),
        Field(4, "encoding", "string"),
        Field(5, "step", "fixed32"),
        Field(6, "data", "bytes"),
    ),
)
CAMERA_CALIBRATION = MessageType(
    "foxglove.CameraCalibration",
    (
        Field(1, "timestamp", TIMESTAMP),
        Field(9, "frame_id", "string"),
        Field(2, "width", "fixed32"),
        Field(3, "height", "fixed32"),
        Field(4, "distortion_model", "string"),
        Field(5, "D", "double", repeated=True),
        Field(6, "K", "double", repeated=True),
        Field(7, "R", "double", repeated=True),
        Field(8, "P", "double", repeated=True),
    ),
)

_DEPTH_ENCODING = "32FC1"
_DAMAGE = "is no message of its kind"


def picture_message(picture: Picture, *, time_ns: int, frame_id: str, jpeg: Optional[int] = None) -> bytes:
    """A picture, (H, W, 3) BGR or (H, W, 4) BGRx: lossless as PNG, or as JPEG of quality ``jpeg``.

    The x is left out: the network never sees it.
    """
    bgr = np.ascontiguousarray(picture[:, :, :3])
    if jpeg is None:
        data = cv2.imencode(".png", bgr)[1].tobytes()
    else:
        data = simplejpeg.encode_jpeg(bgr, quality=jpeg, colorspace="BGR", colorsubsampling="444")
    kind = "png" if jpeg is None else "jpeg"
    return encode(COMPRESSED_IMAGE, {**_head(time_ns, frame_id), "data": data, "format": kind})


def depth_message(depth: NDArray[np.float32], *, time_ns: int, frame_id: str) -> bytes:
    """A depth map, (H, W) metres, bit for bit."""
    height, width = depth.shape
    values = {
        **_head(time_ns, frame_id),
        "width": width,
        "height": height,
        "encoding": _DEPTH_ENCODING,
        "step": 4 * width,
        "data": np.ascontiguousarray(depth, "<f4").tobytes(),
    }
    return encode(RAW_IMAGE, values)


def calibration_message(calibration: Calibration, *, right: bool, time_ns: int, frame_id: str) -> bytes:
    """One eye of a rectified pair. ``frame_id``: the left camera's; the right one lies in it, by P."""
    lens = calibration.left
    shift = -calibration.focal_baseline if right else 0.0
    camera = [[lens.fx, 0.0, lens.cx], [0.0, lens.fy, lens.cy], [0.0, 0.0, 1.0]]
    values = {
        **_head(time_ns, frame_id),
        "width": lens.width,
        "height": lens.height,
        "K": [number for row in camera for number in row],
        "R": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        "P": [*camera[0], shift, *camera[1], 0.0, *camera[2], 0.0],
    }
    return encode(CAMERA_CALIBRATION, values)


def read_picture(data: bytes) -> Picture:
    """(H, W, 3) BGR; DamagedPictureError."""
    return decode_picture(bytes(_decoded(COMPRESSED_IMAGE, data)["data"]))


def read_depth(data: bytes) -> NDArray[np.float32]:
    """(H, W) metres, not to be written to; DamagedPictureError."""
    values = _decoded(RAW_IMAGE, data)
    width, height, encoding = values["width"], values["height"], values["encoding"]
    if encoding != _DEPTH_ENCODING or values["step"] != 4 * width:
        found = f"{encoding} with rows of {values['step']} bytes"
        raise DamagedPictureError(f"it is {found}; expected {_DEPTH_ENCODING} with rows of {4 * width}")
    if len(values["data"]) != 4 * width * height:
        raise DamagedPictureError(f"it has {len(values['data'])} bytes; expected {4 * width * height}")
    return np.frombuffer(values["data"], "<f4").reshape(height, width)


def read_intrinsics(data: bytes) -> Intrinsics:
    """Of the rectified left picture; DamagedPictureError."""
    values = _decoded(CAMERA_CALIBRATION, data)
    size, projection = (values["width"], values["height"]), values["P"]
    if len(projection) != 12:
        raise DamagedPictureError(f"its P has {len(projection)} numbers; expected 12")
    fx, fy, cx, cy = (projection[at] for at in (0, 5, 2, 6))
    # NaN fails every comparison.
    if not (0 < fx < np.inf and 0 < fy < np.inf and 0 < cx < size[0] and 0 < cy < size[1]):
        raise DamagedPictureError(f"fx, fy, cx, cy are {fx:g}, {fy:g}, {cx:g}, {cy:g} in {size[0]}x{size[1]} pixels")
    return Intrinsics(*size, fx, fy, cx, cy)


def _head(time_ns: int, frame_id: str) -> Dict[str, Any]:
    seconds, nanos = divmod(time_ns, 1_000_000_000)
    return {"timestamp": {"seconds": seconds, "nanos": nanos}, "frame_id": frame_id}


def _decoded(message: MessageType, data: bytes) -> Dict[str, Any]:
    try:
        return decode(message, data)
    except ValueError as error:
        raise DamagedPictureError(f"it {_DAMAGE}: {error}") from None
