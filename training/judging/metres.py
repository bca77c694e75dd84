"""What an eye distance in pixels is in metres: the honest form of "finds people up to N metres away"."""

from collections.abc import Sequence
from typing import Any

from nasion.core.calibration import Intrinsics
from nasion.core.views import INPUT_SIZES, view_geometry
from nasion.settings import View
from nasion.sources.demo.scene import CALIBRATIONS

#: Mean distance between the pupils of adults, metres (Dodgson 2004, "Variation and extrema of human interpupillary
#: distance", Proc. SPIE 5291: 63 mm, most within 50..75 mm).
INTERPUPILLARY_M = 0.063

#: The frame of each camera format. The focal lengths stand in the demo scene: a ZED's at 1080p and 720p. They differ
#: from model to model (a ZED 2's 720p is wider, about 530 px), and metres are proportional to them.
CAMERAS: dict[str, Intrinsics] = {f"{height}p": CALIBRATIONS[height].left for height in sorted(CALIBRATIONS)}


def distance_m(eye_distance_px: float, view: View, camera: Intrinsics) -> float:
    """Metres at which a person who looks into the camera has this eye distance, pixels of the view's network input.

    Pinhole camera: ``z = fx * interpupillary distance / eye distance in frame pixels``. A head turned by an angle looks
    as far away as one at ``z / cos(angle)``.
    """
    scale = view_geometry(view, camera.width, camera.height).scale_x
    return camera.fx * INTERPUPILLARY_M / (eye_distance_px * scale)


def in_metres(eye_distance_px: float) -> dict[str, dict[str, float]]:
    """``distance_m`` for each view and each camera format."""
    return {
        view: {name: distance_m(eye_distance_px, view, camera) for name, camera in CAMERAS.items()}
        for view in INPUT_SIZES
    }


def metres_of_bins(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each row of ``by_eye_distance``: its pixels, and [nearest, farthest] metres for each view and format.

    None where a bin has no end: the smallest faces are arbitrarily far, the largest arbitrarily near.
    """
    return [{"eye_distance_px": row["eye_distance_px"], "metres": _spans(*row["eye_distance_px"])} for row in rows]


def _spans(low_px: float, high_px: float | None) -> dict[str, dict[str, list[float | None]]]:
    near, far = (in_metres(edge) if edge else None for edge in (high_px, low_px))
    return {
        view: {name: [None if end is None else end[view][name] for end in (near, far)] for name in CAMERAS}
        for view in INPUT_SIZES
    }


def reach(rows: Sequence[dict[str, Any]], recall_in_place: float = 0.9) -> dict[str, Any] | None:
    """How far away people are still found: from which eye distance on every bin has this recall in place.

    ``eye_distance_px`` and the ``metres`` it is at; bins without pictures say nothing and are passed over. None where
    not even the largest faces are found so often, or where the smallest are, which are arbitrarily far away.
    """
    smallest: float | None = None
    for row in reversed(rows):
        if row["recall_in_place"] is None:
            continue
        if row["recall_in_place"] < recall_in_place:
            break
        smallest = row["eye_distance_px"][0]
    if not smallest:
        return None
    return {"recall_in_place": recall_in_place, "eye_distance_px": smallest, "metres": in_metres(smallest)}
