"""A ZED as a source: pairs of one grab, every return code, a camera that goes and comes back."""

import threading
from collections import deque
from pathlib import Path
from typing import Any, Callable, List, Optional, Tuple

import numpy as np
import pytest
from nasion.core.depth import reduce_patch
from nasion.core.results import PersonReason
from nasion.errors import HardwareError, InputError, NasionError
from nasion.settings import DepthSettings
from nasion.sources.frame import CorruptFrame, End, Frame, Grab
from nasion.sources.open import open_source
from nasion.sources.paced import PacedSource
from nasion.sources.zed.source import ZedSource

from tests.doubles import pyzed_double
from tests.doubles.pyzed_double import VERSIONS, Reality, install

Opener = Callable[..., Tuple[ZedSource, Reality, List[str]]]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch, clock: Any) -> Any:
    """Open a URI on a reality; what it says is kept. Everything is closed again."""
    sources: List[Any] = []

    def open_it(
        uri: str = "zed:", limits: Optional[DepthSettings] = None, **about: Any
    ) -> "tuple[Any, Reality, List[str]]":
        def next_picture() -> None:
            clock.turn(1 / 30)

        reality = install(monkeypatch, Reality(**{"clock": clock, "before_grab": next_picture, **about}))
        events: List[str] = []
        source = open_source(uri, depth=limits or DepthSettings(), clock=clock, on_event=events.append)
        sources.append(source)
        return source, reality, events

    yield open_it
    for source in sources:
        source.close()


def frame(grab: Grab) -> Frame:
    assert isinstance(grab, Frame)
    return grab


def number_of(grab: Grab) -> int:
    """Which grab a frame is of, by picture and by depth."""
    taken = frame(grab)
    number = int(taken.picture[0, 0, 0])
    assert taken.depth.patch(200, 200, 1)[0, 0] == np.float32(1 + 0.01 * number)
    return number


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("size", "width", "height"), [(720, 1280, 720), (1080, 1920, 1080)])
def test_picture_depth_calibration_and_stamp_are_of_one_grab(
    opened: Opener, clock: Any, version: str, size: int, width: int, height: int
) -> None:
    source, _, events = opened(f"zed:?size={size}&fps=15&capture_delay_ms=40", version=version)
    assert (source.live, source.fps) == (True, 15.0)
    assert (source.calibration.left.width, source.calibration.left.height) == (width, height)
    grabs = [frame(source.read()) for _ in range(4)]
    assert [number_of(grab) for grab in grabs] == [1, 2, 3, 4]
    for grab in grabs:
        assert grab.picture.shape == (height, width, 4)
        assert grab.calibration == source.calibration
        assert grab.recorded_ns is None
    # 60 ms from the stamp to handing over, 40 ms from the exposure to the stamp.
    assert clock.monotonic_ns() - grabs[-1].stamp.monotonic_ns == 100_000_000
    assert clock.utc_ns() - grabs[-1].stamp.utc_ns == 100_000_000
    assert np.diff([grab.stamp.monotonic_ns for grab in grabs]) == pytest.approx(1e9 / 30, abs=1)
    assert events[-1] == f"zed:?size={size}&fps=15&capture_delay_ms=40: camera 20000001, depth by NEURAL, 0.7 to 10 m"
    assert source.health.state == "ok"


@pytest.mark.parametrize(
    ("metres", "reason"),
    [
        (0.5, PersonReason.TOO_NEAR),
        (0.2, PersonReason.TOO_NEAR),
        (12.0, PersonReason.TOO_FAR),
        (np.nan, PersonReason.NO_DEPTH),
        (2.0, None),
    ],
)
def test_depth_is_a_number_or_one_of_three_reasons(
    opened: Opener, metres: float, reason: Optional[PersonReason]
) -> None:
    source, _, _ = opened(depth=lambda _n, width, height: np.full((height, width), metres, np.float32))
    reading = reduce_patch(frame(source.read()).depth.patch(300, 300, 5), DepthSettings())
    assert reading.reason == reason


def test_a_warning_is_told_once_and_its_frame_is_used(opened: Opener) -> None:
    source, _, events = opened(grabs=deque(["SUCCESS", *["POTENTIAL_CALIBRATION_ISSUE"] * 3]))
    assert [number_of(source.read()) for _ in range(3)] == [1, 2, 3]
    assert sum("the ZED SDK warns: POTENTIAL_CALIBRATION_ISSUE" in event for event in events) == 1
    assert source.health.counters == {"warned": 3}


