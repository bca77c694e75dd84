"""LabelImg's files: where the point is, whose eyes are how far apart, what is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.table import TableError
from training.data.voc import Box, VocLabels, VocRule, faces_of, parse_voc


def xml(*boxes: tuple[str, float, float, float, float], filename: str = "a.jpg", size: str = "640x480") -> bytes:
    width, height = size.split("x")
    objects = "".join(
        f"<object><name>{name}</name><difficult>0</difficult><bndbox><xmin>{left}</xmin><ymin>{top}</ymin>"
        f"<xmax>{right}</xmax><ymax>{bottom}</ymax></bndbox></object>"
        for name, left, top, right, bottom in boxes
    )
    return (
        f"<annotation><folder>pictures</folder><filename>{filename}</filename><path>C:\\old place\\b.jpg</path>"
        f"<size><width>{width}</width><height>{height}</height><depth>3</depth></size>{objects}</annotation>"
    ).encode()


def test_names_size_and_boxes_are_read() -> None:
    labels = parse_voc(xml(("hm", 7, 9, 20, 30)))
    assert labels == VocLabels(("a.jpg", "b.jpg"), (640, 480), (Box("hm", 7, 9, 20, 30),))


@given(st.tuples(*[st.integers(0, 5000)] * 4), st.sampled_from([0, 1]))
def test_the_point_is_the_upper_left_corner(corners: tuple[int, int, int, int], first_pixel: int) -> None:
    one, other, top, bottom = corners
    box = min(one, other), min(top, bottom), max(one, other), max(top, bottom)
    rule = VocRule(interocular_px=20, first_pixel=first_pixel)
    (face,) = faces_of(parse_voc(xml(("hm", *box))), rule)
    assert (face.u, face.v) == (box[0] - first_pixel, box[1] - first_pixel)
    assert (face.interocular_px, face.marked_by) == (20, "given")


def test_without_the_box_it_is_a_negative_and_needs_no_eye_distance() -> None:
    assert faces_of(parse_voc(xml(("dog", 1, 2, 3, 4))), VocRule(others=frozenset({"dog"}))) == ()
    assert faces_of(parse_voc(xml()), VocRule()) == ()


@pytest.mark.parametrize(
    ("box", "said"),
    [
        (("hm", 160, 100, 150, 110), "xmin 160 is right of xmax 150"),
        (("hm", 100, 120, 150, 110), "ymin 120 is below ymax 110"),
        (("dog", 9, 2, 3, 4), "xmin 9 is right of xmax 3"),
        (("hm", float("nan"), 1, 2, 2), "not finite"),
        (("hm", 1, 1, float("inf"), 2), "not finite"),
        (("hm", 0.25, 0.3, 0.4, 0.5), "shares of the picture"),
    ],
)
def test_a_box_that_is_none_is_refused(box: tuple[str, float, float, float, float], said: str) -> None:
    with pytest.raises(TableError, match=said):
        parse_voc(xml(("hm", 1, 2, 3, 4), box))


@pytest.mark.parametrize(
    ("name", "face_box", "meant"),
    [
        ("Hm", None, "'hm'"),
        ("HM", None, "'hm'"),
        ("hmm", None, "'hm'"),
        ("nasion", None, None),
        ("Face", "face", "'face'"),
    ],
)
def test_a_name_that_is_not_known_makes_nobody_a_negative(name: str, face_box: str | None, meant: str | None) -> None:
    labels = parse_voc(xml((name, 10, 20, 30, 40)))
    with pytest.raises(TableError, match=f"named '{name}'") as caught:
        faces_of(labels, VocRule(face_box=face_box, interocular_px=20))
    assert ("is " + meant + " meant" in str(caught.value)) if meant else ("meant" not in str(caught.value))
    assert faces_of(labels, VocRule(interocular_px=20, others=frozenset({name}))) == ()


def test_a_face_without_a_point_is_no_negative() -> None:
    labels = parse_voc(xml(("face", 10, 10, 50, 50), ("hm", 70, 70, 75, 75)))
    with pytest.raises(TableError, match="holds no point 'hm'"):
        faces_of(labels, VocRule(face_box="face", interocular_px=20))


def test_the_eye_distance_comes_from_the_smallest_face_around_and_the_largest_face_is_first() -> None:
    boxes = [
        ("hm", 30, 30, 35, 35),
        ("hm", 130, 30, 135, 35),
        ("face", 20, 20, 40, 45),
        ("face", 100, 0, 160, 80),
        ("face", 0, 0, 200, 100),
    ]
    faces = faces_of(parse_voc(xml(*boxes)), VocRule(face_box="face", ratio=0.5))
    assert [(f.u, f.interocular_px) for f in faces] == [(130, 30), (30, 10)]


def test_of_equal_faces_the_first_in_the_file_is_first() -> None:
    labels = parse_voc(xml(("hm", 50, 1, 60, 9), ("hm", 5, 1, 60, 9)))
    assert [f.u for f in faces_of(labels, VocRule(interocular_px=9))] == [50, 5]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (VocRule(), "--interocular-px N"),
        (VocRule(face_box="face"), r"no box 'face' is around the point \(7, 9\)"),
    ],
)
def test_an_unknown_eye_distance_is_no_zero(rule: VocRule, said: str) -> None:
    with pytest.raises(TableError, match=said):
        faces_of(parse_voc(xml(("hm", 7, 9, 20, 30))), rule)


BOMB = b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><annotation><filename>&y;</filename></annotation>'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no XML"),
        (b"\xff\xd8\xff\xe0", "no XML"),
        (b"<annotation>", "no XML"),
        (b"<?xml version='1.0' encoding='none'?><annotation/>", "no XML"),
        (b"<kml/>", "got <kml>"),
        (BOMB, "document type"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>', "document type"),
        (xml(("hm", 1, 2, 3, 4)).replace(b"<xmin>1</xmin>", b""), r"object 1 \('hm'\)"),
        (xml(size="largexlarge"), "size"),
    ],
)
def test_what_is_no_label_file_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(TableError, match=said):
        parse_voc(data)


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: f"<annotation>{text}</annotation>".encode()))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(TableError):
        assert faces_of(parse_voc(data), VocRule()) == ()


@pytest.mark.parametrize("filename", ["..", "../../etc/passwd", "C:\\x\\..", "/"])
def test_a_file_name_leads_nowhere_else(filename: str) -> None:
    assert all("/" not in name and name != ".." for name in parse_voc(xml(filename=filename)).pictures)
