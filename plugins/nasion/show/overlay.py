"""The annotated picture: heat map, keypoint, probability, distance or reason, camera and times.

All lengths follow the picture's size, so that text reads the same at 720p, at 1080p and on a photograph.
"""

from datetime import datetime, timedelta, timezone
from typing import NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nasion.core.results import Located
from nasion.core.views import ViewGeometry
from nasion.messages import PersonEntry, PersonMessage

Picture = NDArray[np.uint8]
HeatMap = NDArray[np.float32]
Colour = Tuple[int, int, int]

#: BGR. Green: a position; orange: a person, but no position; grey: nobody.
VALID: Colour = (80, 220, 80)
REFUSED: Colour = (40, 160, 255)
NOBODY: Colour = (200, 200, 200)
_WHITE: Colour = (255, 255, 255)

_FONT = cv2.FONT_HERSHEY_SIMPLEX
#: Heights of letters as a share of the picture's longer side, and the smallest that still reads, pixels.
_LETTER_SHARE = 0.0125
_SMALLEST_LETTER = 7.0
#: Hershey letters of scale 1 are this many pixels high.
_LETTER_AT_SCALE_1 = 22.0
#: The heat map hides at most this share of the picture, and is drawn from this height on.
_HEAT_OPACITY = 0.65
_HEAT_MINIMUM = 0.05


class _Label(NamedTuple):
    """Lines of text on a dark ground, the first in the colour of the result."""

    lines: Tuple[str, ...]
    colour: Colour


def draw(
    picture: Picture,
    message: PersonMessage,
    *,
    heat: Optional[HeatMap] = None,
    geometry: Optional[ViewGeometry] = None,
) -> Picture:
    """Annotated copy, (H, W, 3) BGR, of ``picture``, (H, W, 3) BGR or (H, W, 4) BGRx.

    ``heat``: the frame's heat map, 0..1, drawn where ``geometry`` says it lies; both or neither.
    """
    canvas = _canvas(picture, heat, geometry)
    for person in reversed(message.persons):
        colour = VALID if person.valid else REFUSED
        _mark(canvas, person.pixel[0], person.pixel[1], _Label(_person_lines(person, len(message.persons)), colour))
    if message.reason is not None:
        _headline(canvas, _Label((f"nobody: {message.reason.value}",), NOBODY))
    _footer(canvas, _footer_texts(message))
    return canvas


def draw_located(
    picture: Picture,
    located: Located,
    *,
    heat: Optional[HeatMap] = None,
    geometry: Optional[ViewGeometry] = None,
) -> Picture:
    """Annotated copy of a still picture: as ``draw``, with what a picture without depth and time can tell."""
    canvas = _canvas(picture, heat, geometry)
    for point in reversed(located.keypoints):
        _mark(canvas, point.u, point.v, _Label((f"p {point.probability:.2f}",), VALID))
    if located.reason is not None:
        peak = "" if located.peak is None else f"  (peak {located.peak:.2f})"
        _headline(canvas, _Label((f"nobody: {located.reason.value}{peak}",), NOBODY))
    return canvas


def _person_lines(person: PersonEntry, persons: int) -> Tuple[str, ...]:
    first = "" if person.reason is None else person.reason.value
    if person.range_m is not None:
        first = f"{person.range_m:.2f} m"
    track = f"#{person.track_id}  " if persons > 1 else ""
    return first, f"{track}p {person.probability:.2f}"


def _footer_texts(message: PersonMessage) -> Tuple[str, ...]:
    """From left to right; where there is no room for all, the last ones are left out first."""
    taken = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=int(message.captured_ns) // 1000)
    texts = [message.camera, taken.strftime("%H:%M:%S.%f")[:-3] + " UTC"]
    if "total" in message.latency_ms:
        texts.append(f"latency {message.latency_ms['total']:.0f} ms")
    texts += [f"frame {message.seq}", taken.strftime("%Y-%m-%d")]
    return tuple(texts)


def _canvas(picture: Picture, heat: Optional[HeatMap], geometry: Optional[ViewGeometry]) -> Picture:
    if (heat is None) != (geometry is None):
        raise ValueError("a heat map is drawn by its geometry: give both or neither")
    canvas = np.ascontiguousarray(picture[:, :, :3])
    if canvas is picture or np.shares_memory(canvas, picture):
        canvas = canvas.copy()
    if heat is not None and geometry is not None:
        _blend(canvas, heat, geometry)
    return canvas


