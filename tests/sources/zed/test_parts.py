"""The small parts: codes, capture times, the camera's thread, the pace of re-opening."""

import threading
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import replace
from typing import List

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.core.calibration import Calibration, Intrinsics
from nasion.errors import HardwareError, InputError, NasionError
from nasion.sources.frame import Stamp
from nasion.sources.uri import parse_uri
from nasion.sources.zed.codes import Meaning, code, fatal_error, open_error
from nasion.sources.zed.health import HealthRecord
from nasion.sources.zed.options import camera_request, stream_request
from nasion.sources.zed.reopening import MOST_SHIFT, WAITS_S, Outage, calibration_shift
from nasion.sources.zed.times import MOST_AGE_NS, CaptureTimes
from nasion.sources.zed.worker import CameraThread

UTC, MS = 1_700_000_000_000_000_000, 1_000_000


@pytest.mark.parametrize(
    ("name", "rank", "meaning"),
    [
        ("SUCCESS", 0, Meaning.GOOD),
        ("POTENTIAL_CALIBRATION_ISSUE", -5, Meaning.WARNED),
        ("A_WARNING_OF_TOMORROW", -9, Meaning.WARNED),
        ("CORRUPTED_FRAME", -2, Meaning.CORRUPT),
        ("CAMERA_REBOOTING", -1, Meaning.REBOOTING),
        ("END_OF_SVOFILE_REACHED", 13, Meaning.ENDED),
        ("CAMERA_NOT_DETECTED", 4, Meaning.LOST),
        ("A_FAILURE_OF_TOMORROW", 99, Meaning.LOST),
        ("CUDA_ERROR", 20, Meaning.FATAL),
        ("NO_GPU_DETECTED", 30, Meaning.FATAL),
    ],
)
def test_every_code_means_something(name: str, rank: int, meaning: Meaning) -> None:
    assert code(name, rank).meaning is meaning
    assert code(name, rank).ok == (meaning in (Meaning.GOOD, Meaning.WARNED))


def test_the_kind_of_an_error_gives_the_exit_code() -> None:
    camera, stream = camera_request(parse_uri("zed:")), stream_request(parse_uri("zed-stream:h:1"))
    missing = open_error(camera, code("CAMERA_NOT_DETECTED", 4))
    assert isinstance(missing, HardwareError)
    assert "zed:: no ZED camera can be opened (CAMERA_NOT_DETECTED: plug it in" in str(missing)
    assert "no sender of a ZED stream" in str(open_error(stream, code("CAMERA_NOT_DETECTED", 4)))
    assert isinstance(open_error(camera, code("INVALID_RESOLUTION", 4)), InputError)
    assert isinstance(open_error(camera, code("NO_GPU_DETECTED", 4)), HardwareError)
    assert type(fatal_error(camera, code("CUDA_ERROR", 4))) is NasionError


