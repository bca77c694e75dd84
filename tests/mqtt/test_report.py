"""What a camera says of itself: figures from counts, and both messages over a real broker."""

import threading
from pathlib import Path
from typing import Any, Callable, List

import numpy as np
import pytest
from nasion import __version__
from nasion.core.calibration import Calibration, Intrinsics
from nasion.core.results import EyesFault, EyesFit, EyesVerdict, PersonReason
from nasion.messages import EyesStats, InfoMessage, SourceStats, StatsMessage
from nasion.mqtt.boot import read_boot_id
from nasion.mqtt.broker import PrivateBroker
from nasion.mqtt.publishing import COUNTERS, NoPublisher
from nasion.mqtt.samples import Samples
from nasion.pipeline import app
from nasion.pipeline.flow import DROPS
from nasion.pipeline.report import Reporter, stats_message
from nasion.pipeline.summary import CameraSummary
from nasion.settings import DepthSettings, RunSettings
from nasion.sources.clock import SystemClock, stamp_now
from nasion.sources.eyes import EyesSource
from nasion.sources.frame import Frame, SourceHealth, Stamp
from nasion.sources.memory import MemorySource
from nasion.sources.stereo_depth import StereoDepth
from numpy.typing import NDArray

from tests.eyes_made import HEIGHT, WIDTH, good_pair, lowered

Until = Callable[..., None]
QUIET = SourceStats(state="ok", lost=0, reconnecting=0, newest_age_ms=None)
SECOND = 1_000_000_000


def counted(frames: int, processed: int, **drops: int) -> CameraSummary:
    return CameraSummary(frames, processed, drops, dict.fromkeys(COUNTERS, processed), {})


def test_rates_are_of_the_window_and_counts_of_the_session() -> None:
    message = stats_message(
        "cam0",
        session="s1",
        seq=4,
        stamp=Stamp(utc_ns=1_500_000_000, monotonic_ns=77),
        boot_id="boot-1",
        uptime_s=9.0,
        window_s=2.0,
        before=counted(100, 90, queue=10),
        now=counted(160, 130, queue=30),
        lately={"network": [1.0, 2.0, 9.0], "sent": [40.0], "something": [1.0]},
        source=QUIET,
    )
    assert (message.fps_in, message.fps_out, message.frames_in, message.frames_out) == (30.0, 20.0, 160, 130)
    assert message.drops == {**dict.fromkeys(DROPS, 0), "queue": 30}
    assert (message.at, message.monotonic_ns, message.boot_id) == (1.5, "77", "boot-1")
    assert {stage: (spread.count, spread.median) for stage, spread in message.times_ms.items()} == {"network": (3, 2.0)}
    assert message.times_ms["network"].p95 == pytest.approx(8.3)
    assert list(message.ages_ms) == ["sent"]


def test_a_host_without_a_boot_id_leaves_both_stamps_out() -> None:
    message = stats_message(
        "cam0",
        session="s1",
        seq=0,
        stamp=Stamp(0, 77),
        boot_id=None,
        uptime_s=1.0,
        window_s=1.0,
        before=counted(0, 0),
        now=counted(0, 0),
        lately={},
        source=QUIET,
    )
    assert "monotonic_ns" not in message.to_json()
    assert "boot_id" not in message.to_json()


class Heard(NoPublisher):
    """Keeps the stats that it is given."""

    wanted = True

    def __init__(self) -> None:
        super().__init__()
        self.said: List[StatsMessage] = []

    def stats(self, message: StatsMessage) -> None:
        self.said.append(message)