def _blend(canvas: Picture, heat: HeatMap, geometry: ViewGeometry) -> None:
    """Colour ``canvas`` by ``heat`` in place; only around what is hot, which is little of a large picture."""
    hot = cv2.findNonZero((heat > _HEAT_MINIMUM).astype(np.uint8))
    if hot is None:
        return
    first_column, first_row, columns, rows = cv2.boundingRect(hot)
    stride_x, stride_y = geometry.input_width / heat.shape[1], geometry.input_height / heat.shape[0]
    # The hot cells and one around them, for the slope, in frame pixels; the padding is not part of the picture.
    near = geometry.to_frame((first_column - 1) * stride_x, (first_row - 1) * stride_y)
    far = geometry.to_frame((first_column + columns + 1) * stride_x, (first_row + rows + 1) * stride_y)
    left, top = max(int(near[0]), geometry.crop_left), max(int(near[1]), geometry.crop_top)
    right = min(int(far[0]) + 1, geometry.crop_left + geometry.crop_width)
    bottom = min(int(far[1]) + 1, geometry.crop_top + geometry.crop_height)
    if right <= left or bottom <= top:
        return
    # Cell to frame pixel, by the mapping the keypoints go through; (0.5, 0.5) cells is the middle of the first one.
    origin_u, origin_v = geometry.to_frame(0.5 * stride_x - 0.5, 0.5 * stride_y - 0.5)
    cell_to_region = np.array(
        [[stride_x * geometry.scale_x, 0, origin_u - left], [0, stride_y * geometry.scale_y, origin_v - top]]
    )
    size = (right - left, bottom - top)
    height = cv2.warpAffine(heat, cell_to_region, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    height = np.clip(height, 0, 1)
    colours = cv2.applyColorMap((height * 255).astype(np.uint8), cv2.COLORMAP_JET)
    region = canvas[top:bottom, left:right]
    opacity = (_HEAT_OPACITY * np.sqrt(height) * (height > _HEAT_MINIMUM))[:, :, None]
    region[:] = region + (colours.astype(np.float32) - region) * opacity


def _letter_height(canvas: Picture) -> float:
    longer: int = max(canvas.shape[:2])
    return max(_SMALLEST_LETTER, _LETTER_SHARE * longer)


def _mark(canvas: Picture, u: float, v: float, label: _Label) -> None:
    """Cross hair that leaves the point itself free, and the label beside it, moved to stay in the picture."""
    unit = _letter_height(canvas)
    thickness = max(1, round(unit / 8))
    shift = 4  # sub-pixel drawing: coordinates are in 1/16 pixel
    middle = np.array([u, v])
    for colour, extra in (((0, 0, 0), thickness), (label.colour, 0)):
        cv2.circle(canvas, _fixed(middle, shift), round(unit * 2**shift), colour, thickness + extra, cv2.LINE_AA, shift)
        for direction in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            step = np.array(direction) * unit
            start, end = _fixed(middle + 0.5 * step, shift), _fixed(middle + 1.6 * step, shift)
            cv2.line(canvas, start, end, colour, thickness + extra, cv2.LINE_AA, shift)
    width, height = _label_size(label, unit)
    left = u + 2.5 * unit if u + 2.5 * unit + width <= canvas.shape[1] else u - 2.5 * unit - width
    _write(canvas, label, left, v - height / 2, unit)


def _fixed(point: NDArray[np.float64], shift: int) -> Tuple[int, int]:
    return round(point[0] * 2**shift), round(point[1] * 2**shift)


def _headline(canvas: Picture, label: _Label) -> None:
    unit = _letter_height(canvas) * 1.3
    width, _ = _label_size(label, unit)
    if width > canvas.shape[1]:
        unit = max(_SMALLEST_LETTER, unit * canvas.shape[1] / width)
    _write(canvas, label, 0, 0, unit)


def _footer(canvas: Picture, texts: Sequence[str]) -> None:
    unit = _letter_height(canvas)
    for used in range(len(texts), 0, -1):
        label = _Label(("   ".join(texts[:used]),), _WHITE)
        width, height = _label_size(label, unit)
        if width <= canvas.shape[1] or used == 1:
            _write(canvas, label, 0, canvas.shape[0] - height, unit)
            return


def _label_size(label: _Label, unit: float) -> Tuple[int, int]:
    """Width and height in pixels with the margin around the text."""
    scale = unit / _LETTER_AT_SCALE_1
    widest = max(cv2.getTextSize(line, _FONT, scale, _stroke(unit))[0][0] for line in label.lines)
    return round(widest + 1.2 * unit), round(len(label.lines) * 1.7 * unit + 0.7 * unit)


def _stroke(unit: float) -> int:
    return max(1, round(unit / 9))


def _write(canvas: Picture, label: _Label, left: float, top: float, unit: float) -> None:
    """The label with its top left corner at (``left``, ``top``), moved as far as needed to lie in the picture."""
    width, height = _label_size(label, unit)
    x = round(min(max(left, 0), max(canvas.shape[1] - width, 0)))
    y = round(min(max(top, 0), max(canvas.shape[0] - height, 0)))
    ground = canvas[y : y + height, x : x + width]
    ground //= 3
    for number, line in enumerate(label.lines):
        place = (round(x + 0.6 * unit), round(y + (number * 1.7 + 1.7) * unit))
        colour = label.colour if number == 0 else _WHITE
        cv2.putText(canvas, line, place, _FONT, unit / _LETTER_AT_SCALE_1, colour, _stroke(unit), cv2.LINE_AA)
