"""The recorder beside a run: it keeps up, or lets whole frames go and counts them; it never stops the run."""

import re
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
from mcap.reader import make_reader
from nasion.core.results import FrameReason
from nasion.errors import NasionError
from nasion.messages import PersonMessage
from nasion.recording.recorder import FRAMES_WAITING, MESSAGES_WAITING
from nasion.sources.frame import End, Frame, Grab
from numpy.typing import NDArray

from tests.program import attended

Same = Callable[[Grab, Grab], bool]
#: Nothing waits this long when all is well.
PATIENCE_S = 120.0


def message(seq: int, camera: str = "cam0") -> PersonMessage:
    return PersonMessage(
        session="s",
        camera=camera,
        seq=seq,
        frame_id="f",
        captured_at=1_700_000_000.0 + seq,
        captured_ns=str((1_700_000_000 + seq) * 10**9),
        recorded_ns=str(seq * 33_333_333),
        published_at=1_700_000_000.5 + seq,
        max_age_ms=200.0,
        persons=[],
        reason=FrameReason.NO_FACE,
        latency_ms={"total": 1.0},
    )


def test_frames_and_messages_of_several_cameras_in_one_file(
    studio: Any, frame: Callable[..., Frame], same: Same
) -> None:
    frames = [frame(number) for number in range(6)]
    with studio.recorder(cameras=("front", "rear")) as recorder:
        for number, grab in enumerate(frames):
            camera = "rear" if number % 2 else "front"
            recorder.frame(camera, grab, wait=lambda: True)
            recorder.message(message(number, camera))
    path = studio.folder / "walk.mcap"
    for offset, camera in enumerate(("front", "rear")):
        *grabs, end = studio.play(path, camera)
        assert all(same(one, other) for one, other in zip(grabs, frames[offset::2]))
        assert (len(grabs), end) == (3, End())
        assert recorder.count(camera).messages == 3
    with path.open("rb") as file:
        said = [
            (channel.topic, PersonMessage.model_validate_json(entry.data), entry.log_time, entry.publish_time)
            for _, channel, entry in make_reader(file).iter_messages(topics=["/front/person", "/rear/person"])
        ]
    assert [each.seq for _, each, _, _ in said] == list(range(6))
    assert all(f"/{each.camera}/person" == topic for topic, each, _, _ in said)
    assert [log_time for _, _, log_time, _ in said] == [grab.recorded_ns for grab in frames]
    assert [published for _, _, _, published in said] == [round(each.published_at * 1e9) for _, each, _, _ in said]
    assert re.fullmatch(
        r"recorded 6 frames in 0\.\d MB and 6 messages, 0 frames dropped: .*walk\.mcap", recorder.outcome()
    )


def test_live_frames_that_come_too_fast_are_dropped_whole_and_counted(studio: Any, frame: Callable[..., Frame]) -> None:
    """Pictures that take long to compress, faster than any machine compresses them."""
    frames = [frame(number, stereo=True, size=(1280, 720)) for number in range(FRAMES_WAITING + 4)]
    with studio.recorder() as recorder:
        for grab in frames:
            recorder.frame("cam0", grab, wait=lambda: False)
        recorder.message(message(0))
    count = recorder.count("cam0")
    assert count.dropped_frames > 0
    assert count.frames + count.dropped_frames == len(frames)
    *grabs, end = studio.play(studio.folder / "walk.mcap")
    assert (len(grabs), end) == (count.frames, End())
    by_time = {grab.recorded_ns: grab for grab in frames}
    assert all(np.array_equal(grab.picture, by_time[grab.recorded_ns].picture) for grab in grabs)
    assert f"{count.dropped_frames} frames dropped" in recorder.outcome()


def test_frames_that_can_wait_are_all_recorded(studio: Any, frame: Callable[..., Frame]) -> None:
    frames = [frame(number, stereo=True, size=(640, 480)) for number in range(2 * FRAMES_WAITING)]
    path = studio.record(frames)
    assert len(studio.play(path)) == len(frames) + 1


def test_who_waits_for_room_is_let_go_when_the_run_ends(studio: Any, frame: Callable[..., Frame]) -> None:
    asked = threading.Event()

    def wait() -> bool:
        asked.set()
        return False

    grab = frame(0, stereo=True, size=(1280, 720))
    with studio.recorder() as recorder:
        for _ in range(FRAMES_WAITING + 4):
            recorder.frame("cam0", grab, wait=wait)
    assert asked.is_set()
    assert recorder.count("cam0").dropped_frames > 0


def test_messages_that_nobody_can_write_in_time_are_counted(studio: Any, frame: Callable[..., Frame]) -> None:
    grab, told = frame(0, stereo=True, size=(1280, 720)), message(0)
    with studio.recorder() as recorder:
        for _ in range(FRAMES_WAITING):
            recorder.frame("cam0", grab, wait=lambda: False)
        for _ in range(MESSAGES_WAITING + 50):
            recorder.message(told)
    count = recorder.count("cam0")
    assert count.dropped_messages > 0
    assert count.messages + count.dropped_messages == MESSAGES_WAITING + 50


class Elsewhere:
    """Depth of a kind that nobody knows."""

    def refused(self) -> None: ...

    def patch(self, _u: float, _v: float, size: int) -> NDArray[np.float32]:
        return np.full((size, size), 2.0, np.float32)