def test_once_a_second_whatever_the_wall_clock_does() -> None:
    publisher = Heard()
    reporter = Reporter("cam0", lambda: counted(0, 0), lambda: None, publisher, session="s1", boot_id=None)
    for tick in range(301):
        reporter.look(Stamp(utc_ns=(tick % 7) * 10**18, monotonic_ns=50 * SECOND + tick * SECOND // 100))
    assert [message.seq for message in publisher.said] == [0, 1, 2]
    assert [message.uptime_s for message in publisher.said] == [1.0, 2.0, 3.0]
    assert {message.window_s for message in publisher.said} == {1.0}


def test_a_camera_that_knows_of_its_troubles_tells_them() -> None:
    publisher = Heard()
    health = SourceHealth("ok", {"reopened": 2}, ("low_lighting",), 29.7)
    reporter = Reporter("cam0", lambda: counted(0, 0), lambda: health, publisher, session="s1", boot_id=None)
    for second in range(2):
        reporter.look(Stamp(0, second * SECOND))
    source = publisher.said[0].source
    assert (source.counters, source.flags, source.fps) == ({"reopened": 2}, ["low_lighting"], 29.7)


def test_whether_its_eyes_fit_is_told_where_it_is_known() -> None:
    publisher = Heard()
    verdict = EyesVerdict(EyesFit.MISFIT, EyesFault.ROWS, 5.5, 2.0)
    healths = [SourceHealth("ok", {}, (), None), SourceHealth("ok", {}, (), None, verdict)]
    reporter = Reporter("cam0", lambda: counted(0, 0), lambda: healths[0], publisher, session="s1", boot_id=None)
    for second in range(3):
        reporter.look(Stamp(0, second * SECOND))
        if second:
            healths.pop(0)
    told = [message.source.eyes for message in publisher.said]
    assert told == [None, EyesStats(fit=EyesFit.MISFIT, fault=EyesFault.ROWS, rows_px=5.5)]


def test_nothing_is_counted_up_where_nobody_can_hear() -> None:
    def summary() -> CameraSummary:
        raise AssertionError("nobody asked")

    reporter = Reporter("cam0", summary, lambda: None, NoPublisher(), session="s1", boot_id=None)
    for second in range(5):
        reporter.look(Stamp(0, second * SECOND))


def test_samples_that_nobody_takes_do_not_grow_for_ever() -> None:
    samples = Samples()
    for number in range(5000):
        samples.add("network", float(number))
    assert len(samples.take()["network"]) == 900
    assert samples.take() == {}


def test_a_host_that_has_no_boot_id_is_no_error(tmp_path: Path) -> None:
    assert read_boot_id(tmp_path / "nothing") is None
    (tmp_path / "empty").write_text("\n")
    assert read_boot_id(tmp_path / "empty") is None
    (tmp_path / "id").write_text("boot-1\n")
    assert read_boot_id(tmp_path / "id") == "boot-1"


class Wall:
    def refused(self) -> None: ...

    def patch(self, _u: float, _v: float, size: int) -> NDArray[np.float32]:
        return np.full((size, size), 2.0, np.float32)


def test_a_run_says_who_it_is_and_how_it_fares(
    broker: PrivateBroker, watch: Any, until: Until, spot_model: Path
) -> None:
    witness = watch(broker)
    clock, stop = SystemClock(), threading.Event()
    calibration = Calibration(Intrinsics(320, 180, 256.0, 256.0, 160.0, 90.0), 0.12)
    picture = np.zeros((180, 320, 3), np.uint8)
    picture[70:90, 140:160, 2] = 255

    def grabs() -> Any:
        while not stop.wait(0.02):
            yield Frame(picture, Wall(), calibration, stamp_now(clock))

    def look_on() -> None:
        until(lambda: len(witness.on("nasion/cam0/stats")) == 3)
        stop.set()

    looking = threading.Thread(target=look_on)
    looking.start()
    try:
        summary = app.run(
            RunSettings.model_validate(
                {
                    "cameras": [{"source": "made"}],
                    "engine": "onnxruntime",
                    "model": str(spot_model),
                    "max_persons": 2,
                    "depth": {"near_m": 0.5},
                    # Its pictures are all the same.
                    "frozen_ms": 0,
                    "mqtt": {"url": broker.url, "max_age_ms": 400.0},
                }
            ),
            clock=clock,
            on_event=print,
            stop=stop,
            opener=lambda *_, **__: MemorySource(grabs(), calibration, live=True),
        )
    finally:
        stop.set()
        looking.join()
    until(lambda: '"stopped"' in witness.on("nasion/cam0/status")[-1].payload.decode())

    (arrival,) = witness.on("nasion/cam0/info")
    info = InfoMessage.model_validate_json(arrival.payload, strict=True)
    assert (info.version, info.model.name, info.view) == (__version__, "spot", "full")
    assert (info.frame.width, info.frame.height, info.network_input.width) == (320, 180, 480)
    assert (info.limits.near_m, info.limits.threshold, info.limits.max_persons) == (0.5, 0.6, 2)
    assert (info.calibration.fx, info.calibration.baseline_m) == (256.0, 0.12)
    assert info.boot_id == read_boot_id()

    stats = [
        StatsMessage.model_validate_json(arrival.payload, strict=True) for arrival in witness.on("nasion/cam0/stats")
    ]
    assert [message.seq for message in stats][:3] == [0, 1, 2]
    assert {message.session for message in stats} == {info.session} == {witness.persons[0].session}
    last = stats[-1]
    assert 0 < last.frames_out <= summary.cameras["cam0"].processed
    assert last.fps_out > 0
    assert list(last.times_ms)[-1] == "total"
    assert {"sent", "acknowledged"} == set(last.ages_ms)
    assert last.source.newest_age_ms is not None
    assert {message.boot_id for message in witness.persons} == {info.boot_id}
    for message in witness.persons:
        assert message.monotonic_ns is not None
        assert int(message.monotonic_ns) <= clock.monotonic_ns()


def test_a_live_run_whose_eyes_do_not_fit_says_so_and_gives_no_distance(
    broker: PrivateBroker, watch: Any, until: Until, spot_model: Path
) -> None:
    witness = watch(broker)
    clock, stop = SystemClock(), threading.Event()
    calibration = Calibration(Intrinsics(WIDTH, HEIGHT, 350.0, 350.0, WIDTH / 2, HEIGHT / 2), 0.12)
    left, right = good_pair(1)
    right = lowered(right, 6.0)
    said: List[str] = []

    def grabs() -> Any:
        while not stop.wait(0.02):
            depth = StereoDepth(left, right, calibration, DepthSettings())
            yield Frame(left, depth, calibration, stamp_now(clock))

    def look_on() -> None:
        until(lambda: len(witness.on("nasion/cam0/stats")) == 2)
        stop.set()

    looking = threading.Thread(target=look_on)
    looking.start()
    try:
        app.run(
            RunSettings.model_validate(
                {
                    "cameras": [{"source": "made"}],
                    "engine": "onnxruntime",
                    "model": str(spot_model),
                    "threshold": 0.1,
                    "mqtt": {"url": broker.url, "max_age_ms": 1000.0},
                }
            ),
            clock=clock,
            on_event=said.append,
            stop=stop,
            opener=lambda *_, **__: EyesSource(MemorySource(grabs(), calibration, live=True), said.append),
        )
    finally:
        stop.set()
        looking.join()
    persons = [person for message in witness.persons for person in message.persons]
    assert persons
    assert {person.reason for person in persons} == {PersonReason.EYES_DO_NOT_FIT}
    assert len([line for line in said if "px apart" in line]) == 1
    arrival = witness.on("nasion/cam0/stats")[0]
    source = StatsMessage.model_validate_json(arrival.payload, strict=True).source
    assert source.eyes is not None
    assert (source.eyes.fit, source.eyes.fault) == (EyesFit.MISFIT, EyesFault.ROWS)
    assert source.eyes.rows_px == pytest.approx(6.0, abs=0.3)
    assert (source.flags, source.counters) == (["eyes_do_not_fit"], {"eyes_misfit": 1})
