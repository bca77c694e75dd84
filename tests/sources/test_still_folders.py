"""What is read of a folder, and that nothing of it is left out without being counted."""

import os
from pathlib import Path
from typing import List

import pytest
from nasion.sources.still_folders import StillFolder, look_through

OWN = ".located.jpg"


def look(folder: Path) -> StillFolder:
    return look_through(folder, own=OWN)


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def found(folder: Path) -> List[str]:
    return [str(path.relative_to(folder)) for path in look(folder).pictures]


def test_endings_may_be_written_in_any_case_and_folders_are_looked_into(tmp_path: Path) -> None:
    touch(tmp_path, "b.JPG", "a.Tiff", "sub/deep/c.jfif", "d.PBM")
    assert found(tmp_path) == ["a.Tiff", "b.JPG", "d.PBM", "sub/deep/c.jfif"]
    assert look(tmp_path).left_out_in_words() is None


def test_what_is_left_out_is_counted_by_its_ending(tmp_path: Path) -> None:
    touch(tmp_path, "a.heic", "b.HEIC", "sub/c.txt", "README", "d.jpg", "d.located.jpg", "._d.jpg")
    inside = look(tmp_path)
    assert [path.name for path in inside.pictures] == ["d.jpg"]
    assert dict(inside.left_out) == {".heic": 2, ".txt": 1, "without an ending": 1, f"*{OWN}": 1, "._*": 1}
    said = inside.left_out_in_words()
    assert said is not None
    assert said.startswith("6 files left out: .heic 2, ")
    assert f"HEIC is not read; convert it, e.g. with: heif-convert {tmp_path}/a.heic {tmp_path}/a.jpg" in said


def test_many_endings_stay_one_line(tmp_path: Path) -> None:
    touch(tmp_path, *(f"a.e{number}" for number in range(20)))
    said = look(tmp_path).left_out_in_words()
    assert said is not None
    assert said.startswith("20 files left out: ")
    assert said.endswith("12 more endings")


def test_what_is_no_file_is_neither_opened_nor_forgotten(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere")
    assert dict(look(tmp_path).left_out) == {"no regular file": 2}


def test_a_folder_that_cannot_be_looked_into_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def scandir(path: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", scandir)
    assert look(tmp_path).closed == [f"{tmp_path}: Permission denied"]
