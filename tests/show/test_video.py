"""The annotated video can be played back, and what cannot become one is refused before the run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from nasion.errors import InputError, NasionError
from nasion.show.video import AnnotatedVideo

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def picture(number: int, width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 20 * number, np.uint8)


def played(path: Path) -> list[NDArray[np.uint8]]:
    capture = cv2.VideoCapture(str(path))
    pictures = []
    while (grab := capture.read())[0]:
        pictures.append(grab[1].astype(np.uint8))
    return pictures


def test_what_was_written_can_be_played(tmp_path: Path) -> None:
    video = AnnotatedVideo(tmp_path / "walk.avi", fps=25.0)
    for number in range(10):
        video.write(picture(number))
    video.close()
    video.close()
    back = played(tmp_path / "walk.avi")
    assert [round(float(frame.mean()) / 20) for frame in back] == list(range(10))
    assert back[0].shape == (48, 64, 3)
    assert cv2.VideoCapture(str(tmp_path / "walk.avi")).get(cv2.CAP_PROP_FPS) == 25


def test_a_long_video_goes_on_in_numbered_files(tmp_path: Path) -> None:
    video = AnnotatedVideo(tmp_path / "walk.avi", fps=25.0, part_bytes=200_000)
    noise = np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8)
    for _ in range(60):
        video.write(noise)
    video.close()
    files = sorted(tmp_path.iterdir())
    assert [file.name for file in files][:2] == ["walk-2.avi", "walk-3.avi"]
    assert files[-1].name == "walk.avi"
    assert sum(len(played(file)) for file in files) == 60


def test_all_pictures_have_the_size_of_the_first(tmp_path: Path) -> None:
    video = AnnotatedVideo(tmp_path / "walk.avi", fps=25.0)
    video.write(picture(1))
    with pytest.raises(NasionError, match="64 x 48"):
        video.write(picture(1, width=32))
    video.close()
    assert len(played(tmp_path / "walk.avi")) == 1


def test_without_a_picture_no_empty_file_is_left(tmp_path: Path) -> None:
    AnnotatedVideo(tmp_path / "walk.avi", fps=25.0).close()
    assert list(tmp_path.iterdir()) == []


def link(folder: Path) -> None:
    (folder / "older.avi").write_bytes(b"older")
    (folder / "walk.avi").symlink_to("older.avi")


def hard_link(folder: Path) -> None:
    (folder / "older.avi").write_bytes(b"older")
    os.link(folder / "older.avi", folder / "walk.avi")


@pytest.mark.parametrize(
    "put",
    [
        lambda folder: (folder / "walk.avi").write_bytes(b"older"),
        link,
        hard_link,
        lambda folder: (folder / "walk.avi").symlink_to("nowhere"),
    ],
    ids=["file", "link", "hard link", "dangling link"],
)
def test_what_is_there_is_not_written_over(tmp_path: Path, put: Callable[[Path], object]) -> None:
    put(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.exists()}
    with pytest.raises(InputError, match=r"walk\.avi exists already"):
        AnnotatedVideo(tmp_path / "walk.avi", fps=25.0)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.exists()} == before


def test_parts_and_a_restarted_run_take_the_next_free_name(tmp_path: Path) -> None:
    (tmp_path / "walk-2.avi").write_bytes(b"another")
    first = AnnotatedVideo(tmp_path / "walk.avi", fps=25.0)
    first.write(picture(1))
    first.close()
    again = AnnotatedVideo(tmp_path / "walk.avi", fps=25.0, goes_on=True)
    again.write(picture(2))
    again.close()
    assert again.written == [tmp_path / "walk-3.avi"]
    assert (tmp_path / "walk-2.avi").read_bytes() == b"another"
    assert len(played(tmp_path / "walk.avi")) == 1


class TestRefusedAtOpening:
    def test_another_ending(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"walk\.mp4: .*e\.g\. walk\.avi"):
            AnnotatedVideo(tmp_path / "walk.mp4", fps=25.0)

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"folder .*nowhere does not exist"):
            AnnotatedVideo(tmp_path / "nowhere/walk.avi", fps=25.0)

    def test_a_folder(self, tmp_path: Path) -> None:
        (tmp_path / "walk.avi").mkdir()
        with pytest.raises(InputError, match="exists already"):
            AnnotatedVideo(tmp_path / "walk.avi", fps=25.0)

    def test_a_place_that_takes_no_files(self) -> None:
        with pytest.raises(InputError, match=r"/proc/walk\.avi"):
            AnnotatedVideo(Path("/proc/walk.avi"), fps=25.0)

    def test_a_named_pipe_instead_of_blocking_for_ever(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "walk.avi")
        with pytest.raises(InputError, match=r"walk\.avi"):
            AnnotatedVideo(tmp_path / "walk.avi", fps=25.0)

    @pytest.mark.parametrize("fps", [0.0, -1.0, float("nan")])
    def test_a_frame_rate_that_is_none(self, tmp_path: Path, fps: float) -> None:
        with pytest.raises(InputError, match="frame rate above 0"):
            AnnotatedVideo(tmp_path / "walk.avi", fps=fps)


FULL_DISK = """
import resource, sys
from pathlib import Path
import numpy as np
from nasion.errors import NasionError
from nasion.show.video import AnnotatedVideo
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
video = AnnotatedVideo(Path(sys.argv[1]), fps=25.0)
for _ in range(60):
    video.write(np.random.default_rng(0).integers(0, 255, (120, 160, 3), np.uint8))
try:
    video.close()
except NasionError as error:
    print(error)
"""


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    """The kernel's limit on file sizes stands for the full disk; it needs a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "walk.avi")], capture_output=True, text=True, check=True
    )
    assert ran.stdout.endswith("walk.avi: the video broke off after 100000 bytes; is the disk full?\n")
