"""A card is drawn where it is said to be, to a fraction of a pixel, at every size."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nasion.sources.demo.card import Card
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
SPOT_U, SPOT_V = 70.3, 41.8


def spot_card() -> Card:
    """160 x 100 pixels, black, with one soft spot of light."""
    rows, columns = np.mgrid[:100, :160]
    spot = 240 * np.exp(-((columns - SPOT_U) ** 2 + (rows - SPOT_V) ** 2) / (2 * 5.0**2))
    return Card(np.repeat(np.rint(spot).astype(np.uint8)[..., None], 3, axis=2))


SPOT = spot_card()


@settings(max_examples=40, deadline=None)
@given(scale=st.floats(0.18, 2.5), left=st.floats(0, 20), top=st.floats(0, 20))
def test_a_spot_lands_where_scale_and_corner_say(scale: float, left: float, top: float) -> None:
    canvas = np.zeros((300, 440, 3), np.uint8)
    SPOT.draw(canvas, scale, left - 0.5, top - 0.5)
    light = canvas[..., 0].astype(np.float64)
    rows, columns = np.mgrid[:300, :440]
    u, v = (light * columns).sum() / light.sum(), (light * rows).sum() / light.sum()
    # Half-pixel rule: the outer corner of the card is half a pixel before the centre of its first one. Grey levels are
    # whole numbers: at scales next to 1, where all pixels fall halfway, rounding alone moves the spot by 0.06 pixels.
    assert u == pytest.approx(left - 0.5 + scale * (SPOT_U + 0.5), abs=0.08)
    assert v == pytest.approx(top - 0.5 + scale * (SPOT_V + 0.5), abs=0.08)


def white_card() -> Card:
    return Card(np.full((40, 60, 3), 200, np.uint8))


@settings(max_examples=40, deadline=None)
@given(scale=st.floats(0.2, 2), left=st.floats(-10, 70), top=st.floats(-10, 50))
def test_edges_cover_their_pixels_by_their_share(scale: float, left: float, top: float) -> None:
    canvas = np.zeros((60, 80, 3), np.uint8)
    rows, columns = white_card().draw(canvas, scale, left, top)
    # The light on the canvas is the area of the card on it.
    across = max(0.0, min(left + 60 * scale, 79.5) - max(left, -0.5))
    down = max(0.0, min(top + 40 * scale, 59.5) - max(top, -0.5))
    assert canvas[..., 1].sum() / 200 == pytest.approx(across * down, rel=0.01, abs=1)
    outside = np.ones((60, 80), bool)
    outside[rows, columns] = False
    assert not canvas[outside].any()


@pytest.mark.parametrize(("left", "top"), [(100.0, 5.0), (-70.0, 5.0), (5.0, 70.0), (5.0, -50.0)])
def test_a_card_outside_the_picture_leaves_it_alone(left: float, top: float) -> None:
    canvas = np.zeros((60, 80, 3), np.uint8)
    assert white_card().draw(canvas, 1.0, left, top) == (slice(0, 0), slice(0, 0))
    assert not canvas.any()


def test_a_small_card_is_averaged_not_sampled() -> None:
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::2] = 200
    canvas = np.zeros((40, 40, 3), np.uint8)
    Card(stripes).draw(canvas, 0.25, 10.2, 10.2)
    assert np.abs(canvas[14:22, 14:22].astype(int) - 100).max() <= 3
