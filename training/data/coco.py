"""Key points as COCO has them (``person_keypoints_*.json``): the point is the middle of both eyes of a person.

Pixels: a COCO key point is the index of a pixel, counted from 0, so it means that pixel's centre and is taken as it is.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from training.data.table import Face, TableError

#: COCO's marks: 1 is labelled but hidden, 2 is labelled and visible (0 is not labelled).
Visibility = Literal[1, 2]


class _Part(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)


class _Image(_Part):
    id: int
    file_name: str
    width: int
    height: int


class _Person(_Part):
    id: int
    image_id: int
    category_id: int
    iscrowd: int = 0
    keypoints: list[float] = []


class _Category(_Part):
    id: int
    name: str
    keypoints: list[str] = []


class _File(_Part):
    images: list[_Image]
    annotations: list[_Person]
    categories: list[_Category]


@dataclass(frozen=True)
class CocoPicture:
    """A picture as the file describes it: name, (width, height) and faces, the largest first; none for a negative."""

    file_name: str
    size: tuple[int, int]
    faces: tuple[Face, ...]


@dataclass(frozen=True)
class CocoLabels:
    """``doubtful`` counts the pictures that show people, but nobody with both eyes marked; they are left out."""

    pictures: tuple[CocoPicture, ...]
    doubtful: int


def parse_coco(data: bytes, *, visibility: Visibility = 2, eyeless_are_negative: bool = False) -> CocoLabels:
    """Read an annotation file; TableError without the file's name, which the caller knows.

    An eye counts from ``visibility`` on. A picture without any annotated person is a negative; one with people but
    nobody whose two eyes count is left out as doubtful, or a negative if ``eyeless_are_negative``. Crowds have no key
    points: they are no faces, but a picture with one does show people.
    """
    try:
        file = _File.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise TableError(f"{place}: {first['msg']}; expected COCO key points (person_keypoints_*.json)") from None
    person, eyes = _person(file.categories)
    people: dict[int, list[_Person]] = defaultdict(list)
    for annotation in file.annotations:
        if annotation.category_id == person:
            people[annotation.image_id].append(annotation)
    _check(file, people)
    pictures, doubtful = [], 0
    for image in file.images:
        shown = people.get(image.id, [])
        found = (_face(one, eyes, visibility) for one in shown if not one.iscrowd)
        faces = sorted((face for face in found if face), key=lambda face: -face.interocular_px)
        if shown and not faces and not eyeless_are_negative:
            doubtful += 1
            continue
        pictures.append(CocoPicture(image.file_name, (image.width, image.height), tuple(faces)))
    return CocoLabels(tuple(pictures), doubtful)


def _person(categories: Sequence[_Category]) -> tuple[int, tuple[int, int]]:
    """The id of the category ``person``, and where its eyes are among its key points."""
    for category in categories:
        if category.name == "person":
            try:
                return category.id, (category.keypoints.index("left_eye"), category.keypoints.index("right_eye"))
            except ValueError:
                raise TableError(
                    f"categories: person has the key points {category.keypoints}, expected left_eye and right_eye "
                    "among them; take person_keypoints_*.json, not instances_*.json"
                ) from None
    raise TableError("categories: expected one named person; take person_keypoints_*.json")


def _check(file: _File, people: dict[int, list[_Person]]) -> None:
    ids = {image.id for image in file.images}
    if len(ids) < len(file.images):
        raise TableError("images: an id is given twice; each picture needs its own")
    if unknown := sorted({a.category_id for a in file.annotations} - {c.id for c in file.categories}):
        raise TableError(f"annotations: category_id {unknown[0]} is not among the categories; correct the file")
    if lost := sorted(set(people) - ids):
        raise TableError(f"annotations: image_id {lost[0]} is not among the images; take the file as it was published")


def _face(person: _Person, eyes: tuple[int, int], visibility: Visibility) -> Face | None:
    """The middle between both eyes; None if they do not both count, or were marked at one place."""
    marks = [person.keypoints[3 * index : 3 * index + 3] for index in eyes]
    if not person.keypoints:
        return None
    if any(len(mark) < 3 for mark in marks):
        raise TableError(f"annotation {person.id}: keypoints has {len(person.keypoints)} numbers, too few for the eyes")
    (u, v, first), (other_u, other_v, second) = marks
    if not {first, second} <= {0, 1, 2}:
        raise TableError(
            f"annotation {person.id}: its eyes have the marks {first:g} and {second:g}; expected 0 (not labelled), "
            "1 (hidden) or 2 (visible), as COCO has them"
        )
    places = (u, v, other_u, other_v)
    if max(places) <= 1 and not all(place.is_integer() for place in places):
        raise TableError(
            f"annotation {person.id}: its eyes are at ({u:g}, {v:g}) and ({other_u:g}, {other_v:g}), as shares of the "
            "picture from 0 to 1 are; expected pixels: multiply them by its width and height"
        )
    distance = math.hypot(other_u - u, other_v - v)
    if min(first, second) < visibility or distance == 0:
        return None
    return Face((u + other_u) / 2, (v + other_v) / 2, distance, "human")
