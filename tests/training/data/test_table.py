"""The label table: what is read, what is kept together, what is refused."""

import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.table import Face, Picture, Split, TableError, group_of, of_split, read_table, train_or_hold_out
from training.data.table_writer import write_table

#: Any text that can be in a UTF-8 file; a name in a folder has no / and is not one of its dots.
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
NAME = st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1, max_size=12).filter(
    lambda name: name not in (".", "..")
)
NUMBER = st.floats(-1e4, 1e4)
#: A group that the reader's rule holds out.
HELD_OUT = next(name for name in map(str, range(1000)) if train_or_hold_out(name) == "hold_out")


def by_distance(faces: list[Face]) -> tuple[Face, ...]:
    return tuple(sorted(faces, key=lambda face: (face.u - faces[0].u) ** 2 + (face.v - faces[0].v) ** 2))


@st.composite
def table_pictures(draw: st.DrawFn) -> list[Picture]:
    """Pictures as a reader has them: of the right split, further faces by their distance from the first."""
    pictures = []
    for name in draw(st.lists(NAME, min_size=1, max_size=5, unique=True)):
        found = draw(st.lists(st.builds(Face, NUMBER, NUMBER, st.floats(0.1, 1e3), TEXT), max_size=3))
        picture = Picture(Path(name), draw(TEXT), "val", by_distance(found), draw(TEXT))
        split: Split = "val" if draw(st.booleans()) else train_or_hold_out(picture.group)
        pictures.append(replace(picture, split=split))
    if draw(st.booleans()):
        # Held out by name, whatever the rule says; one that is held out makes all of them told.
        pictures = [replace(picture, split=draw(st.sampled_from(get_args(Split)))) for picture in pictures]
        pictures[0] = replace(pictures[0], split="hold_out")
    return pictures


@pytest.mark.parametrize(
    ("name", "source", "group"),
    [
        ("lfw_Bronson_Arroyo_0001.jpg", "lfw", "person Bronson_Arroyo"),
        ("ytf_Bronson_Arroyo_40_v2.jpg", "ytf", "person Bronson_Arroyo"),
        ("helen_2064711146_1.jpg", "helen", "photo 2064711146"),
        ("face_low_2064711146_1.jpg", "face_low", "photo 2064711146"),
        ("ccp_0026.jpg", "ccp", "ccp 1"),
        ("ccp_body_0049.jpg", "ccp_body", "ccp 1"),
        ("comp_ccp0030_160068.jpg", "comp", "ccp 1"),
        ("lspet_00647.jpg", "lspet", "lspet 64"),
        ("lspet_crop_00650.jpg", "lspet_crop", "lspet 64"),
        ("profile_lspet_00641.jpg", "profile", "lspet 64"),
        ("camvid_0016E5_07967.jpg", "camvid", "camvid 0016E5"),
        ("scene_crop_bsds_196027.jpg", "scene_crop", "bsds_196027"),
        ("bsds_196027.jpg", "bsds", "bsds_196027"),
    ],
)
def test_what_shows_the_same_stays_in_one_group(name: str, source: str, group: str) -> None:
    assert group_of(name, source) == group


def test_a_table_becomes_three_splits_and_no_group_is_in_two(make_table: Callable[..., Path]) -> None:
    pictures = read_table(make_table(30))
    by_split = {split: of_split(pictures, split) for split in ("train", "hold_out", "val")}
    assert sum(map(len, by_split.values())) == len(pictures) == 240
    assert len(by_split["val"]) == 60
    assert 0 < len(by_split["hold_out"]) < len(by_split["train"])
    groups = [{group_of(p.path.name, p.source) for p in members} for members in by_split.values()]
    assert len(set.union(*groups)) == sum(map(len, groups))


def test_the_most_prominent_face_comes_first(make_table: Callable[..., Path]) -> None:
    folder = make_table(2)
    table = folder / "all_faces.csv"
    name, u, v = next(
        line.split(",")[0:1] + line.split(",")[4:6]
        for line in (folder / "labels.csv").read_text().splitlines()
        if ",positive," in line
    )
    rows = table.read_text().splitlines()
    table.write_text("\n".join([rows[0], f"{name},1.0,2.0,5.0,teacher", *rows[1:]]))
    first = next(p for p in read_table(folder) if p.path.name == name)
    assert [(f.u, f.v) for f in first.faces] == [(float(u), float(v)), (1.0, 2.0)]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "labels.csv").unlink(), "labels.csv"),
        (lambda folder: (folder / "all_faces.csv").write_text("image,u\n"), "interocular_px"),
        (lambda folder: (folder / "labels.csv").write_bytes(b"\xff\xfe\x00"), "not a readable table"),
        (lambda folder: (folder / "labels.csv").write_bytes(b"image\nK\xfcche.jpg\n"), r"line 2\); save it as UTF-8"),
        (lambda folder: (folder / "labels.csv").write_text("image,source,split,label,u,v,interocular_px\n"), "no rows"),
        (
            lambda folder: (folder / "labels.csv").write_text(
                "image,source,split,label,u,v,interocular_px\na.jpg,x,train,positive,one,2,3\n"
            ),
            "one",
        ),
    ],
)
def test_a_bad_table_is_named(make_table: Callable[..., Path], spoil: Callable[[Path], None], said: str) -> None:
    folder = make_table(2)
    spoil(folder)
    with pytest.raises(TableError, match=said):
        read_table(folder)


