"""A recording goes on in the next file, by size and by time; each file can be read alone."""

from pathlib import Path
from typing import Any, Callable, List, Optional, Tuple

import pytest
from mcap.reader import make_reader
from nasion.errors import InputError
from nasion.recording.rotation import Rotation, Span
from nasion.sources.frame import CorruptFrame, End, Frame, Grab

Same = Callable[[Grab, Grab], bool]

STEP_NS = 33_333_333
#: The index at the end of a file comes on top of its size; it is the same for few frames.
INDEX_BYTES = 8000


@pytest.mark.parametrize(
    ("rotation", "names"),
    [
        (Rotation(), ["walk.mcap", "walk.mcap"]),
        (Rotation(max_bytes=1), ["walk-0001.mcap", "walk-0012.mcap"]),
        (Rotation(max_ns=1), ["walk-0001.mcap", "walk-0012.mcap"]),
    ],
)
def test_files_are_numbered_where_there_can_be_several(rotation: Rotation, names: List[str]) -> None:
    assert [rotation.path(Path("a/walk.mcap"), number) for number in (1, 12)] == [Path("a", name) for name in names]


@pytest.mark.parametrize(
    ("max_bytes", "max_ns", "fit"),
    [
        (None, None, [True, True, True, True]),
        (250, None, [True, True, False, False]),
        (1, None, [True, False, False, False]),
        (None, 20, [True, True, False, False]),
        (150, 20, [True, False, False, False]),
    ],
)
def test_a_file_takes_frames_until_it_is_full_or_long_enough_but_always_one(
    max_bytes: Optional[int], max_ns: Optional[int], fit: List[bool]
) -> None:
    span, limits = Span(), Rotation(max_bytes, max_ns)
    assert [span.takes("cam0", number * 10, (number + 1) * 100, limits) for number in range(4)] == fit


def test_each_camera_has_its_own_time() -> None:
    span, limits = Span(), Rotation(max_ns=20)
    assert span.takes("front", 1_000_000, 0, limits)
    assert span.takes("rear", 0, 0, limits)
    assert not span.takes("rear", 20, 0, limits)


@pytest.mark.parametrize(
    ("rotation", "held"),
    [
        (Rotation(max_ns=3 * STEP_NS), [3, 3, 2]),
        (Rotation(max_bytes=60_000), [3, 3, 2]),
        (Rotation(max_bytes=1), [1] * 8),
        (Rotation(), [8]),
    ],
)
def test_each_file_is_whole_and_played_alone(
    studio: Any, frame: Callable[..., Frame], same: Same, rotation: Rotation, held: List[int]
) -> None:
    frames = [frame(number, stereo=rotation.max_ns is None) for number in range(8)]
    studio.record(frames, rotation=rotation)
    files = sorted(studio.folder.glob("*.mcap"))
    played: List[Grab] = []
    assert len(files) == len(held)
    for path, count in zip(files, held):
        *mine, end = studio.play(path)
        assert (len(mine), end) == (count, End())
        assert rotation.max_bytes is None or count == 1 or path.stat().st_size < rotation.max_bytes + INDEX_BYTES
        played += mine
        with path.open("rb") as file:
            reader = make_reader(file, validate_crcs=True)
            summary = reader.get_summary()
            assert summary is not None
            topics = {channel.topic for _, channel, _ in reader.iter_messages()}
            assert {"/cam0/left/image", "/cam0/left/calibration"} < topics
    assert len(played) == len(frames)
    assert all(same(one, other) for one, other in zip(played, frames))


def test_a_recording_that_is_there_is_never_written_over(studio: Any, frame: Callable[..., Frame]) -> None:
    studio.record([frame(0)])
    with pytest.raises(InputError, match=r"walk\.mcap exists already"):
        studio.recorder()
    studio.record([frame(0)], rotation=Rotation(max_bytes=1))
    (studio.folder / "walk-0001.mcap").rename(studio.folder / "walk-0007.mcap")
    with pytest.raises(InputError, match=r"walk-0007\.mcap exists already"):
        studio.recorder(rotation=Rotation(max_bytes=1))


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("walk.avi", "a recording is written as .mcap; name one, e.g. walk.mcap"),
        ("none/walk.mcap", "the folder .*none does not exist; make it first"),
        ("file/walk.mcap", "Not a directory"),
    ],
)
def test_a_place_where_no_recording_can_be_is_refused(studio: Any, name: str, says: str) -> None:
    (studio.folder / "file").write_text("")
    with pytest.raises(InputError, match=says):
        studio.recorder(name=name)


def test_a_name_may_have_any_characters(studio: Any, frame: Callable[..., Frame]) -> None:
    studio.record([frame(0)], name="a[0-9]*.mcap", rotation=Rotation(max_bytes=1))
    with pytest.raises(InputError, match="exists already"):
        studio.recorder(name="a[0-9]*.mcap", rotation=Rotation(max_bytes=1))


def test_where_nothing_came_no_file_is_left(studio: Any) -> None:
    studio.record([])
    assert list(studio.folder.iterdir()) == []


def test_what_was_corrupt_is_corrupt_again(studio: Any, frame: Callable[..., Frame], same: Same) -> None:
    first, third = frame(0), frame(2)
    path = studio.record([first, CorruptFrame(first.stamp, "torn cable", STEP_NS), third])
    *grabs, end = studio.play(path)
    assert same(grabs[0], first)
    assert isinstance(grabs[1], CorruptFrame)
    assert (grabs[1].why, grabs[1].recorded_ns) == ("torn cable", STEP_NS)
    assert same(grabs[2], third)
    assert end == End()


Times = List[Tuple[int, int]]


def test_live_frames_keep_the_time_between_them_though_the_wall_clock_is_set(
    studio: Any, frame: Callable[..., Frame]
) -> None:
    """The gates compare times: they must not see that somebody set the clock back an hour."""
    frames = [frame(number, recorded=False) for number in range(4)]
    later = frames[2].stamp
    frames[2] = Frame(
        frames[2].picture,
        frames[2].depth,
        frames[2].calibration,
        type(later)(later.utc_ns - 3_600_000_000_000, later.monotonic_ns),
    )
    *grabs, _ = studio.play(studio.record(frames))
    began = frames[0].stamp
    assert [grab.recorded_ns for grab in grabs] == [
        began.utc_ns + frame.stamp.monotonic_ns - began.monotonic_ns for frame in frames
    ]
