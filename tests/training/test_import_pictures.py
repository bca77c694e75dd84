"""The import commands as people run them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.data.table import read_table

ROOT = Path(__file__).parents[2]


def run_import(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, with its output piped and lines of any length."""
    command = [sys.executable, "-m", "training.import_pictures", *map(str, words)]
    environment = {**os.environ, "COLUMNS": "250"}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)


def picture(path: Path, number: int, width: int = 400, height: int = 300) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.random.default_rng(number).integers(0, 255, (height, width, 3), np.uint8))
    return path


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """A folder of LabelImg's: 15 pictures with a point, 15 without, one not labelled."""
    folder = tmp_path / "labelled"
    for number in range(31):
        picture(folder / f"{number}.jpg", number)
        corners = "<xmin>30</xmin><ymin>40</ymin><xmax>50</xmax><ymax>60</ymax>"
        box = f"<object><name>hm</name><bndbox>{corners}</bndbox></object>" if number % 2 else ""
        text = f"<annotation><filename>{number}.jpg</filename>{box}</annotation>"
        if number < 30:
            (folder / f"{number}.xml").write_text(text)
    return folder


def test_labelimg_becomes_a_table(labelled: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run_import("labelimg", labelled, "--out", out, "--interocular-px", "25", "--json")
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    pictures = read_table(out)
    assert sum(sum(kinds.values()) for kinds in summary["splits"].values()) == len(pictures) == 30
    assert summary["left_out"] == {"not labelled": 1, "refused": 0}
    assert all(count for kinds in summary["splits"].values() for count in kinds.values())
    faces = {(f.u, f.v, f.interocular_px, f.marked_by) for p in pictures for f in p.faces}
    assert faces == {(30, 40, 25, "given")}


def test_the_summary_without_json_has_no_colour(labelled: Path, tmp_path: Path) -> None:
    result = run_import("labelimg", labelled, "--out", tmp_path / "out", "--interocular-px", "25", "--prepare")
    assert result.returncode == 0, result.stderr
    assert "30 pictures in" in result.stdout
    assert "left out: 1 (not labelled)" in result.stdout
    assert "\x1b" not in result.stdout + result.stderr
    assert {cv2.imread(str(p.path)).shape for p in read_table(tmp_path / "out")} == {(240, 320, 3)}  # type: ignore[union-attr]


def test_coco_becomes_a_table(tmp_path: Path) -> None:
    people = [
        {"id": n, "image_id": n, "category_id": 1, "keypoints": [100 + n, 50, 2, 120 + n, 50, 2 if n < 10 else 1]}
        for n in range(20)
    ]
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 400, "height": 300} for n in range(30)]
    for n in range(30):
        picture(tmp_path / "photos" / f"{n}.jpg", n)
    labels = tmp_path / "person_keypoints_mine.json"
    person = {"id": 1, "name": "person", "keypoints": ["left_eye", "right_eye"]}
    labels.write_text(json.dumps({"images": images, "annotations": people, "categories": [person]}))
    result = run_import("coco", labels, "--images", tmp_path / "photos", "--out", tmp_path / "out", "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["left_out"] == {"people, but no two eyes marked": 10, "refused": 0}
    pictures = read_table(tmp_path / "out")
    assert [len(p.faces) for p in pictures] == [1] * 10 + [0] * 10
    assert [p.faces[0].u for p in pictures[:10]] == [110 + n for n in range(10)]


def test_a_table_becomes_one_again(make_table: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> None:
    data, out = make_table(4), tmp_path_factory.mktemp("table") / "out"
    result = run_import("table", data, "--out", out)
    assert result.returncode == 0, result.stderr
    before, after = read_table(data), read_table(out)
    assert [(p.path.name, p.split, p.group, p.faces) for p in after] == [
        (p.path.name, p.split, p.group, p.faces) for p in before
    ]


class TestRefusals:
    def test_bad_pictures_are_named_and_nothing_is_written_unless_they_are_skipped(
        self, labelled: Path, tmp_path: Path
    ) -> None:
        (labelled / "1.jpg").write_bytes((labelled / "1.jpg").read_bytes()[:5000])
        (labelled / "2.xml").write_text("<annotation>")
        picture(labelled / "3.jpg", 3, 20, 20)
        arguments = ("labelimg", labelled, "--out", tmp_path / "out", "--interocular-px", "25")
        result = run_import(*arguments)
        assert result.returncode == 2
        lines = result.stderr.splitlines()
        assert [Path(line.partition(":")[0]).name for line in lines] == ["2.xml", "1.jpg", "3.jpg", "labelimg"]
        assert "3 of 30 pictures cannot be imported, nothing was written" in lines[-1]
        assert [path.name for path in tmp_path.iterdir()] == ["labelled"]

        result = run_import(*arguments, "--skip-bad", "--json")
        assert result.returncode == 0, result.stderr
        assert json.loads(result.stdout)["left_out"]["refused"] == 3
        assert len(read_table(tmp_path / "out")) == 27

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ((), "--interocular-px N"),
            (("--interocular-px", "25", "--box", "eyes"), "--box: hm"),
            (("--interocular-px", "25", "--share", "2"), "between 0 and 1"),
            (("--interocular-px", "25", "--source", "a/b"), "--source"),
            (("--interocular-px", "25", "--pictures", "nowhere"), "nowhere"),
            (("--interocular-px", "wide"), "Invalid value for '--interocular-px'"),
        ],
    )
    def test_bad_options(self, labelled: Path, tmp_path: Path, more: tuple[str, ...], said: str) -> None:
        result = run_import("labelimg", labelled, "--out", tmp_path / "out", *more)
        assert result.returncode == 2
        assert said in result.stderr
        assert "Traceback" not in result.stderr
        assert not (tmp_path / "out").exists()

    def test_without_an_eye_distance_one_line_says_so_for_all(self, labelled: Path, tmp_path: Path) -> None:
        result = run_import("labelimg", labelled, "--out", tmp_path / "out", "--skip-bad")
        assert result.returncode == 2
        assert len(result.stderr.splitlines()) == 1

    def test_a_filled_folder_is_left_alone(self, labelled: Path) -> None:
        before = sorted(labelled.iterdir())
        result = run_import("labelimg", labelled, "--out", labelled, "--interocular-px", "25")
        assert result.returncode == 2
        assert len(result.stderr.splitlines()) == 1
        assert "new or empty" in result.stderr
        assert sorted(labelled.iterdir()) == before

    @pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"[1, 2]", b'{"images": [], "annotations": []}'])
    def test_what_is_no_coco_file(self, tmp_path: Path, data: bytes) -> None:
        labels = tmp_path / "labels.json"
        labels.write_bytes(data)
        result = run_import("coco", labels, "--images", tmp_path, "--out", tmp_path / "out")
        assert result.returncode == 2
        assert len(result.stderr.splitlines()) == 1
        assert str(labels) in result.stderr
        assert not (tmp_path / "out").exists()


def test_labels_with_mistakes_are_all_named_and_nobody_becomes_a_negative(labelled: Path, tmp_path: Path) -> None:
    """Mistakes of a long evening: another case, another word, a box drawn from the wrong corner."""
    for number, (name, xmin) in {1: ("Hm", 30), 3: ("nasion", 30), 5: ("hm", 60)}.items():
        text = (labelled / f"{number}.xml").read_text()
        (labelled / f"{number}.xml").write_text(text.replace("hm", name).replace("<xmin>30", f"<xmin>{xmin}"))
    result = run_import("labelimg", labelled, "--out", tmp_path / "out", "--interocular-px", "25")
    assert result.returncode == 2
    assert [Path(line.partition(":")[0]).name for line in result.stderr.splitlines()[:3]] == ["1.xml", "3.xml", "5.xml"]
    assert not (tmp_path / "out").exists()
    told = run_import(
        *("labelimg", labelled, "--out", tmp_path / "out", "--interocular-px", "25", "--skip-bad", "--json"),
        *("--other-box", "nasion"),
    )
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["left_out"]["refused"] == 2