class TestWriter:
    @given(table_pictures())
    def test_what_is_written_is_read_back_as_it_was(self, pictures: list[Picture]) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            placed = [replace(p, path=folder / "images" / p.path.name) for p in pictures]
            write_table(folder, placed)
            assert read_table(folder) == placed
            assert sorted(path.name for path in folder.iterdir()) == ["all_faces.csv", "labels.csv"]

    @pytest.mark.parametrize(
        ("pictures", "said"),
        [
            ([], "at least one"),
            ([Picture(Path("a.jpg"), "x", "val")] * 2, "listed twice"),
            ([Picture(Path("a.jpg"), "x", "train", group=HELD_OUT)], "hold out another one"),
        ],
    )
    def test_what_would_not_be_read_back_is_refused_and_the_old_table_stays(
        self, tmp_path: Path, pictures: list[Picture], said: str
    ) -> None:
        old = [Picture(tmp_path / "images" / "old.jpg", "x", "val")]
        write_table(tmp_path, old)
        with pytest.raises(TableError, match=said):
            write_table(tmp_path, [replace(p, path=tmp_path / "images" / p.path.name) for p in pictures])
        assert read_table(tmp_path) == old

    def test_a_picture_from_elsewhere_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(TableError, match="copy it there first"):
            write_table(tmp_path, [Picture(tmp_path / "a.jpg", "x", "val")])


class TestGroupColumn:
    HEAD = "image,source,split,label,u,v,interocular_px,faces,group\n"

    def test_its_groups_hold_and_an_empty_cell_means_the_rule(self, tmp_path: Path) -> None:
        (tmp_path / "all_faces.csv").write_text("image,u,v,interocular_px,by\n")
        rows = [f"{n}.jpg,x,train,negative,,,,0,{'one series' if n < 20 else ''}\n" for n in range(120)]
        (tmp_path / "labels.csv").write_text(self.HEAD + "".join(rows))
        pictures = read_table(tmp_path)
        assert {p.group for p in pictures[:20]} == {"one series"}
        assert len({p.split for p in pictures[:20]}) == 1
        assert [p.group for p in pictures[20:]] == [str(n) for n in range(20, 120)]
        assert {p.split for p in pictures[20:]} == {"train", "hold_out"}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a.jpg,x,train,Positive,1,2,3", "line 2: label: expected positive or negative, got 'Positive'"),
        ("a.jpg,x,test,negative,,,", "line 2: split: expected train or hold_out or val, got 'test'"),
        ("../a.jpg,x,train,negative,,,", "line 2: image: expected the name of a file"),
        ("a.jpg,x,train,positive,nan,2,3", "line 2: u: expected a number, got 'nan'"),
        ("a.jpg,x,train,positive,1", "line 2: expected 7 cells"),
        ("a,b.jpg,x,train,negative,,,", "line 2: expected 7 cells"),
        ("b.jpg,x,train,negative,,,", "has faces of 'face.jpg'"),
        ("face.jpg,x,train,negative,,,", "has faces of 'face.jpg'"),
        ("face.jpg,x,train,positive,40,60,10", "line 2: its point (40, 60) is none of the faces"),
    ],
)
def test_a_bad_row_is_named_with_line_key_and_value(tmp_path: Path, row: str, said: str) -> None:
    face = "face.jpg,20,20,10,human\n" if said.startswith("has faces") or "none of the faces" in said else ""
    (tmp_path / "all_faces.csv").write_text(f"image,u,v,interocular_px,by\n{face}")
    (tmp_path / "labels.csv").write_text(f"image,source,split,label,u,v,interocular_px\n{row}\n")
    with pytest.raises(TableError, match=re.escape(said)):
        read_table(tmp_path)


@given(st.text(max_size=30), st.sampled_from(["lfw", "ytf", "helen", "face_low", "afw", "ccp", "camvid", "mine"]))
def test_any_name_has_a_group(name: str, source: str) -> None:
    assert isinstance(group_of(name, source), str)
