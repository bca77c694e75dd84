"""A video's file says how long it is; what its counts and durations say is no sign of damage."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path
from typing import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.sources.containers import is_cut_off
from nasion.sources.video import DamagedFrame, Video, VideoEnd, VideoFrame, VideoItem

Maker = Callable[..., Path]

FILES = [("a.avi", "MJPG"), ("a.avi", "mp4v"), ("a.mp4", "mp4v"), ("a.mkv", "MJPG")]


def played(path: Path) -> list[VideoItem]:
    video = Video(path)
    items: list[VideoItem] = []
    while not items or not isinstance(items[-1], VideoEnd):
        items.append(video.read())
    video.close()
    return items


@pytest.mark.parametrize(("name", "codec"), FILES)
def test_a_whole_file_is_not_cut_off_and_a_shorter_one_is(make_video: Maker, name: str, codec: str) -> None:
    path = make_video(name, codec)
    assert is_cut_off(path) is False
    content = path.read_bytes()
    for missing in (1, 1000, len(content) // 2):
        path.write_bytes(content[:-missing])
        assert is_cut_off(path) is True


@given(st.binary(max_size=200), st.sampled_from([b"", b"RIFF", b"\0\0\0\x08ftyp", b"\x1a\x45\xdf\xa3"]))
def test_any_bytes_are_judged(tmp_path_factory: pytest.TempPathFactory, content: bytes, magic: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "file"
    path.write_bytes(magic + content)
    assert is_cut_off(path) in (True, False, None)


def with_pause(path: Path, before: int, pause: int) -> None:
    """Let frame ``before`` of an MP4 be shown ``pause`` frame times longer: the table `stts` gets three entries."""
    # Without the edit list, which would end the video at its old length.
    content = path.read_bytes().replace(b"edts", b"free")
    at = content.index(b"stts") - 4
    size, _, _, entries, frames, step = struct.unpack(">I4sIIII", content[at : at + 24])
    assert (size, entries) == (24, 1), "OpenCV writes one entry for a video of even pace"
    parts = [(before, step), (1, pause * step), (frames - before - 1, step)]
    table = struct.pack(">I4sII", 16 + 8 * 3, b"stts", 0, 3) + b"".join(struct.pack(">II", *part) for part in parts)
    content = content[:at] + table + content[at + size :]
    for box in (b"moov", b"trak", b"mdia", b"minf", b"stbl"):
        place = content.index(box) - 4
        longer = struct.unpack(">I", content[place : place + 4])[0] + len(table) - size
        content = content[:place] + struct.pack(">I", longer) + content[place + 4 :]
    path.write_bytes(content)


@pytest.mark.parametrize("pause", [2, 30, 2000])
def test_a_pause_is_no_damage(make_video: Maker, pause: int) -> None:
    """However long it is: also a minute costs nothing."""
    path = make_video("a.mp4", "mp4v")
    with_pause(path, 5, pause)
    *frames, end = played(path)
    assert end == VideoEnd(0)
    assert [type(frame) for frame in frames] == [VideoFrame] * 12
    times = [frame.time_ns for frame in frames if isinstance(frame, VideoFrame)]
    assert times[6] - times[5] == pytest.approx(pause * 1e9 / 30, rel=0.01)


def test_a_frame_that_is_damaged_is_still_told_in_its_place(make_video: Maker) -> None:
    path = make_video("a.mp4", "mp4v")
    whole = played(path)
    content = bytearray(path.read_bytes())
    # The data of one frame, near the middle of the file: nothing of it stays.
    start = content.index(b"mdat") + 4 + (content.index(b"moov") - content.index(b"mdat")) // 3
    content[start : start + 600] = bytes(600)
    path.write_bytes(content)
    *items, end = played(path)
    assert end == VideoEnd(0)
    assert len(items) == len(whole) - 1
    times = [item.time_ns for item in items if not isinstance(item, VideoEnd)]
    assert times == sorted(times)


@pytest.mark.parametrize("sound_s", [1, 4])
def test_sound_that_is_longer_is_no_missing_picture(tmp_path: Path, sound_s: int) -> None:
    path = tmp_path / "sound.mkv"
    pipeline = (
        "videotestsrc num-buffers=20 ! video/x-raw,width=640,height=240,framerate=30/1 ! vp8enc ! mux. "
        f"audiotestsrc num-buffers={sound_s * 43} ! vorbisenc ! mux. "
        f"matroskamux name=mux ! filesink location={path}"
    )
    subprocess.run(["gst-launch-1.0", "-q", *pipeline.split()], check=True, capture_output=True)
    *frames, end = played(path)
    assert (len(frames), end) == (20, VideoEnd(0))
    assert not any(isinstance(frame, DamagedFrame) for frame in frames)


@pytest.mark.parametrize("codec", ["MJPG", "mp4v"])
def test_frames_that_a_recorder_left_out_are_not_cut_off(make_video: Maker, codec: str) -> None:
    """AVI counts them in its header, and has nothing for them."""
    path = make_video("a.avi", codec)
    content = bytearray(path.read_bytes())
    for place in (content.index(b"avih") + 8 + 16, content.index(b"strh") + 8 + 32):
        assert struct.unpack("<I", content[place : place + 4]) == (12,)
        content[place : place + 4] = struct.pack("<I", 17)
    path.write_bytes(content)
    *frames, end = played(path)
    assert (len(frames), end) == (12, VideoEnd(0))