class TestCaptureTimes:
    def test_a_stamp_of_the_hosts_clock_is_the_time_of_arrival_less_the_delay(self) -> None:
        times = CaptureTimes(50 * MS)
        stamp = times.stamp(UTC - 20 * MS, Stamp(UTC, 900 * MS))
        assert stamp == Stamp(UTC - 70 * MS, 830 * MS)
        assert (times.by_difference, times.by_arrival) == (0, 0)

    @pytest.mark.parametrize("step", [3_600_000 * MS, -3_600_000 * MS, 25 * MS, -40 * MS])
    def test_a_wall_clock_that_is_set_does_not_move_the_capture(self, step: int) -> None:
        """Set between the stamp of the second picture and its handing over; all are 20 ms old."""
        times = CaptureTimes(0)
        found: List[int] = []
        for number in range(4):
            now = Stamp(UTC + 33 * MS * number + (step if number else 0), 900 * MS + 33 * MS * number)
            image_ns = now.utc_ns - 20 * MS - (step if number == 1 else 0)
            found.append(times.stamp(image_ns, now).monotonic_ns)
        expected = [880 * MS + 33 * MS * number for number in range(4)]
        if abs(step) > 60 * MS:
            assert found == expected
            assert times.by_difference >= 1
        assert all(abs(one - other) <= 40 * MS for one, other in zip(found, expected))
        assert found == sorted(found)

    def test_a_stream_of_another_clock_is_timed_by_arrival_and_differences(self) -> None:
        times, there = CaptureTimes(0), 55_000 * MS
        found = [
            times.stamp(there + 33 * MS * n, Stamp(UTC + (33 * n + late) * MS, (900 + 33 * n + late) * MS)).monotonic_ns
            for n, late in enumerate((5, 9, 0, 4))
        ]
        # As if none of them had been late but the third, which was the fastest.
        assert found == [905 * MS, 938 * MS, 966 * MS, 999 * MS]
        assert (times.by_arrival, times.by_difference) == (2, 2)

    @given(
        st.lists(
            st.tuples(st.integers(-2 * MOST_AGE_NS, 2 * MOST_AGE_NS), st.integers(1, MOST_AGE_NS)),
            min_size=1,
            max_size=20,
        )
    )
    def test_whatever_the_stamps_captures_only_rise_and_are_neither_future_nor_old(
        self, steps: "List[tuple[int, int]]"
    ) -> None:
        times, monotonic_ns, before = CaptureTimes(0), 5 * MOST_AGE_NS, -1
        for error_ns, passed_ns in steps:
            monotonic_ns += passed_ns
            stamp = times.stamp(UTC + monotonic_ns + error_ns, Stamp(UTC + monotonic_ns, monotonic_ns))
            assert max(before, monotonic_ns - MOST_AGE_NS - 1) < stamp.monotonic_ns <= monotonic_ns
            assert stamp.utc_ns - UTC == stamp.monotonic_ns
            before = stamp.monotonic_ns


class TestThread:
    def test_everything_happens_in_one_thread_that_is_not_ours(self) -> None:
        thread = CameraThread("camera")
        seen = {thread.call(threading.get_ident) for _ in range(3)}
        assert len(seen) == 1
        assert threading.get_ident() not in seen
        thread.end()

    def test_what_is_raised_there_is_raised_here_and_the_thread_goes_on(self) -> None:
        thread = CameraThread("camera")
        with pytest.raises(ZeroDivisionError):
            thread.call(lambda: 1 // 0)
        assert thread.call(lambda: 7) == 7
        thread.end()

    def test_a_call_that_hangs_is_given_up(self) -> None:
        thread, release = CameraThread("camera"), threading.Event()
        with pytest.raises(FutureTimeoutError):
            thread.call(release.wait, 0.01)
        release.set()
        thread.end()


def test_attempts_are_paced_and_a_hung_camera_is_restarted_once() -> None:
    outage, waits, reboots = Outage(), [], []
    for _ in range(8):
        waits.append(outage.wait_s())
        reboots.append(outage.wants_reboot())
    assert waits == [*WAITS_S, 8.0, 8.0, 8.0]
    assert reboots == [False, False, True, False, False, False, False, False]


def test_how_far_two_calibrations_are_apart() -> None:
    one = Calibration(Intrinsics(1920, 1080, 1050.0, 1050.0, 960.0, 540.0), 0.12)
    assert calibration_shift(one, one) == 0
    moved = replace(one, left=replace(one.left, cx=962.1))
    assert calibration_shift(one, moved) == pytest.approx(0.002)
    assert calibration_shift(one, moved) < MOST_SHIFT < calibration_shift(one, replace(one, baseline_m=0.063))


def test_a_camera_that_is_away_for_long_is_lost() -> None:
    health = HealthRecord(10)
    assert health.at(0).state == "ok"
    health.away(5)
    health.away(12)
    health.count("lost")
    assert (health.at(14).state, health.at(15).state, health.at(15).counters) == ("reconnecting", "lost", {"lost": 1})
    assert health.back(1_000_000_005) == 1.0
    assert health.back(0) is None
    assert health.at(99).state == "ok"
