"""Pixels between the eyes to metres, worked out by hand."""

from typing import Any

import pytest
from nasion.settings import View

from training.judging.metres import CAMERAS, distance_m, metres_of_bins, reach


@pytest.mark.parametrize(
    ("view", "camera", "metres"),
    [
        # 8 network pixels are 8 x 4 frame pixels; 1060 * 0.063 / 32.
        ("centre", "1080p", 2.086875),
        ("full", "1080p", 2.086875),
        # Shrunk by 2 only: twice as far.
        ("fine", "1080p", 4.17375),
        # 700 * 0.063 / (8 * 3), and / (8 * 1280 / 480).
        ("centre", "720p", 1.8375),
        ("full", "720p", 2.0671875),
        ("fine", "720p", 4.134375),
    ],
)
def test_eyes_eight_pixels_apart_are_this_far_away(view: View, camera: str, metres: float) -> None:
    assert distance_m(8, view, CAMERAS[camera]) == pytest.approx(metres)


def test_half_the_pixels_are_twice_the_distance() -> None:
    assert distance_m(4, "full", CAMERAS["1080p"]) == pytest.approx(2 * distance_m(8, "full", CAMERAS["1080p"]))


def test_bins_run_from_their_large_faces_to_their_small_ones() -> None:
    bins = metres_of_bins([{"eye_distance_px": edges} for edges in ([0.0, 4.0], [4.0, 8.0], [8.0, None])])
    spans = [row["metres"]["full"]["1080p"] for row in bins]
    assert spans[0] == [pytest.approx(4.17375), None]
    assert spans[1] == [pytest.approx(2.086875), pytest.approx(4.17375)]
    assert spans[2] == [None, pytest.approx(2.086875)]


def rows(*recalls: float | None) -> list[dict[str, Any]]:
    return [
        {"eye_distance_px": [low, None], "recall_in_place": recall}
        for low, recall in zip((0.0, 4.0, 8.0, 16.0), recalls, strict=True)
    ]


@pytest.mark.parametrize(
    ("recalls", "expected"),
    [
        ((0.2, 0.5, 0.9, 1.0), 8.0),
        # A good bin beyond a bad one does not count.
        ((0.2, 0.95, 0.5, 1.0), 16.0),
        ((0.2, None, 0.9, 1.0), 8.0),
        ((0.2, 0.95, None, 1.0), 4.0),
        ((0.2, 0.5, 0.9, 0.8), None),
        ((0.9, 0.9, 0.9, 0.9), None),
        ((None, None, None, None), None),
    ],
)
def test_people_are_found_up_to_where_every_nearer_bin_holds(
    recalls: tuple[float | None, ...], expected: float | None
) -> None:
    reached = reach(rows(*recalls), recall_in_place=0.9)
    assert (reached and reached["eye_distance_px"]) == expected
