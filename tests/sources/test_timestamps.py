"""When the frames of a folder were taken: from the file, or evenly spaced; never guessed from half a file."""

import os
from pathlib import Path

import pytest
from nasion.errors import InputError
from nasion.sources.timestamps import read_times


def test_without_a_file_frames_are_evenly_spaced(tmp_path: Path) -> None:
    assert read_times(tmp_path, ["7", "9", "12"], 30) == [0, 33_333_333, 66_666_667]


def test_the_file_says_when_each_was_taken(tmp_path: Path) -> None:
    (tmp_path / "timestamps.csv").write_text("frame,recorded_ns\n009,40000000\n007,-5000000\n\n")
    assert read_times(tmp_path, ["007", "009"], 30) == [-5_000_000, 40_000_000]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "expected the first line frame,recorded_ns"),
        ("frame,seconds\n7,1\n", "expected the first line frame,recorded_ns"),
        ("frame,recorded_ns\n7,1\n", "has no line for frame 9"),
        ("frame,recorded_ns\n7,1.5\n9,2\n", "line 2: expected a frame and whole nanoseconds, found '7,1.5'"),
        ("frame,recorded_ns\n7,1\n9\n", "line 3: expected"),
        ("frame,recorded_ns\n7,5\n9,5\n", "frame 9 is not later than the one before"),
        ("frame,recorded_ns\n7,16890000000000000000\n9,16890000000143165576\n", "line 2: 16890000000000000000 is past"),
        (f"frame,recorded_ns\n7,1\n9,{'9' * 5000}\n", "line 3: 9999999999"),
        (f"frame,recorded_ns\n7,-{2**63}\n9,1\n", "line 2"),
        ("frame,recorded_ns\n7,1e18\n9,2\n", "line 2: expected"),
        ("frame,recorded_ns\n7,--1\n9,2\n", "line 2: expected"),
        ("frame,recorded_ns\n7,1\n7,2\n9,3\n", "line 3: frame 7 stands there twice"),
        ("frame,recorded_ns\n7,1700000000000\n9,1700000000033\n", "these look like milliseconds"),
        ("frame,recorded_ns\n7,1700000000000000\n9,1700000000033000\n", "these look like microseconds"),
        ("frame,recorded_ns\n7,1700000000\n9,1700000001\n", "these look like seconds"),
        ("frame,recorded_ns\n7,1700000000000000\n9,1700000000200000\n", "these look like microseconds"),
        ("frame,recorded_ns\n7,1700000000000000\n9,1700000001000000\n", "these look like microseconds"),
        ("frame,recorded_ns\n7,0\n9,100000\n", "these look like microseconds"),
        ("frame,recorded_ns\n7,0\n9,33\n", "these look like milliseconds"),
        ("frame,recorded_ns\n7,0\n9,33333\n", "these look like microseconds"),
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
    with pytest.raises(InputError, match="not UTF-8"):
        read_times(tmp_path, ["7"], 30)


@pytest.mark.parametrize("step_ns", [4_000_000, 16_666_667, 500_000_000, 10_000_000_000, 3_600_000_000_000])
@pytest.mark.parametrize(
    "first_ns",
    [0, -5, 1_700_000_000_000, 1_700_000_000_000_000, 1_700_000_000_000_000_000, 2**63 - 1 - 4 * 3_600_000_000_000],
)
def test_times_of_cameras_are_taken(tmp_path: Path, first_ns: int, step_ns: int) -> None:
    times = [first_ns + number * step_ns for number in range(4)]
    lines = "".join(f"{number},{time}\n" for number, time in enumerate(times))
    (tmp_path / "timestamps.csv").write_text("\ufeffframe,recorded_ns\n" + lines, encoding="utf-8")
    assert read_times(tmp_path, ["0", "1", "2", "3"], 30) == times


@pytest.mark.parametrize("kind", ["pipe", "folder", "dangling link", "device"])
def test_what_is_no_file_is_not_taken_for_none(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "timestamps.csv"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero" if kind == "device" else "nowhere")
    with pytest.raises(InputError, match="no regular file"):
        read_times(tmp_path, ["7"], 30)
