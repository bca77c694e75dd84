"""A video plays to its end or to the cut; what is damaged or missing is told, frame by frame."""

from pathlib import Path
from typing import Callable, List

import numpy as np
import pytest
from nasion.errors import InputError
from nasion.sources.video import DamagedFrame, Video, VideoEnd, VideoFrame, VideoItem

Maker = Callable[..., Path]


def played(path: Path) -> List[VideoItem]:
    video = Video(path)
    items: List[VideoItem] = []
    while not items or not isinstance(items[-1], VideoEnd):
        items.append(video.read())
    assert video.read() == items[-1]
    video.close()
    video.close()
    return items


def kinds(items: List[VideoItem]) -> str:
    """``"..x."``: a dot for a frame, an x for a damaged one; without the end."""
    return "".join("." if isinstance(item, VideoFrame) else "x" for item in items[:-1])


@pytest.mark.parametrize(
    ("name", "codec"), [("a.avi", "MJPG"), ("a.avi", "mp4v"), ("a.mkv", "MJPG"), ("a.mkv", "VP80")]
)
def test_a_whole_video_plays_whole(make_video: Maker, name: str, codec: str) -> None:
    path = make_video(name, codec)
    video = Video(path)
    assert (video.width, video.height, video.count) == (640, 180, 12)
    assert video.fps == pytest.approx(30)
    items = played(path)
    assert kinds(items) == "." * 12
    assert items[-1] == VideoEnd(missing=0)
    times = [item.time_ns for item in items if isinstance(item, VideoFrame)]
    assert times == pytest.approx([number * 1e9 / 30 for number in range(12)], abs=1e6)
    assert all(item.picture.shape == (180, 640, 3) for item in items if isinstance(item, VideoFrame))


@pytest.mark.parametrize("damage", ["no end", "no data", "noise"])
def test_a_damaged_jpeg_frame_is_told_and_the_next_one_is_whole(
    make_video: Maker, packets: Callable[[Path], List[int]], damage: str
) -> None:
    path = make_video()
    places, data = packets(path), bytearray(path.read_bytes())
    begin, end = places[5], places[6] - 8
    if damage == "no end":
        data[end - 300 : end] = bytes(300)
    else:
        data[begin:end] = bytes(end - begin) if damage == "no data" else np.random.default_rng(0).bytes(end - begin)
    path.write_bytes(data)
    items = played(path)
    assert kinds(items) == ".....x......"
    assert isinstance(items[5], DamagedFrame)
    assert items[5].why.startswith("frame 5 of walk.avi: ")
    assert items[5].time_ns == pytest.approx(5e9 / 30, abs=1e6)
    assert items[-1] == VideoEnd(missing=0)


def test_a_frame_that_another_decoder_skips_is_told(make_video: Maker, packets: Callable[[Path], List[int]]) -> None:
    path = make_video(codec="mp4v")
    places, data = packets(path), bytearray(path.read_bytes())
    for number in (0, 4, 5, 8):
        end = places[number + 1] - 8
        data[places[number] : end] = bytes(end - places[number])
    path.write_bytes(data)
    items = played(path)
    assert kinds(items) == "x...xx..x..."
    damaged = [item for item in items if isinstance(item, DamagedFrame)]
    assert [item.why for item in damaged] == [
        f"frame {number} of walk.avi is missing or cannot be decoded" for number in (0, 4, 5, 8)
    ]
    assert [item.time_ns for item in damaged] == pytest.approx([n * 1e9 / 30 for n in (0, 4, 5, 8)], abs=1e6)
    assert items[-1] == VideoEnd(missing=0)


@pytest.mark.parametrize("codec", ["MJPG", "mp4v"])
@pytest.mark.parametrize("share", [0.35, 0.6, 0.9])
def test_a_video_that_was_cut_off_plays_to_the_cut_and_tells_how_many_are_missing(
    make_video: Maker, codec: str, share: float
) -> None:
    path = make_video(codec=codec)
    data = path.read_bytes()
    path.write_bytes(data[: round(share * len(data))])
    items = played(path)
    end = items[-1]
    assert isinstance(end, VideoEnd)
    whole = kinds(items).rstrip("x")
    assert "x" not in whole
    assert 2 <= len(whole) < 12
    assert len(items) - 1 + end.missing == 12


def test_what_is_no_video_is_refused_in_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = tmp_path / "text.avi"
    text.write_text("no video")
    for path, says in (
        (tmp_path / "none.avi", "none.avi does not exist"),
        (tmp_path, "is not a file"),
        (text, "is not a video that can be decoded"),
    ):
        with pytest.raises(InputError, match=says):
            Video(path)
    assert capfd.readouterr() == ("", "")
