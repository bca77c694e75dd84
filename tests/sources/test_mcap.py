"""What `nasion record` wrote comes back; what is cut off, damaged or something else is told in one line."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcap.writer import Writer
from nasion.core.calibration import Calibration, Intrinsics
from nasion.errors import InputError
from nasion.recording.file import CameraFacts, Entry, RecordingFile
from nasion.recording.foxglove import calibration_message, depth_message, picture_message
from nasion.recording.recorder import Recorder
from nasion.recording.rotation import Rotation
from nasion.recording.topics import CALIBRATION, CORRUPT, DEPTH, LEFT, RIGHT
from nasion.settings import DepthSettings
from nasion.sources.calibration_files import read_calibration_json
from nasion.sources.clock import SystemClock
from nasion.sources.frame import CorruptFrame, End, Frame, Grab, Source
from nasion.sources.open import open_source
from nasion.sources.paced import PacedSource

Maker = Callable[..., Path]

WIDTH, HEIGHT = 32, 24
LENS = Calibration(Intrinsics(WIDTH, HEIGHT, 25.0, 25.0, 16.0, 12.0), 0.12)
OTHER_LENS = Calibration(Intrinsics(WIDTH + 2, HEIGHT, 25.0, 25.0, 16.0, 12.0), 0.12)


def opened(uri: object, mode: Any = None) -> Source:
    return open_source(str(uri), depth=DepthSettings(), clock=SystemClock(), mode=mode)


def played(source: Source) -> List[Grab]:
    grabs: List[Grab] = []
    while not grabs or not isinstance(grabs[-1], End):
        grabs.append(source.read())
    source.close()
    return grabs


def refused(uri: object) -> str:
    with pytest.raises(InputError) as caught:
        opened(uri)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def recorded(sources: Dict[str, Source], out: Path, jpeg: Optional[int] = None) -> None:
    """All that the sources give."""
    with Recorder(out, rotation=Rotation(), jpeg=jpeg, clock=SystemClock(), on_event=pytest.fail) as recorder:
        for name, source in sources.items():
            recorder.add_camera(CameraFacts(name, f"{name}_left", source.fps, source.calibration.baseline_m))
        for name, source in sources.items():
            for grab in played(source):
                if not isinstance(grab, End):
                    recorder.frame(name, grab, wait=lambda: True)


@pytest.fixture(params=["rectified", "unrectified", "depth map"])
def original(
    request: pytest.FixtureRequest,
    make_video: Maker,
    make_rgbd: Maker,
    lenses: Dict[str, Any],
    wall_pair: Callable[..., Any],
    unrectified: Callable[..., Any],
    tmp_path: Path,
) -> Path:
    """A recording of each kind of depth."""
    if request.param == "depth map":
        return make_rgbd()
    pairs = [wall_pair(number) for number in range(3)]
    if request.param == "rectified":
        return make_video(frames=[np.hstack(pair) for pair in pairs])
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(lenses))
    calibration = read_calibration_json(path)
    return make_video(frames=[np.hstack(unrectified(calibration, pair)) for pair in pairs], calibration=lenses)


def test_every_pixel_and_every_depth_comes_back(original: Path, tmp_path: Path) -> None:
    """Also where the right picture is rectified only around the point that is asked for."""
    out = tmp_path / "out.mcap"
    recorded({"cam0": opened(original)}, out)
    again = opened(out)
    first = opened(original)
    assert (again.fps, again.calibration, again.live) == (first.fps, first.calibration, False)
    grabs, more = played(first), played(again)
    assert len(grabs) == len(more)
    for one, other in zip(grabs, more):
        if isinstance(one, End):
            assert one == other
            continue
        assert isinstance(one, Frame)
        assert isinstance(other, Frame)
        assert one.recorded_ns == other.recorded_ns
        assert one.calibration == other.calibration
        assert np.array_equal(one.picture, other.picture)
        seen = 0
        for u in (0, 3.4, 60, 159.5, 250, 319):
            for v in (0, 2, 40, 90.5, 150, 179):
                here, there = (frame.depth.patch(u, v, 5) for frame in (one, other))
                assert here.tobytes() == there.tobytes()
                seen += int(np.isfinite(here).sum())
        assert seen > 150


def test_as_jpeg_it_is_smaller_and_nearly_the_same(original: Path, tmp_path: Path) -> None:
    for name, jpeg in (("png.mcap", None), ("jpeg.mcap", 90)):
        recorded({"cam0": opened(original)}, tmp_path / name, jpeg)
    sizes = [(tmp_path / name).stat().st_size for name in ("jpeg.mcap", "png.mcap")]
    assert sizes[0] < 0.8 * sizes[1]
    grabs, more = played(opened(original)), played(opened(tmp_path / "jpeg.mcap"))
    assert len(grabs) == len(more)
    for one, other in zip(grabs, more):
        if isinstance(one, Frame):
            assert isinstance(other, Frame)
            assert np.abs(one.picture.astype(int) - other.picture).mean() < 4


def test_depth_is_judged_by_the_limits_of_the_replay(make_rgbd: Maker, tmp_path: Path) -> None:
    """What was too far for one run may be near enough for the next: the map is recorded, not the judgement."""
    out = tmp_path / "out.mcap"
    recorded({"cam0": opened(make_rgbd())}, out)
    source = open_source(str(out), depth=DepthSettings(near_m=1.5, far_m=2.5), clock=SystemClock())
    seen = [grab.depth.patch(50, 50, 1)[0, 0] for grab in played(source) if isinstance(grab, Frame)]
    assert seen == [-np.inf, 2.0, np.inf]


def test_a_camera_is_chosen_by_its_name(make_rgbd: Maker, make_pairs: Maker, tmp_path: Path) -> None:
    out = tmp_path / "out.mcap"
    recorded({"front": opened(make_rgbd()), "rear": opened(make_pairs(count=2))}, out)
    assert len(played(opened(f"mcap:{out}?camera=front"))) == 4
    assert len(played(opened(f"{out}?camera=rear"))) == 3
    assert "say which camera: ?camera=front or ?camera=rear" in refused(out)
    assert "there is no camera 'left': ?camera=front or ?camera=rear" in refused(f"{out}?camera=left")


def test_in_live_mode_it_is_played_at_its_own_pace(make_rgbd: Maker, tmp_path: Path, clock: Any) -> None:
    out = tmp_path / "out.mcap"
    recorded({"cam0": opened(make_rgbd())}, out)
    source = open_source(str(out), depth=DepthSettings(), clock=clock, mode="live")
    assert isinstance(source, PacedSource)
    began = clock.monotonic_ns()
    assert len(played(source)) == 4
    assert clock.monotonic_ns() - began == pytest.approx(2e9 / 30, abs=1000)


def test_closed_it_gives_no_frame(make_rgbd: Maker, tmp_path: Path) -> None:
    out = tmp_path / "out.mcap"
    recorded({"cam0": opened(make_rgbd())}, out)
    source = opened(out)
    source.close()
    source.close()
    assert isinstance(source.read(), End)


# What can be wrong.


def parts_of(number: int) -> Dict[str, bytes]:
    """One frame as it is recorded; its depth holds every kind of value."""
    random = np.random.default_rng(number)
    picture = random.integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    depth = random.uniform(1, 9, (HEIGHT, WIDTH)).astype(np.float32)
    depth[:4] = [[np.nan], [np.inf], [-np.inf], [0.0]]
    return {
        DEPTH: depth_message(depth, time_ns=number, frame_id="f"),
        CALIBRATION: calibration_message(LENS, right=False, time_ns=number, frame_id="f"),
        LEFT: picture_message(picture, time_ns=number, frame_id="f"),
    }


def written(path: Path, frames: Sequence[Dict[str, bytes]]) -> Path:
    file = RecordingFile(path, [CameraFacts("cam0", "f", 30.0, 0.12)])
    for number, parts in enumerate(frames):
        file.add([Entry("cam0", part, data, number, number, number) for part, data in parts.items()])
        file.flush()
    file.close()
    return path


def picture_of(width: int, height: int) -> bytes:
    return picture_message(np.zeros((height, width, 3), np.uint8), time_ns=1, frame_id="f")


DAMAGED: Dict[str, Any] = {
    "no calibration": ({CALIBRATION: None}, "left/calibration: it is missing"),
    "no depth": ({DEPTH: None}, "right/image: it is missing"),
    "a picture of another size": (
        {LEFT: picture_of(16, 24)},
        "left/image: it is 16x24, but the calibration is for 32x24",
    ),
    "depth of another size": (
        {DEPTH: depth_message(np.ones((24, 30), np.float32), time_ns=1, frame_id="f")},
        "depth/image: it is 30x24, but",
    ),
    "a right picture of another size": ({DEPTH: None, RIGHT: picture_of(32, 20)}, "right/image: it is 32x20, but"),
    "a picture that is none": ({LEFT: b"\x12\x03abc"}, "left/image: it is neither JPEG nor PNG"),
    "a picture cut off": ({LEFT: picture_of(32, 24)[:60]}, "left/image: it is no message of its kind"),
    "no picture": ({LEFT: b""}, "left/image: it is empty"),
    "depth that is none": ({DEPTH: b"\xff"}, "depth/image: it is no message of its kind"),
    "a calibration that is none": ({CALIBRATION: b""}, "left/calibration: its P has 0 numbers"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_frame_is_corrupt_and_the_others_are_played(tmp_path: Path, case: str) -> None:
    changed, says = DAMAGED[case]
    frames: List[Dict[str, Any]] = [parts_of(number) for number in range(3)]
    frames[1] = {part: data for part, data in {**frames[1], **changed}.items() if data is not None}
    # The left picture ends a frame.
    frames[1] = {part: frames[1][part] for part in sorted(frames[1], key=lambda part: part == LEFT)}
    first, second, third, end = played(opened(written(tmp_path / "walk.mcap", frames)))
    assert isinstance(first, Frame)
    assert isinstance(second, CorruptFrame)
    assert second.why.startswith(f"frame 1 of walk.mcap: {says}")
    assert "\n" not in second.why
    assert second.recorded_ns == 1
    assert isinstance(third, Frame)
    assert end == End()


@pytest.mark.parametrize("case", DAMAGED)
def test_where_no_frame_is_whole_the_file_is_refused(tmp_path: Path, case: str) -> None:
    changed, says = DAMAGED[case]
    parts: Dict[str, Any] = {**parts_of(0), **changed}
    parts = {part: parts[part] for part in sorted(parts, key=lambda part: part == LEFT) if parts[part] is not None}
    path = written(tmp_path / "walk.mcap", [parts])
    assert f"holds no frame of 'cam0' that can be decoded (frame 0 of walk.mcap: {says}" in refused(path)


def test_parts_of_another_frame_are_not_taken(tmp_path: Path) -> None:
    file = RecordingFile(tmp_path / "walk.mcap", [CameraFacts("cam0", "f", 30.0, 0.12)])
    for number in range(3):
        parts = parts_of(number)
        depth_number = 0 if number == 1 else number
        file.add([Entry("cam0", DEPTH, parts[DEPTH], 0, 0, depth_number)])
        file.add([Entry("cam0", part, parts[part], number, number, number) for part in (CALIBRATION, LEFT)])
        file.flush()
    file.close()
    kinds = [type(grab) for grab in played(opened(tmp_path / "walk.mcap"))]
    assert kinds == [Frame, CorruptFrame, Frame, End]


def test_a_time_that_no_clock_shows_is_damage(tmp_path: Path) -> None:
    file = RecordingFile(tmp_path / "walk.mcap", [CameraFacts("cam0", "f", 30.0, 0.12)])
    for number, time_ns in enumerate((0, 2**64 - 1)):
        file.add([Entry("cam0", part, data, time_ns, 0, number) for part, data in parts_of(number).items()])
        file.flush()
    file.add([Entry("cam0", CORRUPT, b"{}", 2**64 - 1, 0, 2)])
    file.close()
    _, *damaged, _ = played(opened(tmp_path / "walk.mcap"))
    assert [grab.recorded_ns for grab in damaged if isinstance(grab, CorruptFrame)] == [None, None]


def foreign(path: Path, topic: str, schema: str, encoding: str, metadata: Optional[Dict[str, str]] = None) -> Path:
    """A file that another program wrote."""
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start()
        number = writer.register_schema(schema, "jsonschema", b"{}")
        channel = writer.register_channel(topic, encoding, number, metadata or {})
        writer.add_message(channel, 1, b"{}", 1)
        writer.finish()  # type: ignore[no-untyped-call]
    return path


def test_a_file_of_something_else_is_told(tmp_path: Path) -> None:
    path = tmp_path / "walk.mcap"
    for content in (b"", b"\x89MCA", b"RIFF" * 100):
        path.write_bytes(content)
        assert f"{path} is not an MCAP file" in refused(path)
    path.write_bytes(b"\x89MCAP0\r\n")
    assert "is no recording of Nasion: it has no topics that can be read" in refused(path)
    assert "is no recording of Nasion: its topics are /odom; expected /NAME/left/image" in refused(
        foreign(path, "/odom", "nav_msgs/msg/Odometry", "cdr")
    )
    assert (
        "/cam0/left/image is foxglove.RawImage in json; expected foxglove.CompressedImage in protobuf, as"
        in refused(foreign(path, "/cam0/left/image", "foxglove.RawImage", "json"))
    )
    assert f"{tmp_path} is not a file" in refused(f"mcap:{tmp_path}")


@pytest.mark.parametrize("said", ["", "0", "-1", "nan", "inf", "much"])
def test_a_fact_that_is_none_is_told(tmp_path: Path, said: str) -> None:
    file = RecordingFile(tmp_path / "odd.mcap", [CameraFacts("cam0", "f", 30.0, _Said(said))])
    file.add([Entry("cam0", part, part_data, 0, 0, 0) for part, part_data in parts_of(0).items()])
    file.flush()
    file.close()
    assert f"say baseline_m = {said or 'nothing'}; expected a number above 0" in refused(tmp_path / "odd.mcap")


class _Said(float):
    """A number that is written as something else."""

    def __new__(cls, said: str) -> "_Said":
        number = super().__new__(cls, 0.0)
        number.said = said
        return number

    said: str

    def __repr__(self) -> str:
        return self.said


# A crash, a power cut, a bad disk.

FRAMES = 5


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complete file of FRAMES frames at the times 0, 1, 2 and so on."""
    folder = tmp_path_factory.mktemp("whole")
    return written(folder / "walk.mcap", [parts_of(number) for number in range(FRAMES)])


