"""Heat map to keypoints: who is in the frame and where, in pixels of the full-resolution left picture."""

import math

from nasion.core.heatmap import HeatMap, Peak, find_peaks
from nasion.core.results import FrameReason, Keypoint, Located
from nasion.core.views import ViewGeometry

#: A map without a cell this high shows nobody; between this and the threshold somebody may be there.
NO_FACE_BELOW = 0.3
#: A keypoint's standard deviation is never given as less, network pixels: what a sharp peak still errs by.
_SHARP_SIGMA_PX = 1.0


def locate(
    heat: HeatMap,
    geometry: ViewGeometry,
    stride: int,
    *,
    threshold: float,
    max_persons: int,
    drawn_sigma_px: float,
) -> Located:
    """The up to ``max_persons`` most probable keypoints of ``heat`` (input height / stride, input width / stride).

    Cells that lie wholly in the padding are not looked at, and a keypoint is at most at the centre of the crop's
    outermost pixel. A probability above 1 counts as 1. ``drawn_sigma_px`` is what the model's metadata calls
    ``sigma_px``. ValueError: ``heat`` has another shape, or a value that is not finite.
    """
    expected = (geometry.input_height // stride, geometry.input_width // stride)
    if heat.shape != expected:
        raise ValueError(f"the heat map's shape is {heat.shape}; this view and stride {stride} give {expected}")
    picture = heat[: -(-geometry.scaled_height // stride), : -(-geometry.scaled_width // stride)]
    peaks = find_peaks(picture, max_peaks=max_persons, minimum=threshold, drawn_sigma=drawn_sigma_px / stride)
    keypoints = tuple(_keypoint(peak, geometry, stride, drawn_sigma_px) for peak in peaks)
    # The strongest peak is the highest cell.
    highest = peaks[0].value if peaks else float(picture.max())
    return Located(keypoints, None if keypoints else reason_for(highest), highest)


def reason_for(peak: float) -> FrameReason:
    """Why a frame whose heat map reaches ``peak``, less than was asked for, lists nobody."""
    return FrameReason.NO_FACE if peak < NO_FACE_BELOW else FrameReason.LOW_PROBABILITY


def _keypoint(peak: Peak, geometry: ViewGeometry, stride: int, drawn_sigma_px: float) -> Keypoint:
    u, v = geometry.to_frame((peak.x + 0.5) * stride - 0.5, (peak.y + 0.5) * stride - 0.5)
    return Keypoint(
        u=_between(u, geometry.crop_left, geometry.crop_left + geometry.crop_width - 1),
        v=_between(v, geometry.crop_top, geometry.crop_top + geometry.crop_height - 1),
        probability=min(peak.value, 1.0),
        sigma_u=_place_sigma(peak.sigma_x * stride, drawn_sigma_px) * geometry.scale_x,
        sigma_v=_place_sigma(peak.sigma_y * stride, drawn_sigma_px) * geometry.scale_y,
    )


def _place_sigma(blob_sigma_px: float, drawn_sigma_px: float) -> float:
    """Standard deviation of the place, from the blob's and the drawn Gaussian's; all in network pixels.

    A network trained by squared error draws the mean over all places it holds possible: the drawn Gaussian blurred by
    the place's distribution. So the variances add, and what the blob has beyond the drawn one is the place's.
    """
    return math.sqrt(max(blob_sigma_px**2 - drawn_sigma_px**2, 0.0) + _SHARP_SIGMA_PX**2)


def _between(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)
