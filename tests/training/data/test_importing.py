"""Pictures and labels from elsewhere become a data folder, as a whole or not at all."""

import math
from collections import Counter
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data import import_sources
from training.data.importing import Entry, Found, Refusal, refuse_filled, splits_of, survey, write
from training.data.table import Face, Picture, Split, TableError, of_split, read_table
from training.data.voc import VocRule
from training.errors import WorkshopError


def picture(path: Path, number: int, width: int = 100, height: int = 80) -> Path:
    """A picture file that looks like no other, PNG or JPEG by its ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(number).integers(0, 255, (height, width, 3), np.uint8))
    return path


def entry(path: Path, *faces: Face, group: str = "", **more: object) -> Entry:
    return Entry(path, f"mine_{path.name}", "mine", faces, group or path.stem, **more)  # type: ignore[arg-type]


FACE = Face(50, 40, 20, "human")


class TestSurvey:
    def test_good_pictures_pass(self, tmp_path: Path) -> None:
        entries = [entry(picture(tmp_path / f"{n}.png", n), FACE, size=(100, 80)) for n in range(3)]
        assert survey(entries) == (entries, [])

    @pytest.mark.parametrize(
        ("face", "size", "said"),
        [
            (Face(99.5, 40, 20, "human"), None, "(99.5, 40) is outside its 100x80"),
            (Face(50, float("nan"), 20, "human"), None, "outside"),
            (Face(50, 40, 0, "human"), None, "eye distance is 0"),
            (Face(50, 40, 1e300, "human"), None, "eye distance is 1e+300"),
            (Face(0.5, 0.4, 20, "human"), None, "as shares of the picture"),
            (FACE, (80, 100), "its label is for 80x100 pixels, it has 100x80"),
        ],
    )
    def test_labels_that_do_not_fit(self, tmp_path: Path, face: Face, size: tuple[int, int] | None, said: str) -> None:
        path = picture(tmp_path / "a.jpg", 1)
        good, refusals = survey([entry(path, face, size=size)])
        assert good == []
        assert [refusal.what for refusal in refusals] == [str(path)]
        assert said in refusals[0].why

    def test_files_that_are_no_whole_pictures(self, tmp_path: Path) -> None:
        cut = picture(tmp_path / "cut.jpg", 1)
        cut.write_bytes(cut.read_bytes()[:900])
        (tmp_path / "text.jpg").write_text("hello")
        good, refusals = survey([entry(tmp_path / name) for name in ("cut.jpg", "text.jpg", "none.jpg")])
        assert good == []
        assert all(refusal.why.startswith("not a whole picture: ") for refusal in refusals)
        assert len(refusals) == 3

    def test_a_picture_that_its_exif_data_turn(self, tmp_path: Path) -> None:
        path = picture(tmp_path / "a.jpg", 1)
        data = path.read_bytes()
        # An APP1 segment whose only entry is the orientation, 6: a quarter turn.
        segment = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
        path.write_bytes(data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:])
        good, refusals = survey([entry(path, FACE)])
        assert good == []
        assert "EXIF" in refusals[0].why

    def test_the_same_picture_or_name_twice(self, tmp_path: Path) -> None:
        first, other = picture(tmp_path / "a.png", 1), picture(tmp_path / "below" / "a.png", 2)
        copy = tmp_path / "copy.png"
        copy.write_bytes(first.read_bytes())
        good, refusals = survey([entry(first), entry(copy), entry(other)])
        assert good == [entry(first)]
        assert [refusal.why.partition(";")[0] for refusal in refusals] == [
            f"it is the same picture as {first}",
            f"it would be named mine_a.png as {first} is",
        ]


class TestSplits:
    def test_groups_stay_whole_and_val_has_both_kinds(self) -> None:
        entries = [
            entry(Path(f"{n}.png"), *([FACE] if n % 3 == 0 and n < 60 else []), group=f"series {n // 3}")
            for n in range(120)
        ]
        found = splits_of(entries, 0.1, 0)
        by_group = {e.group: split for e, split in zip(entries, found, strict=True)}
        assert found == [by_group[e.group] for e in entries]
        in_val = {bool(e.faces) for e, split in zip(entries, found, strict=True) if split == "val" and e.faces}
        assert in_val == {True}
        assert any(split == "val" for e, split in zip(entries[60:], found[60:], strict=True))

    def test_a_split_that_is_there_is_kept(self) -> None:
        splits: list[Split] = ["val" if n < 5 else "hold_out" if n < 8 else "train" for n in range(40)]
        entries = [entry(Path(f"{n}.png"), FACE, split=split) for n, split in enumerate(splits)]
        assert splits_of(entries, 0.5, 0) == splits

    @given(st.integers(0, 1000), st.integers(3, 40), st.integers(3, 40))
    def test_few_pictures_are_of_both_kinds_in_every_split(self, seed: int, people: int, nobody: int) -> None:
        entries = [entry(Path(f"{n}.png"), *([FACE] if n < people else [])) for n in range(people + nobody)]
        found = {(split, bool(e.faces)) for e, split in zip(entries, splits_of(entries, 0.1, seed), strict=True)}
        assert found == {(split, kind) for split in get_args(Split) for kind in (True, False)}

    @given(st.integers(0, 1000), st.integers(20, 60))
    def test_every_source_has_its_share_in_every_split(self, seed: int, each: int) -> None:
        sources = [source for source in ("hall", "yard", "street") for _ in range(each)]
        entries = [
            Entry(Path(f"{n}.png"), f"{n}.png", source, (FACE,) if n % 2 else (), f"group {n}")
            for n, source in enumerate(sources)
        ]
        found = Counter(
            (e.source, bool(e.faces), s) for e, s in zip(entries, splits_of(entries, 0.1, seed), strict=True)
        )
        for source in set(sources):
            for kind in (True, False):
                of_kind = sum(found[source, kind, split] for split in get_args(Split))
                in_val, held_out = found[source, kind, "val"], found[source, kind, "hold_out"]
                for drawn, of in ((in_val, of_kind), (held_out, of_kind - in_val)):
                    assert math.floor(of / 10) <= drawn <= math.ceil(of / 10)


class TestWrite:
    def entries(self, folder: Path) -> list[Entry]:
        return [
            entry(picture(folder / f"{n}.jpg", n, 400, 700), *([Face(9 + 9 * n, 600, 20, "human")] if n % 2 else []))
            for n in range(20)
        ]

    def test_what_is_written_is_a_table_with_the_same_bytes(self, tmp_path: Path) -> None:
        entries = self.entries(tmp_path / "in")
        written = write(tmp_path / "out", entries, splits_of(entries, 0.1, 0), prepared=False, seed=0)
        assert read_table(tmp_path / "out") == written
        assert {p.split for p in written} >= {"train", "val"}
        assert [p.path.read_bytes() for p in written] == [e.path.read_bytes() for e in entries]
        assert [p.faces for p in written] == [e.faces for e in entries]

    def test_prepared_pictures_are_320_x_240(self, tmp_path: Path) -> None:
        entries = list(import_sources.named_for_preparing(self.entries(tmp_path / "in")))
        written = write(tmp_path / "out", entries, splits_of(entries, 0.1, 0), prepared=True, seed=0)
        assert {cv2.imread(str(p.path)).shape for p in written} == {(240, 320, 3)}  # type: ignore[union-attr]
        assert [len(p.faces) for p in written] == [len(e.faces) for e in entries]
        assert survey(entry(p.path, *p.faces) for p in written)[1] == []
        again = write(tmp_path / "again", entries, splits_of(entries, 0.1, 0), prepared=True, seed=0)
        assert [p.path.read_bytes() for p in again] == [p.path.read_bytes() for p in written]

    def test_a_failure_leaves_nothing_behind(self, tmp_path: Path) -> None:
        entries = [*self.entries(tmp_path / "in"), entry(tmp_path / "gone.jpg")]
        with pytest.raises(FileNotFoundError):
            write(tmp_path / "out", entries, ["train"] * 21, prepared=False, seed=0)
        assert [path.name for path in tmp_path.iterdir()] == ["in"]

    def test_a_folder_with_something_in_it_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "mine.txt").write_text("keep")
        with pytest.raises(WorkshopError, match="new or empty"):
            refuse_filled(tmp_path)
        with pytest.raises(WorkshopError, match="new or empty"):
            refuse_filled(tmp_path / "mine.txt")

    def test_an_empty_folder_is_filled(self, tmp_path: Path) -> None:
        (tmp_path / "out").mkdir()
        entries = self.entries(tmp_path / "in")
        written = write(tmp_path / "out", entries, splits_of(entries, 0.1, 0), prepared=False, seed=0)
        assert len(of_split(read_table(tmp_path / "out"), "train", "hold_out", "val")) == len(written) == 20


class TestLabelImgFolder:
    def label(self, path: Path, name: str, *, box: str = "hm") -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            f"<annotation><filename>{name}</filename><object><name>{box}</name><bndbox><xmin>5</xmin><ymin>6</ymin>"
            "<xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>"
        )

    def read(self, folder: Path, pictures: Path | None = None, **more: str) -> Found:
        group_by: import_sources.GroupBy = "folder" if more.get("group_by") == "folder" else "picture"
        rule = VocRule(interocular_px=12)
        return import_sources.labelimg(folder, pictures, rule, source="labelimg", group_by=group_by)

    def test_pictures_beside_the_labels_without_an_ending_or_elsewhere(self, tmp_path: Path) -> None:
        labels, photos = tmp_path / "labels", tmp_path / "photos"
        self.label(labels / "a.xml", "a.png")
        self.label(labels / "b.xml", "b")
        self.label(labels / "walk" / "c.xml", "c.jpg")
        places = [picture(labels / "a.png", 1), picture(labels / "b.jpg", 2), picture(photos / "walk" / "c.jpg", 3)]
        picture(photos / "not labelled.jpg", 4)
        found = self.read(labels, photos)
        assert found.refusals == ()
        assert [e.path for e in found.entries] == places
        assert [e.name for e in found.entries] == ["labelimg_a.png", "labelimg_b.jpg", "labelimg_walk_c.jpg"]
        assert [e.group for e in found.entries] == ["labelimg a.png", "labelimg b.jpg", "labelimg walk/c.jpg"]
        assert found.entries[0].faces == (Face(5, 6, 12, "given"),)
        assert found.left_out == {"not labelled": 1}

    def test_a_folder_may_be_one_group(self, tmp_path: Path) -> None:
        for name in ("a", "b"):
            self.label(tmp_path / "walk" / f"{name}.xml", f"{name}.png")
            picture(tmp_path / "walk" / f"{name}.png", ord(name))
        assert {e.group for e in self.read(tmp_path, group_by="folder").entries} == {"labelimg walk"}

    def test_a_lost_picture_and_a_broken_file_are_refused_by_name(self, tmp_path: Path) -> None:
        self.label(tmp_path / "a.xml", "a.png")
        (tmp_path / "b.xml").write_text("<annotation>")
        found = self.read(tmp_path)
        assert found.entries == ()
        assert [refusal.what for refusal in found.refusals] == [str(tmp_path / "a.xml"), str(tmp_path / "b.xml")]
        assert "a.png is not in" in found.refusals[0].why
        assert str(found.refusals[1]) == str(Refusal(str(tmp_path / "b.xml"), found.refusals[1].why))

    def test_a_wrong_name_of_the_box_does_not_make_everybody_a_negative(self, tmp_path: Path) -> None:
        self.label(tmp_path / "a.xml", "a.png", box="eyes")
        picture(tmp_path / "a.png", 1)
        with pytest.raises(TableError, match=r"name the box with --box: eyes"):
            self.read(tmp_path)

    def test_a_folder_without_labels(self, tmp_path: Path) -> None:
        with pytest.raises(TableError, match=r"no \*\.xml"):
            self.read(tmp_path)


def test_a_table_keeps_its_split_unless_told_otherwise(tmp_path: Path) -> None:
    entries = [entry(picture(tmp_path / "in" / f"{n}.png", n), FACE) for n in range(30)]
    written = write(tmp_path / "one", entries, splits_of(entries, 0.1, 0), prepared=False, seed=0)

    def again(**how: bool) -> list[Picture]:
        found = import_sources.table(tmp_path / "one", **how).entries
        name = f"two {how}"
        return write(tmp_path / name, found, splits_of(found, 0.5, 3), prepared=False, seed=0)

    assert [p.split for p in again(split_again=False)] == [p.split for p in written]
    assert len(of_split(again(split_again=True), "val")) > len(of_split(written, "val"))