def test_a_damaged_picture_is_skipped_and_counted(opened: Opener) -> None:
    source, _, _ = opened(grabs=deque(["SUCCESS", "SUCCESS", "CORRUPTED_FRAME"]))
    grabs = [source.read() for _ in range(3)]
    assert [type(grab) for grab in grabs] == [Frame, CorruptFrame, Frame]
    assert isinstance(grabs[1], CorruptFrame)
    assert "finds the picture damaged (CORRUPTED_FRAME)" in grabs[1].why
    assert (number_of(grabs[0]), number_of(grabs[2])) == (1, 3)
    assert source.health.counters == {"corrupt_frame": 1}


@pytest.mark.parametrize("what", ["image", "measure"])
def test_a_picture_or_depth_that_is_not_handed_over_is_a_corrupt_frame_and_never_another_ones(
    opened: Opener, what: str
) -> None:
    source, _, _ = opened(fails_to_retrieve={(2, what): "FAILURE"})
    grabs = [source.read() for _ in range(3)]
    assert [type(grab) for grab in grabs] == [Frame, CorruptFrame, Frame]
    assert (number_of(grabs[0]), number_of(grabs[2])) == (1, 3)


def test_a_camera_that_the_sdk_brings_back_itself_is_waited_for(opened: Opener) -> None:
    source, reality, events = opened(grabs=deque(["SUCCESS", "SUCCESS", *["CAMERA_REBOOTING"] * 20]))
    source.read()
    number_of(source.read())
    assert len(reality.opened) == 1
    assert source.health.counters == {"rebooting": 20}
    assert source.health.state == "ok"
    assert [event for event in events if "bringing the camera back" in event or "back after" in event] == events[-2:]
    assert events[-1].startswith("zed:: back after 2.")


def test_a_camera_that_the_sdk_does_not_bring_back_is_opened_again(opened: Opener) -> None:
    source, reality, _ = opened(grabs=deque(["SUCCESS", *["CAMERA_REBOOTING"] * 400]))
    reality.before_grab = lambda: reality.clock.turn(0.1) if len(reality.opened) == 1 else reality.grabs.clear()
    number_of(source.read())
    assert len(reality.opened) == 2
    assert source.health.counters["lost"] == source.health.counters["reopened"] == 1


@pytest.mark.parametrize(
    "name", ["CAMERA_NOT_DETECTED", "CANNOT_START_CAMERA_STREAM", "LOW_USB_BANDWIDTH", "DRIVER_FAILURE", "FAILURE"]
)
def test_a_lost_camera_is_opened_again_at_a_growing_pace(opened: Opener, clock: Any, name: str) -> None:
    source, reality, events = opened(
        grabs=deque(["SUCCESS", "SUCCESS", name]), opens=deque(["SUCCESS", *["CAMERA_NOT_DETECTED"] * 5])
    )
    first = frame(source.read())
    before = clock.monotonic_ns()
    second = frame(source.read())
    # 0.5 + 1 + 2 + 4 + 8 + 8 seconds.
    assert (clock.monotonic_ns() - before) / 1e9 == pytest.approx(23.5, abs=0.2)
    assert second.stamp.monotonic_ns > first.stamp.monotonic_ns
    assert second.calibration == first.calibration
    assert len(reality.opened) == 7
    assert source.health.counters == {"lost": 1, "reopened": 1, "reopen_failed": 5}
    assert source.health.state == "ok"
    assert any(f"lost ({name}" in event for event in events)
    assert "back after 23." in events[-1]
    # The SDK holds the interpreter while it looks for the camera.
    assert [parameters.open_timeout_sec for parameters in reality.opened] == [5.0, *[2.0] * 6]


def test_while_it_is_away_the_state_says_so(opened: Opener, clock: Any) -> None:
    source, reality, _ = opened()
    source.read()
    states: List[str] = []
    sleep = clock.sleep

    def watched(seconds: float) -> None:
        sleep(seconds)
        states.append(source.health.state)
        if len(states) == 400:
            reality.present = True

    clock.sleep, reality.present = watched, False
    source.read()
    assert states[0] == "reconnecting"
    assert states[-1] == "lost"
    assert states.index("lost") == pytest.approx(200, abs=3)
    assert source.health.state == "ok"


def test_reading_for_a_lost_camera_can_be_broken_off(opened: Opener) -> None:
    source, reality, _ = opened()
    source.read()
    reality.present = False
    source._clock = RealPace()
    read: List[Grab] = []
    reader = threading.Thread(target=lambda: read.append(source.read()))
    reader.start()
    source.interrupt()
    reader.join(30)
    assert read == [End()]
    source.close()
    assert not reality.is_open