def test_depth_that_cannot_be_recorded_is_told_once(studio: Any, frame: Callable[..., Frame]) -> None:
    good = frame(0)
    odd = Frame(good.picture, Elsewhere(), good.calibration, good.stamp, 1)
    with pytest.raises(NasionError, match="depth of the kind Elsewhere cannot be recorded"):
        studio.record([good, odd, odd])
    assert len(studio.events) == 1
    assert "the run goes on without it" in studio.events[0]
    assert len(studio.play(studio.folder / "walk.mcap")) == 2


PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from nasion.core.calibration import Calibration, Intrinsics
from nasion.recording.file import CameraFacts
from nasion.recording.recorder import Recorder
from nasion.recording.rotation import Rotation
from nasion.settings import DepthSettings
from nasion.sources.clock import SystemClock
from nasion.sources.depth_map import DepthMap
from nasion.sources.frame import Frame, Stamp

calibration = Calibration(Intrinsics(64, 48, 50.0, 50.0, 32.0, 24.0), 0.12)
recorder = Recorder(
    Path(sys.argv[1]),
    rotation=Rotation(),
    jpeg=None,
    clock=SystemClock(),
    on_event=lambda text: sys.stdout.write(f"{text}\\n"),
)
recorder.add_camera(CameraFacts("cam0", "f", 30.0, 0.12))
number = 0
while number < int(sys.argv[2]):
    picture = np.full((48, 64, 3), number % 256, np.uint8)
    depth = DepthMap(np.random.default_rng(number).random((48, 64), np.float32) + 1, DepthSettings())
    recorder.frame("cam0", Frame(picture, depth, calibration, Stamp(0, 0), number), wait=lambda: True)
    number += 1
    if number % 10 == 0:
        sys.stdout.write(f"{number} {recorder.count('cam0').frames}\\n")
        sys.stdout.flush()
recorder.close()
"""


def program(out: Path, frames: int, **how: Any) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(out), str(frames)], stdout=subprocess.PIPE, text=True, **how
    )


def test_killed_in_the_middle_it_leaves_what_was_written(studio: Any) -> None:
    """A real SIGKILL; whatever was reported as written is there."""
    out = studio.folder / "walk.mcap"
    with attended(program(out, 1_000_000)) as process:
        assert process.stdout is not None
        written = 0
        while written < 50:
            written = int(process.stdout.readline().split()[1])
        process.send_signal(signal.SIGKILL)
    *grabs, end = studio.play(out)
    assert len(grabs) >= written
    assert isinstance(end, End)
    assert f"{out} ends after {len(grabs)} frames" in str(end.warning)
    for number, grab in enumerate(grabs):
        assert grab.recorded_ns == number
        assert (grab.picture == number % 256).all()
        depth = np.random.default_rng(number).random((48, 64), np.float32) + 1
        assert grab.depth.patch(32, 24, 1)[0, 0] == depth[24, 32]


def limited(limit: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


@pytest.mark.parametrize("limit", [10, 200_000, 200_001, 205_000])
def test_when_the_file_may_not_grow_what_was_written_stays(studio: Any, limit: int) -> None:
    out = studio.folder / "walk.mcap"
    with attended(program(out, 100, preexec_fn=limited(limit))) as process:
        said, _ = process.communicate(timeout=PATIENCE_S)
    told = [line for line in said.splitlines() if "stopped" in line]
    assert len(told) == 1
    assert told[0].startswith(f"recording stopped: {out}: File too large; ")
    if limit < 1000:
        assert not out.exists()
        return
    *grabs, end = studio.play(out)
    assert 5 < len(grabs) < 100
    assert f"; {len(grabs)} frames in 0.2 MB can be read, the run goes on" in told[0]
    assert [grab.recorded_ns for grab in grabs] == list(range(len(grabs)))
    assert isinstance(end, End)
    assert end.warning


def test_when_only_the_index_has_no_room_every_frame_stays(studio: Any) -> None:
    out = studio.folder / "walk.mcap"
    with attended(program(studio.folder / "whole.mcap", 20)) as process:
        process.communicate(timeout=PATIENCE_S)
    size = (studio.folder / "whole.mcap").stat().st_size
    with attended(program(out, 20, preexec_fn=limited(size - 1))) as process:
        said, _ = process.communicate(timeout=PATIENCE_S)
    assert f"recording stopped: {out}: File too large; 20 frames in " in said
    *grabs, end = studio.play(out)
    assert len(grabs) == 20
    assert isinstance(end, End)
    assert end.warning


@pytest.mark.parametrize("time_ns", [-1, 2**63])
def test_a_time_that_a_recording_cannot_hold_is_told(studio: Any, frame: Callable[..., Frame], time_ns: int) -> None:
    good = frame(0)
    with pytest.raises(NasionError, match=f"a frame of the time {time_ns} ns; a recording holds none before 1970"):
        studio.record([Frame(good.picture, good.depth, good.calibration, good.stamp, time_ns)])


@pytest.fixture
def small_disk(tmp_path: Path) -> Any:
    """A real file system of half a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)], check=False)
    if mounted.returncode:
        pytest.skip("mounting a file system takes rights that are not here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_ends_the_recording_and_nothing_else(
    studio: Any, frame: Callable[..., Frame], same: Same, small_disk: Path
) -> None:
    out = small_disk / "walk.mcap"
    frames = [frame(number) for number in range(40)]
    with pytest.raises(NasionError, match="No space left on device"):
        studio.record(frames, name=str(out))
    *grabs, end = studio.play(out)
    assert all(same(one, other) for one, other in zip(grabs, frames))
    assert 10 < len(grabs) < 40
    assert isinstance(end, End)
    assert end.warning
    assert len(studio.events) == 1
