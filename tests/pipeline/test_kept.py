"""What was set is there at the next start, where that was asked for; a file that is no such file is refused."""

import json
from pathlib import Path
from typing import List

import pytest
from nasion.errors import InputError
from nasion.pipeline.kept import Kept


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept.json"


@pytest.fixture
def told() -> List[str]:
    return []


def test_what_was_put_is_there_at_the_next_start(path: Path, told: List[str]) -> None:
    kept = Kept(path, on_event=told.append)
    kept.put("front", "threshold", 0.5)
    kept.put("front", "threshold", 0.4)
    kept.put("rear", "image", True)
    assert not path.exists(), "nobody waits for a disk"
    kept.look()
    again = Kept(path, on_event=told.append)
    assert (again.of("front"), again.of("rear"), again.of("side")) == ({"threshold": 0.4}, {"image": True}, {})
    assert told == []


def test_an_editor_of_windows_does_it_no_harm(path: Path, told: List[str]) -> None:
    path.write_text('{"front": {"threshold": 0.4}}', encoding="utf-8-sig")
    assert Kept(path, on_event=told.append).of("front") == {"threshold": 0.4}


def test_it_is_written_once_a_change_and_as_a_whole(path: Path, told: List[str]) -> None:
    kept = Kept(path, on_event=told.append)
    kept.put("cam0", "threshold", 0.5)
    kept.look()
    with path.open() as reader:
        kept.put("cam0", "threshold", 0.4)
        kept.look()
        assert json.load(reader) == {"cam0": {"threshold": 0.5}}
    path.unlink()
    kept.look()
    assert list(path.parent.iterdir()) == []


def test_what_it_held_of_other_cameras_stays(path: Path, told: List[str]) -> None:
    path.write_text('{"rear": {"max_persons": 2}}')
    kept = Kept(path, on_event=told.append)
    kept.put("cam0", "threshold", 0.5)
    kept.look()
    assert json.loads(path.read_text()) == {"rear": {"max_persons": 2}, "cam0": {"threshold": 0.5}}


def test_without_a_file_nothing_is_kept(tmp_path: Path, told: List[str]) -> None:
    kept = Kept(None, on_event=told.append)
    kept.put("cam0", "threshold", 0.5)
    kept.look()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_told_once_and_ends_nothing(tmp_path: Path, told: List[str]) -> None:
    kept = Kept(tmp_path / "nowhere" / "kept.json", on_event=told.append)
    for value in (0.1, 0.2, 0.3):
        kept.put("cam0", "threshold", value)
        kept.look()
        kept.look()
    assert len(told) == 1
    assert told[0].endswith("kept.json cannot be written: No such file or directory; nothing is kept")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not the kept settings"),
        (b"[]", "not the kept settings"),
        (b'{"cam0": 1}', "not the kept settings"),
        (b"\xff\xfe", "not the kept settings"),
        (b"[" * 50_000, "not the kept settings"),
        (b" " * (1 << 16) + b" ", "larger than"),
        (b'{"cam0": {"volume": 1}}', "cam0: volume: unknown key 'volume'"),
        (b'{"cam0": {"threshold": 7}}', "cam0: threshold: value: Input should be less than or equal to 1"),
        (b'{"cam0": {"threshold": NaN}}', "cam0: threshold: value: Input should be a finite number"),
        (b'{"cam0": {"image": null}}', "cam0: image: value: Input should be a valid boolean"),
    ],
)
def test_a_file_that_holds_something_else_is_bad_input(path: Path, content: bytes, said: str) -> None:
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        Kept(path, on_event=print)
    assert str(caught.value).startswith(f"remote.persist {path}")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_folder_in_its_place_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Is a directory"):
        Kept(tmp_path, on_event=print)
