"""COCO key points: which people count, which pictures are negatives, which are left out."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.coco import parse_coco
from training.data.table import Face, TableError

PERSON = {"id": 1, "name": "person", "keypoints": ["nose", "left_eye", "right_eye"]}


def person(image: int, left: tuple[float, ...], right: tuple[float, ...], **more: Any) -> dict[str, Any]:
    return {"id": 10, "image_id": image, "category_id": 1, "keypoints": [0, 0, 0, *left, *right], **more}


def coco(*people: dict[str, Any], images: int = 1, **more: Any) -> bytes:
    pictures = [{"id": n, "file_name": f"{n}.jpg", "width": 640, "height": 480} for n in range(images)]
    return json.dumps({"images": pictures, "annotations": people, "categories": [PERSON], **more}).encode()


COORDINATE = st.integers(0, 600)


@given(COORDINATE, COORDINATE, COORDINATE, COORDINATE)
def test_the_point_is_the_middle_of_both_eyes(u1: int, v1: int, u2: int, v2: int) -> None:
    labels = parse_coco(coco(person(0, (u1, v1, 2), (u2, v2, 2))))
    if (u1, v1) == (u2, v2):
        assert labels.doubtful == 1
        return
    (face,) = labels.pictures[0].faces
    assert (2 * face.u, 2 * face.v) == (u1 + u2, v1 + v2)
    assert face.interocular_px**2 == pytest.approx((u1 - u2) ** 2 + (v1 - v2) ** 2)
    assert face.marked_by == "human"


def test_a_picture_without_people_is_a_negative_and_the_largest_face_is_first() -> None:
    small, large = person(0, (10, 10, 2), (14, 10, 2)), person(0, (50, 10, 2), (90, 10, 2))
    labels = parse_coco(coco(small, large, images=2))
    assert [f.interocular_px for f in labels.pictures[0].faces] == [40, 4]
    assert labels.pictures[1].faces == ()
    assert (labels.pictures[1].file_name, labels.pictures[1].size) == ("1.jpg", (640, 480))


@pytest.mark.parametrize(
    "one",
    [
        person(0, (10, 10, 2), (20, 10, 1)),
        person(0, (10, 10, 2), (0, 0, 0)),
        person(0, (10, 10, 2), (20, 10, 2), iscrowd=1),
        {"id": 3, "image_id": 0, "category_id": 1},
    ],
    ids=["one eye hidden", "one eye not labelled", "a crowd", "no key points"],
)
def test_people_without_two_visible_eyes_are_doubtful(one: dict[str, Any]) -> None:
    labels = parse_coco(coco(one, images=2))
    assert (labels.doubtful, [p.file_name for p in labels.pictures]) == (1, ["1.jpg"])
    as_negative = parse_coco(coco(one, images=2), eyeless_are_negative=True)
    assert (as_negative.doubtful, [p.faces for p in as_negative.pictures]) == (0, [(), ()])


def test_hidden_eyes_count_if_asked_for() -> None:
    (picture,) = parse_coco(coco(person(0, (10, 10, 2), (20, 10, 1))), visibility=1).pictures
    assert picture.faces == (Face(15, 10, 10, "human"),)


def test_other_categories_are_nobody() -> None:
    cat = person(0, (10, 10, 2), (20, 10, 2), category_id=17)
    (picture,) = parse_coco(coco(cat, categories=[PERSON, {"id": 17, "name": "cat"}])).pictures
    assert picture.faces == ()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "expected COCO key points"),
        (b"[]", "expected COCO key points"),
        (b"{}", "images: Field required"),
        (b'{"images": [{"id": 1e999}]}', r"images\.0"),
        (coco(categories=[]), "categories: expected one named person"),
        (coco(categories=[{"id": 1, "name": "person"}]), "not instances"),
        (coco(person(5, (1, 1, 2), (2, 2, 2))), "image_id 5"),
        (coco(person(0, (1, 1, 2), ())), "annotation 10: keypoints has 6 numbers"),
        (coco(person(0, (0.4, 0.3, 2), (0.45, 0.3, 2))), "shares of the picture"),
        (coco(person(0, (40, 30, 0.9), (45, 30, 0.8))), "marks 0.9 and 0.8"),
        (coco(person(0, (40, 30, 3), (45, 30, 2))), "marks 3 and 2"),
        (coco(person(0, (40, 30, 2), (45, 30, 2), category_id=17)), "category_id 17"),
        (coco(images=1).replace(b'"images": [', b'"images": [{"id":0,"file_name":"","width":1,"height":1},'), "twice"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(data: bytes, said: str) -> None:
    with pytest.raises(TableError, match=said):
        parse_coco(data)
