"""From the scaled picture to the network's input."""

from typing import Tuple

import cv2
import numpy as np
from numpy.typing import NDArray


def row_view(data: NDArray[np.uint8], width: int, height: int, channels: int = 3) -> NDArray[np.uint8]:
    """(height, width, channels) view of a packed video buffer, without copying.

    ``data``: (n,) uint8, rows padded to multiples of 4 bytes as GStreamer lays out RGB and BGR. ValueError where the
    buffer has another size.
    """
    stride = row_stride(width, channels)
    if data.size != stride * height:
        raise ValueError(f"a {width} x {height} picture has {stride * height} bytes, the buffer has {data.size}")
    return data.reshape(height, stride)[:, : width * channels].reshape(height, width, channels)


def row_stride(width: int, channels: int) -> int:
    """Bytes from one row to the next in GStreamer's packed formats: a multiple of 4."""
    return (width * channels + 3) // 4 * 4


def blank_tensor(height: int, width: int) -> NDArray[np.float32]:
    """A network input of zeros, (1, 3, height, width) float32."""
    return np.zeros((1, 3, height, width), np.float32)


def fill_tensor(picture: NDArray[np.uint8], tensor: NDArray[np.float32]) -> None:
    """Write ``picture`` (h, w, 3) uint8 into the top left of ``tensor`` (1, 3, H, W) float32, values 0..255.

    The rest of the tensor is set to zero, which is how nvinfer pads at right and bottom. Normalisation is part of the
    network's graph. ValueError where the picture is larger than the tensor.
    """
    height, width = _fitting(picture.shape[:2], tensor.shape[2:])
    # Half as long as one copy of the transposed picture.
    for channel, plane in enumerate(cv2.split(picture)):
        tensor[0, channel, :height, :width] = plane
    tensor[0, :, height:, :] = 0
    tensor[0, :, :height, width:] = 0


def _fitting(inner: Tuple[int, ...], outer: Tuple[int, ...]) -> Tuple[int, int]:
    if inner[0] > outer[0] or inner[1] > outer[1]:
        raise ValueError(
            f"a picture of {inner[1]} x {inner[0]} does not fit a network input of {outer[1]} x {outer[0]}"
        )
    return inner[0], inner[1]
