"""A person is where a picture shows one in several sizes; one alone says little."""

from typing import Tuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.core.looks import Look, agreement
from nasion.core.views import ViewGeometry, whole_picture
from numpy.typing import NDArray

STRIDE = 4
#: Standard deviation of the drawn blobs, cells.
SIGMA = 1.5
frames = st.tuples(st.integers(200, 640), st.integers(200, 640))
places = st.tuples(st.floats(0.2, 0.8), st.floats(0.2, 0.8))


def blob(geometry: ViewGeometry, place: Tuple[float, float], height: float = 1.0) -> Look:
    """A heat map with a Gaussian at ``place``, in shares of the picture."""
    x, y = geometry.to_input(place[0] * geometry.frame_width, place[1] * geometry.frame_height)
    u, v = (x + 0.5) / STRIDE - 0.5, (y + 0.5) / STRIDE - 0.5
    rows, columns = np.mgrid[: geometry.input_height // STRIDE, : geometry.input_width // STRIDE]
    heat = height * np.exp(-((columns - u) ** 2 + (rows - v) ** 2) / (2 * SIGMA**2))
    return Look(heat.astype(np.float32), geometry)


def highest(heat: NDArray[np.float32], geometry: ViewGeometry) -> Tuple[float, float]:
    """Place of the highest cell, pixels of the picture."""
    row, column = np.unravel_index(np.argmax(heat), heat.shape)
    u, v = geometry.to_frame((column + 0.5) * STRIDE - 0.5, (row + 0.5) * STRIDE - 0.5)
    return float(u), float(v)


@given(frame=frames, place=places)
def test_what_both_say_stands_where_both_say_it(frame: Tuple[int, int], place: Tuple[float, float]) -> None:
    small, large = whole_picture(*frame, longest=320), whole_picture(*frame, longest=480)

    agreed = agreement([blob(small, place), blob(large, place)], STRIDE)

    u, v = highest(agreed, large)
    assert u == pytest.approx(place[0] * frame[0], abs=0.6 * STRIDE * large.scale_x)
    assert v == pytest.approx(place[1] * frame[1], abs=0.6 * STRIDE * large.scale_y)
    # The highest cell of a blob lies at most half a cell each way from its middle.
    assert agreed.max() >= 0.97 * np.exp(-(0.5**2) / SIGMA**2)


@given(heights=st.tuples(st.floats(0.1, 1), st.floats(0.1, 1)))
def test_its_height_is_the_geometric_mean(heights: Tuple[float, float]) -> None:
    same = whole_picture(320, 320, longest=320)
    looks = [blob(same, (0.25, 0.25), height) for height in heights]

    agreed = agreement(looks, STRIDE)

    expected = np.sqrt(looks[0].heat.max() * looks[1].heat.max())
    assert agreed.max() == pytest.approx(expected, rel=1e-3)


@given(frame=frames, place=places)
def test_what_only_one_says_is_nothing(frame: Tuple[int, int], place: Tuple[float, float]) -> None:
    small, large = whole_picture(*frame, longest=320), whole_picture(*frame, longest=480)
    nothing = Look(np.zeros_like(blob(large, place).heat), large)

    assert agreement([blob(small, place), nothing], STRIDE).max() == 0


def test_two_that_see_people_in_different_places_agree_on_neither() -> None:
    small, large = whole_picture(640, 480, longest=320), whole_picture(640, 480, longest=480)

    assert agreement([blob(small, (0.3, 0.3)), blob(large, (0.7, 0.7))], STRIDE).max() < 0.01


def test_one_look_is_what_it_is() -> None:
    look = blob(whole_picture(640, 480), (0.5, 0.5), 1.2)

    assert agreement([look], STRIDE) is look.heat


def test_nobody_looked() -> None:
    with pytest.raises(ValueError, match="at least one look"):
        agreement([], STRIDE)
