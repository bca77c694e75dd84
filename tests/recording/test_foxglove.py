"""Pictures, depth and calibration go through Foxglove's messages and come back the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from nasion.core.calibration import Calibration, Intrinsics
from nasion.recording.foxglove import (
    CAMERA_CALIBRATION,
    COMPRESSED_IMAGE,
    RAW_IMAGE,
    calibration_message,
    depth_message,
    picture_message,
    read_depth,
    read_intrinsics,
    read_picture,
)
from nasion.recording.protobuf import decode, encode
from nasion.sources.pictures import DamagedPictureError
from numpy.typing import NDArray

TIME_NS, FRAME_ID = 1_700_000_000_123_456_789, "cam0_left_camera_optical_frame"
LENS = Intrinsics(64, 48, 50.1, 50.2, 31.7, 24.3)
SIDES = array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9)


@pytest.fixture
def noise() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (48, 64, 4)).astype(np.uint8)


@pytest.mark.parametrize("channels", [3, 4])
def test_a_png_keeps_every_pixel(noise: NDArray[np.uint8], channels: int) -> None:
    data = picture_message(noise[:, :, :channels], time_ns=TIME_NS, frame_id=FRAME_ID)
    assert np.array_equal(read_picture(data), noise[:, :, :3])
    about = decode(COMPRESSED_IMAGE, data)
    assert (about["format"], about["frame_id"]) == ("png", FRAME_ID)
    assert (about["timestamp"].seconds, about["timestamp"].nanos) == (1_700_000_000, 123_456_789)


def test_a_jpeg_keeps_what_is_seen(noise: NDArray[np.uint8]) -> None:
    smooth = np.full_like(noise, 90)
    smooth[:, 32:] = 160
    data = picture_message(smooth, time_ns=TIME_NS, frame_id=FRAME_ID, jpeg=90)
    assert decode(COMPRESSED_IMAGE, data)["format"] == "jpeg"
    assert np.abs(read_picture(data).astype(int) - smooth[:, :, :3]).max() <= 8


@given(arrays(np.uint32, SIDES, elements=st.integers(0, 2**32 - 1)))
def test_depth_keeps_every_bit_also_of_what_is_no_number(bits: NDArray[np.uint32]) -> None:
    depth = bits.view(np.float32)
    data = depth_message(depth, time_ns=TIME_NS, frame_id=FRAME_ID)
    assert np.array_equal(read_depth(data).view(np.uint32), bits)
    assert decode(RAW_IMAGE, data)["encoding"] == "32FC1"


@given(st.tuples(*[st.floats(1e-3, 1e6)] * 2), st.tuples(*[st.floats(0.1, 47.9)] * 2), st.floats(0.01, 1))
def test_a_calibration_keeps_every_digit(
    focal: "tuple[float, float]", centre: "tuple[float, float]", baseline_m: float
) -> None:
    calibration = Calibration(Intrinsics(64, 48, *focal, *centre), baseline_m)
    left, right = (
        calibration_message(calibration, right=right, time_ns=TIME_NS, frame_id=FRAME_ID) for right in (False, True)
    )
    assert read_intrinsics(left) == calibration.left
    assert decode(CAMERA_CALIBRATION, left)["P"][3] == 0.0
    assert decode(CAMERA_CALIBRATION, right)["P"][3] == -calibration.focal_baseline


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"encoding": "16UC1"}, "it is 16UC1 with rows of 256 bytes; expected 32FC1"),
        ({"step": 4}, "with rows of 4 bytes; expected 32FC1 with rows of 256"),
        ({"height": 47}, "it has 12288 bytes; expected 12032"),
        ({"data": b""}, "it has 0 bytes"),
    ],
)
def test_depth_that_does_not_fit_itself_is_damaged(changed: "dict[str, object]", says: str) -> None:
    values = {"width": 64, "height": 48, "encoding": "32FC1", "step": 256, "data": bytes(64 * 48 * 4)}
    with pytest.raises(DamagedPictureError, match=says):
        read_depth(encode(RAW_IMAGE, {**values, **changed}))


@pytest.mark.parametrize("at", [0, 5, 2, 6])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 0.0])
def test_a_lens_that_cannot_be_is_damaged(at: int, value: float) -> None:
    data = calibration_message(Calibration(LENS, 0.12), right=False, time_ns=TIME_NS, frame_id=FRAME_ID)
    projection = decode(CAMERA_CALIBRATION, data)["P"]
    projection[at] = value
    with pytest.raises(DamagedPictureError, match="fx, fy, cx, cy are"):
        read_intrinsics(encode(CAMERA_CALIBRATION, {"width": 64, "height": 48, "P": projection}))
    with pytest.raises(DamagedPictureError, match="its P has 0 numbers"):
        read_intrinsics(b"")


@pytest.mark.parametrize("read", [read_picture, read_depth, read_intrinsics])
@given(data=st.binary(max_size=80))
def test_any_bytes_are_damaged_at_worst(read: object, data: bytes) -> None:
    with pytest.raises(DamagedPictureError):
        read(data)  # type: ignore[operator]