def require_true(grabs: Sequence[Grab]) -> int:
    """Every frame that is given is one that was recorded, bit for bit; how many are."""
    frames = [grab for grab in grabs if isinstance(grab, Frame)]
    for frame in frames:
        assert frame.recorded_ns is not None
        assert frame.calibration == LENS
        recorded = parts_of(frame.recorded_ns)
        assert picture_message(frame.picture, time_ns=frame.recorded_ns, frame_id="f") == recorded[LEFT]
        patch = frame.depth.patch(WIDTH / 2, HEIGHT / 2, 31)
        depth = np.random.default_rng(frame.recorded_ns)
        depth.integers(0, 256, (HEIGHT, WIDTH, 3))
        values = depth.uniform(1, 9, (HEIGHT, WIDTH)).astype(np.float32)
        assert np.array_equal(patch[15:20, 15], values[12:17, 16])
    return len(frames)


def played_or_refused(path: Path) -> Optional[List[Grab]]:
    """What the file gives; None where it is refused in one line."""
    try:
        source = opened(path)
    except InputError:
        assert refused(path)
        return None
    return played(source)


def copy_of(whole: Path, data: bytes, name: str) -> Path:
    path = whole.with_name(name)
    path.write_bytes(data)
    return path


def ends_of_frames(whole: Path) -> List[int]:
    """Where in the file each frame is complete."""
    data, at, ends = whole.read_bytes(), 8, []
    while data[at] != 0x0F:
        end = at + 9 + int.from_bytes(data[at + 1 : at + 9], "little")
        if data[at] == 0x06:
            ends.append(end)
        at = end
    return ends


