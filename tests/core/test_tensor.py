"""The scaled picture becomes the network's input, pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.core.tensor import blank_tensor, fill_tensor, row_stride, row_view
from numpy.typing import NDArray

sizes = st.integers(1, 17)


def padded_rows(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The bytes of a picture as GStreamer lays them out, rubbish in the padding."""
    height, width, channels = picture.shape
    rows = np.full((height, row_stride(width, channels)), 99, np.uint8)
    rows[:, : width * channels] = picture.reshape(height, -1)
    return rows.reshape(-1)


def random_picture(width: int, height: int, channels: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(width * 100 + height).integers(0, 256, (height, width, channels), np.uint8)


@pytest.mark.parametrize(("width", "stride"), [(1, 4), (4, 12), (5, 16), (427, 1284), (480, 1440)])
def test_rgb_rows_are_padded_to_four_bytes(width: int, stride: int) -> None:
    assert row_stride(width, 3) == stride


@given(width=sizes, height=sizes, channels=st.sampled_from([3, 4]))
def test_row_padding_is_not_seen_in_the_picture(width: int, height: int, channels: int) -> None:
    picture = random_picture(width, height, channels)

    view = row_view(padded_rows(picture), width, height, channels)

    assert np.array_equal(view, picture)


def test_the_view_shares_the_buffers_memory() -> None:
    data = padded_rows(random_picture(5, 3))

    assert np.shares_memory(row_view(data, 5, 3), data)


def test_a_buffer_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="5 x 3 picture has 48 bytes, the buffer has 45"):
        row_view(np.zeros(45, np.uint8), 5, 3)


@given(width=sizes, height=sizes, more_width=st.integers(0, 5), more_height=st.integers(0, 5))
def test_the_picture_lies_top_left_and_the_rest_is_zero(
    width: int, height: int, more_width: int, more_height: int
) -> None:
    picture = random_picture(width, height)
    tensor = blank_tensor(height + more_height, width + more_width)
    tensor[:] = 7

    fill_tensor(picture, tensor)

    expected = np.zeros((height + more_height, width + more_width, 3), np.float32)
    expected[:height, :width] = picture
    assert tensor.dtype == np.float32
    assert np.array_equal(tensor[0].transpose(1, 2, 0), expected)


@pytest.mark.parametrize(("width", "height"), [(9, 4), (4, 9)])
def test_a_picture_larger_than_the_input_is_refused(width: int, height: int) -> None:
    with pytest.raises(ValueError, match=f"picture of {width} x {height} does not fit a network input of 8 x 8"):
        fill_tensor(random_picture(width, height), blank_tensor(8, 8))