class RealPace:
    """A clock whose sleeps take a little real time."""

    def __init__(self) -> None:
        self._now_ns = 10**12
        self._pause = threading.Event()

    def utc_ns(self) -> int:
        return 10**18 + self._now_ns

    def monotonic_ns(self) -> int:
        return self._now_ns

    def sleep(self, seconds: float) -> None:
        self._pause.wait(0.001)
        self._now_ns += int(seconds * 1e9)


def test_a_hung_camera_that_was_named_is_restarted_once(opened: Opener) -> None:
    source, reality, events = opened(
        "zed:4711", grabs=deque(["SUCCESS", "FAILURE"]), opens=deque(["SUCCESS", *["FAILURE"] * 5])
    )
    source.read()
    assert reality.rebooted == [4711]
    assert any("camera 4711, depth by NEURAL" in event for event in events)


def test_the_first_camera_is_not_restarted_because_it_may_be_another_ones(opened: Opener) -> None:
    source, reality, _ = opened(grabs=deque(["SUCCESS", "FAILURE"]), opens=deque(["SUCCESS", *["FAILURE"] * 5]))
    source.read()
    assert reality.rebooted == []


def test_what_self_calibration_moves_is_told_and_the_run_keeps_its_calibration(opened: Opener) -> None:
    source, _, events = opened(grabs=deque(["SUCCESS", "FAILURE"]), focal_shift=[0.0, 1.5])
    before = source.calibration
    assert frame(source.read()).calibration == before == source.calibration
    assert any("self-calibration has moved rays by up to 1.3 mm at 1 m" in event for event in events)


def test_another_camera_in_its_place_is_known_by_its_number(opened: Opener) -> None:
    source, _, _ = opened(grabs=deque(["SUCCESS", "FAILURE"]), serials=[20000001, 20000002])
    with pytest.raises(NasionError, match="camera 20000002 was opened in the place of 20000001"):
        source.read()


def test_another_calibration_in_its_place_ends_the_run(opened: Opener) -> None:
    source, _, _ = opened(grabs=deque(["SUCCESS", "FAILURE"]), focal_shift=[0.0, 150.0])
    with pytest.raises(NasionError, match=r"another calibration .* is it another camera"):
        source.read()


@pytest.mark.parametrize("name", ["CUDA_ERROR", "NO_GPU_DETECTED"])
def test_a_lost_gpu_ends_the_run(opened: Opener, name: str) -> None:
    source, _, _ = opened(grabs=deque(["SUCCESS", name]))
    with pytest.raises(NasionError) as caught:
        source.read()
    assert isinstance(caught.value, HardwareError) == (name == "NO_GPU_DETECTED")


@pytest.mark.parametrize(
    ("uri", "name", "kind", "says"),
    [
        ("zed:", "CAMERA_NOT_DETECTED", HardwareError, "no ZED camera can be opened"),
        ("zed:", "NO_GPU_DETECTED", HardwareError, "--runtime nvidia"),
        ("zed:", "CAMERA_REBOOTING", HardwareError, "CAMERA_REBOOTING"),
        ("zed:?fps=120", "INVALID_RESOLUTION", InputError, "this model has no such [?]size or [?]fps"),
        ("zed-stream:h:1", "CAMERA_NOT_DETECTED", HardwareError, "no sender of a ZED stream"),
    ],
)
def test_what_cannot_be_opened_is_told(opened: Opener, uri: str, name: str, kind: Any, says: str) -> None:
    with pytest.raises(kind, match=says):
        opened(uri, opens=deque([name]))


@pytest.mark.parametrize("name", ["CAMERA_NOT_DETECTED", "CAMERA_REBOOTING"])
def test_a_camera_that_gives_no_first_picture_is_missing_and_let_go(
    monkeypatch: pytest.MonkeyPatch, clock: Any, name: str
) -> None:
    reality = install(monkeypatch, Reality(clock=clock, grabs=deque([name] * 1000)))
    with pytest.raises(HardwareError, match=name):
        open_source("zed:", depth=DepthSettings(), clock=clock)
    assert len(reality.opened) == 1
    assert not reality.is_open


def test_a_camera_that_gives_another_size_than_asked_for_is_not_taken(
    opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pyzed_double.SIZES, "HD1080", (1280, 720))
    with pytest.raises(InputError, match="asked for 1920x1080, the camera gives 1280x720"):
        opened()