@given(share=st.floats(0, 1))
def test_cut_off_anywhere_it_gives_all_frames_before(whole: Path, share: float) -> None:
    data = whole.read_bytes()
    size = int(share * (len(data) - 9))
    grabs = played_or_refused(copy_of(whole, data[:size], "cut.mcap"))
    expected = sum(end <= size for end in ends_of_frames(whole))
    if grabs is None:
        assert expected == 0
        return
    assert len(grabs) == expected + 1
    assert require_true(grabs) == expected
    end = grabs[-1]
    assert isinstance(end, End)
    assert f"ends after {expected} frames, without its index: it was cut off" in str(end.warning)


@pytest.mark.parametrize("frames", range(1, FRAMES + 1))
@pytest.mark.parametrize("more", [-1, 0, 1, 9])
def test_at_the_edge_of_a_frame_not_a_byte_matters_but_its_own(whole: Path, frames: int, more: int) -> None:
    end = ends_of_frames(whole)[frames - 1]
    grabs = played_or_refused(copy_of(whole, whole.read_bytes()[: end + more], "edge.mcap"))
    assert (0 if grabs is None else require_true(grabs)) == frames - (more < 0)


def test_zeros_that_a_power_cut_left_are_an_end(whole: Path) -> None:
    data = whole.read_bytes()[: ends_of_frames(whole)[2]]
    grabs = played_or_refused(copy_of(whole, data + bytes(1_000_000), "zeros.mcap"))
    assert grabs is not None
    assert require_true(grabs) == 3
    assert len(grabs) == 4


