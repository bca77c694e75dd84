"""Labels as LabelImg writes them: one Pascal VOC XML file for each picture.

The key point is the upper left corner of the box named ``hm``; LabelImg writes no points, only boxes.

Pixels: LabelImg measures from the picture's upper left corner, where the first pixel reaches from 0 to 1, and cuts the
fraction off when it writes. An ``xmin`` of 7 was drawn somewhere inside the pixel whose centre is (7, 7) in the
workshop's convention, so u = xmin and v = ymin, without a shift. (It writes 1 for 0: a point in the first row or column
is one pixel off.) Programs that keep to Pascal VOC count the first pixel as 1: for these, ``first_pixel`` is 1.
"""

import math
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from xml.parsers import expat

from training.data.table import Face, TableError

#: The distance between the pupils is about 63 mm, a face is about 140 mm wide between the cheekbones.
EYE_DISTANCE_PER_FACE_WIDTH = 0.45


class NoEyeDistanceError(TableError):
    """No rule says how far apart the eyes are; it is the same for all files."""


@dataclass(frozen=True)
class Box:
    """A labelled box, in the file's own pixels."""

    name: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    def holds(self, x: float, y: float) -> bool:
        return self.left <= x <= self.right and self.top <= y <= self.bottom


@dataclass(frozen=True)
class VocLabels:
    """What one XML file says. ``pictures`` are the names its picture may have, the likeliest first."""

    pictures: tuple[str, ...]
    size: tuple[int, int] | None
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class VocRule:
    """How boxes become faces.

    The eye distance of a face is ``ratio`` times the width of the smallest box named ``face_box`` around its key point;
    where there is none, ``interocular_px``. LabelImg's files have no eye distance of their own. ``others`` are names of
    boxes that are no persons; any other name is refused, for a person under a mistyped name would become nobody.
    """

    box: str = "hm"
    face_box: str | None = None
    ratio: float = EYE_DISTANCE_PER_FACE_WIDTH
    interocular_px: float | None = None
    first_pixel: int = 0
    others: frozenset[str] = frozenset()


def parse_voc(data: bytes) -> VocLabels:
    """Read an XML file; TableError without the file's name, which the caller knows."""
    root = _root(data)
    if root.tag != "annotation":
        raise TableError(f"expected <annotation> of Pascal VOC, got <{root.tag}>; it is no label file, remove it")
    names = [_file_name(root.findtext(key) or "") for key in ("filename", "path")]
    return VocLabels(
        tuple(dict.fromkeys(name for name in names if name)),
        _size(root),
        tuple(_box(element, number) for number, element in enumerate(root.iterfind("object"), 1)),
    )


def faces_of(labels: VocLabels, rule: VocRule) -> tuple[Face, ...]:
    """The faces, the one with the largest eye distance first, equal ones as in the file; empty for a negative.

    All are marked ``given``: people set the points, but the eye distances are estimates. TableError.
    """
    _check_names(labels.boxes, rule)
    faces = [
        Face(
            box.left - rule.first_pixel,
            box.top - rule.first_pixel,
            _eye_distance(box, labels.boxes, rule),
            "given",
        )
        for box in labels.boxes
        if box.name == rule.box
    ]
    return tuple(sorted(faces, key=lambda face: -face.interocular_px))


def _check_names(boxes: Sequence[Box], rule: VocRule) -> None:
    """TableError where a box may be a person who would not count."""
    known = [name for name in (rule.box, rule.face_box) if name is not None]
    for box in boxes:
        if box.name not in known and box.name not in rule.others:
            like = get_close_matches(box.name.lower(), [name.lower() for name in known], 1)
            meant = f"is {known[[name.lower() for name in known].index(like[0])]!r} meant? " if like else ""
            raise TableError(
                f"a box is named {box.name!r}, expected {' or '.join(map(repr, known))}; {meant}Correct the name, or "
                f"say --other-box {box.name!r} where it is no person"
            )
    points = [box for box in boxes if box.name == rule.box]
    for face in boxes:
        if face.name == rule.face_box and not any(face.holds(point.left, point.top) for point in points):
            raise TableError(
                f"the box {face.name!r} at ({face.left:g}, {face.top:g}) holds no point {rule.box!r}, so its person "
                "would count as nobody; mark the point, or remove the box"
            )


def _eye_distance(point: Box, boxes: Sequence[Box], rule: VocRule) -> float:
    around = [box.width for box in boxes if box.name == rule.face_box and box.holds(point.left, point.top)]
    if rule.face_box is not None and around and min(around) > 0:
        return rule.ratio * min(around)
    if rule.interocular_px is not None:
        return rule.interocular_px
    if rule.face_box is None:
        raise NoEyeDistanceError(
            "LabelImg's files have no eye distance, and training needs one; say --interocular-px N, your estimate for "
            "all pictures, or --face-box NAME where faces have a box of their own"
        )
    raise TableError(
        f"no box {rule.face_box!r} is around the point ({point.left:g}, {point.top:g}), so its eye distance is "
        "unknown; label the face, or say --interocular-px N for such faces"
    )


def _root(data: bytes) -> ET.Element:
    """Parse without entities: a file that declares any, or a document type at all, is refused before it is expanded."""

    def refuse(*_: object) -> None:
        raise TableError("it has a document type (<!DOCTYPE>), which label files do not have; remove it from the file")

    guard = expat.ParserCreate()
    guard.StartDoctypeDeclHandler = refuse
    try:
        guard.Parse(data, True)
        return ET.fromstring(data)
    except (expat.ExpatError, ET.ParseError, LookupError, ValueError) as error:
        raise TableError(f"it is no XML ({error}); label the picture again") from None


def _file_name(text: str) -> str:
    """The last part of a path of any system: where the pictures lay when they were labelled does not matter."""
    name = text.strip().replace("\\", "/").rpartition("/")[2]
    return "" if name in (".", "..") or "\0" in name else name


def _size(root: ET.Element) -> tuple[int, int] | None:
    """(width, height); None where the file does not say, as programs that do not know write 0."""
    try:
        width, height = (int(root.findtext(f"size/{key}") or "0") for key in ("width", "height"))
    except ValueError:
        raise TableError("size: width and height are no whole numbers; correct the file") from None
    return (width, height) if width > 0 and height > 0 else None


def _box(element: ET.Element, number: int) -> Box:
    name = (element.findtext("name") or "").strip()
    try:
        left, top, right, bottom = (
            float(element.findtext(f"bndbox/{key}") or "") for key in ("xmin", "ymin", "xmax", "ymax")
        )
    except ValueError:
        raise TableError(
            f"object {number} ({name!r}): bndbox needs the numbers xmin, ymin, xmax and ymax; correct the file"
        ) from None
    what = f"object {number} ({name!r})"
    if not all(map(math.isfinite, (left, top, right, bottom))):
        raise TableError(f"{what}: bndbox has a number that is not finite; correct the file")
    for low, high, key in ((left, right, "x"), (top, bottom, "y")):
        if low > high:
            side = "right of" if key == "x" else "below"
            raise TableError(f"{what}: {key}min {low:g} is {side} {key}max {high:g}; exchange them, or label it again")
    if right <= 1 and bottom <= 1 and not all(number.is_integer() for number in (left, top, right, bottom)):
        raise TableError(
            f"{what}: its corners lie within 1 pixel (xmax {right:g}, ymax {bottom:g}), as shares of the picture do; "
            "expected pixels"
        )
    return Box(name, left, top, right, bottom)
