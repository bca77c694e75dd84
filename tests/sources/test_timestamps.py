"""When the frames of a folder were taken: from the file, or evenly spaced; never guessed from half a file."""

from pathlib import Path

import pytest
from nasion.errors import InputError
from nasion.sources.timestamps import read_times


def test_without_a_file_frames_are_evenly_spaced(tmp_path: Path) -> None:
    assert read_times(tmp_path, ["7", "9", "12"], 30) == [0, 33_333_333, 66_666_667]


def test_the_file_says_when_each_was_taken(tmp_path: Path) -> None:
    (tmp_path / "timestamps.csv").write_text("frame,recorded_ns\n009,40\n007,-5\n\n")
    assert read_times(tmp_path, ["007", "009"], 30) == [-5, 40]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected the first line frame,recorded_ns"),
        ("frame,seconds\n7,1\n", "expected the first line frame,recorded_ns"),
        ("frame,recorded_ns\n7,1\n", "has no line for frame 9"),
        ("frame,recorded_ns\n7,1.5\n9,2\n", "line 2: expected a frame and whole nanoseconds, found '7,1.5'"),
        ("frame,recorded_ns\n7,1\n9\n", "line 3: expected"),
        ("frame,recorded_ns\n7,5\n9,5\n", "frame 9 is not later than the one before"),
        ("frame,recorded_ns\n7,9\n9,5\n", "frame 9 is not later than the one before"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "timestamps.csv").write_text(text)
    with pytest.raises(InputError) as caught:
        read_times(tmp_path, ["7", "9"], 30)
    assert says in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "timestamps.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read"):
        read_times(tmp_path, ["7"], 30)