@given(share=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_bit_that_turned_over_costs_frames_but_never_a_wrong_one(whole: Path, share: float, bit: int) -> None:
    data = bytearray(whole.read_bytes())
    data[int(share * len(data))] ^= 1 << bit
    grabs = played_or_refused(copy_of(whole, bytes(data), "bit.mcap"))
    if grabs is not None:
        require_true(grabs)


@pytest.mark.parametrize("number", range(FRAMES))
def test_a_frame_with_a_bad_sector_is_corrupt_and_its_time_is_known(whole: Path, number: int) -> None:
    """The channels stand in the first chunk, and once more at the end."""
    data = bytearray(whole.read_bytes())
    end = ends_of_frames(whole)[number]
    data[end - 100 : end - 50] = bytes(50)
    grabs = played_or_refused(copy_of(whole, bytes(data), "sector.mcap"))
    assert grabs is not None
    assert [type(grab) for grab in grabs] == [CorruptFrame if at == number else Frame for at in range(FRAMES)] + [End]
    corrupt = grabs[number]
    assert isinstance(corrupt, CorruptFrame)
    assert corrupt.recorded_ns == number
    assert corrupt.why.startswith("sector.mcap: the chunk at byte ")
    assert "\n" not in corrupt.why
    assert require_true(grabs) == FRAMES - 1


@given(data=st.binary(max_size=400))
def test_any_bytes_after_the_first_eight_are_refused_in_one_line(whole: Path, data: bytes) -> None:
    assert played_or_refused(copy_of(whole, b"\x89MCAP0\r\n" + data, "any.mcap")) is None