def test_the_same_picture_twice_is_skipped_and_counted(opened: Opener, clock: Any) -> None:
    begin = clock.utc_ns()
    source, _, _ = opened(stamp=lambda number: int(begin + number // 2 * 33_000_000))
    assert [number_of(source.read()) for _ in range(3)] == [2, 4, 6]
    assert source.health.counters["repeated"] == 3


def test_the_sdks_complaints_and_drops_reach_the_health(opened: Opener, clock: Any) -> None:
    source, reality, _ = opened(health={"low_lighting": True}, dropped=3)
    source.read()
    assert (source.health.flags, source.health.fps) == (("low_lighting",), 29.7)
    reality.health.clear()
    reality.dropped = 5
    reality.grabs.append("FAILURE")
    clock.turn(1)
    source.read()
    assert source.health.flags == ()
    # Three before it was lost; the reopened one counts anew.
    assert source.health.counters["sdk_dropped"] == 8


def test_an_old_sdk_has_no_complaints(opened: Opener) -> None:
    source, _, _ = opened(version="4.2", health={"low_lighting": True})
    source.read()
    assert source.health.flags == ()


class TestRecording:
    @pytest.fixture
    def svo(self, tmp_path: Path) -> str:
        path = tmp_path / "walk.svo2"
        path.touch()
        return str(path)

    @pytest.mark.parametrize("native", [(1280, 720), (1920, 1080)])
    def test_every_frame_is_played_with_its_own_time_then_it_ends(
        self, opened: Opener, svo: str, native: Tuple[int, int]
    ) -> None:
        source, reality, _ = opened(f"svo:{svo}", native=native, frames=6)
        assert (source.live, source.fps) == (False, 30.0)
        assert (source.calibration.left.width, source.calibration.left.height) == native
        grabs = [source.read() for _ in range(8)]
        assert [number_of(grab) for grab in grabs[:6]] == list(range(6))
        assert np.diff([frame(grab).recorded_ns or 0 for grab in grabs[:6]]).tolist() == [33_333_333] * 5
        assert grabs[6:] == [End(), End()]
        assert reality.opened[0].wanted == ("svo", svo)

    def test_a_plain_path_is_known_by_its_ending(self, opened: Opener, svo: str) -> None:
        source, _, _ = opened(svo)
        assert isinstance(source, ZedSource)

    def test_in_live_mode_it_is_paced(self, monkeypatch: pytest.MonkeyPatch, clock: Any, svo: str) -> None:
        install(monkeypatch, Reality(clock=clock, frames=3))
        source = open_source(f"svo:{svo}", depth=DepthSettings(), clock=clock, mode="live")
        assert isinstance(source, PacedSource)
        assert [type(source.read()) for _ in range(4)] == [Frame, Frame, Frame, End]
        source.close()

    def test_one_frame_is_enough_and_none_is_refused(self, opened: Opener, svo: str) -> None:
        source, _, _ = opened(svo, frames=1)
        assert [type(source.read()) for _ in range(2)] == [Frame, End]
        source.close()
        with pytest.raises(
            InputError, match=r"cannot play it \(END_OF_SVOFILE_REACHED: it holds not one whole picture"
        ):
            opened(svo, frames=0)

    def test_damaged_frames_keep_their_place(self, opened: Opener, svo: str) -> None:
        source, _, _ = opened(svo, grabs=deque(["CORRUPTED_FRAME", "SUCCESS", "CORRUPTED_FRAME"]))
        kinds = [type(source.read()) for _ in range(6)]
        assert kinds == [CorruptFrame, Frame, CorruptFrame, Frame, Frame, End]

    def test_one_that_fails_in_the_middle_ends_with_a_warning_and_does_not_begin_again(
        self, opened: Opener, svo: str
    ) -> None:
        source, reality, _ = opened(svo, grabs=deque(["SUCCESS"] * 3 + ["FAILURE"]))
        *_, end = [source.read() for _ in range(4)]
        assert end == End(f"{svo} ends after 3 frames: FAILURE")
        assert len(reality.opened) == 1


def test_a_stream_tells_size_and_pace_itself(opened: Opener) -> None:
    source, reality, _ = opened("zed-stream:10.0.0.2:30002", native=(1920, 1080))
    assert (source.live, source.fps, source.calibration.left.width) == (True, 30.0, 1920)
    assert reality.opened[0].wanted == ("stream", ("10.0.0.2", 30002))
    assert number_of(source.read()) == 2


def test_closing_twice_is_no_error_and_lets_go(opened: Opener) -> None:
    source, reality, _ = opened()
    source.close()
    source.close()
    assert not reality.is_open
    assert source.read() == End()
