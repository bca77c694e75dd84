"""What a source gives with an eye kept on its eyes: distances only where they fit, told once, never waited for live."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Callable

import nasion.core.eyes_judge
import nasion.sources.eyes
import numpy as np
import pytest
from nasion.core.calibration import Calibration, Intrinsics
from nasion.core.eyes import look_at_eyes
from nasion.core.results import EyesFault, EyesFit, EyesLook, PersonReason
from nasion.errors import NasionError
from nasion.settings import DepthSettings
from nasion.sources.depth_map import DepthMap
from nasion.sources.eyes import COUNTER, FLAG, EyesSource, first_verdict, found, remedy
from nasion.sources.frame import CorruptFrame, End, Frame, Grab, SourceHealth, Stamp, Watched
from nasion.sources.memory import MemorySource
from nasion.sources.open import open_source
from nasion.sources.paced import PacedSource
from nasion.sources.stereo_depth import StereoDepth

from tests.eyes_made import FAULTS, HEIGHT, WIDTH, Pair, good_pair, lowered

LENS = Calibration(Intrinsics(WIDTH, HEIGHT, 350.0, 350.0, WIDTH / 2, HEIGHT / 2), 0.12)
FRAME_NS = 33_333_333
GOOD = good_pair(1)
MISFIT = Pair(GOOD.left, lowered(GOOD.right, 6.0))
#: Depth of the wall and of the panel by LENS.
PANEL = (WIDTH / 2 + 60.0, HEIGHT / 2.0)
REFUSED = PersonReason.EYES_DO_NOT_FIT


def frame(pair: Pair, number: int, recorded: bool = True) -> Frame:
    depth = StereoDepth(pair.left, pair.right, LENS, DepthSettings())
    time_ns = number * FRAME_NS
    return Frame(pair.left, depth, LENS, Stamp(time_ns, time_ns), time_ns if recorded else None)


def film(*pairs: Pair, seconds: float = 1.0, live: bool = False) -> list[Grab]:
    """Frames that show each pair for a while."""
    each = round(seconds * 1e9 / FRAME_NS)
    return [frame(pair, place * each + number, not live) for place, pair in enumerate(pairs) for number in range(each)]


def watched(grabs: Iterable[Grab], live: bool = False) -> tuple[EyesSource, list[str]]:
    said: list[str] = []
    return EyesSource(MemorySource(grabs, LENS, live=live), said.append), said


def played(source: EyesSource) -> list[PersonReason | None]:
    """Why each frame's depth is refused."""
    reasons = []
    while not isinstance(grab := source.read(), End):
        if isinstance(grab, Frame):
            reasons.append(grab.depth.refused())
    source.close()
    return reasons


def test_eyes_that_fit_give_what_they_gave_and_nothing_is_said() -> None:
    source, said = watched(film(GOOD))
    grab = source.read()
    assert isinstance(grab, Frame)
    plain = frame(GOOD, 0)
    assert np.array_equal(grab.depth.patch(*PANEL, 5), plain.depth.patch(*PANEL, 5), equal_nan=True)
    assert np.isfinite(grab.depth.patch(*PANEL, 5)).all()
    assert replace(grab, depth=plain.depth) == replace(plain, picture=grab.picture)
    assert set(played(source)) == {None}
    assert said == []
    health = source.health
    assert health.eyes is not None
    assert (health.eyes.fit, health.eyes.fault, health.flags, health.counters) == (EyesFit.OK, None, (), {})


@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_withholds_every_distance_and_is_told_once(kind: str) -> None:
    fault, spoilt = FAULTS[kind]
    source, said = watched(film(spoilt(GOOD), seconds=8))
    reasons = played(source)
    assert set(reasons) == {REFUSED}
    health = source.health
    assert health.eyes is not None
    assert (health.eyes.fit, health.eyes.fault) == (EyesFit.MISFIT, EyesFault(fault))
    assert (health.flags, health.counters) == ((FLAG,), {COUNTER: 1})
    assert said == [f"{found(health.eyes)}; no distances are given: {remedy(health.eyes)}"]


def test_a_change_is_told_when_it_comes_and_when_it_is_over() -> None:
    source, said = watched(film(GOOD, MISFIT, GOOD, seconds=12))
    reasons = played(source)
    turns = [number for number in range(1, len(reasons)) if reasons[number] is not reasons[number - 1]]
    begun, over = (turn * FRAME_NS / 1e9 for turn in turns)
    # A look every 5 s, or every second while they do not fit, and three in a row 0.2 s apart.
    assert 12.0 <= begun <= 12.0 + 5.0 + 0.6
    assert 24.0 <= over <= 24.0 + 1.0 + 0.6
    assert len(said) == 2
    assert "no distances" in said[0]
    assert "fit again" in said[1]
    assert source.health.counters == {COUNTER: 1}
    assert source.health.flags == ()


def test_rows_that_are_poor_are_told_once_and_distances_given() -> None:
    source, said = watched(film(Pair(GOOD.left, lowered(GOOD.right, 1.6)), seconds=8))
    assert set(played(source)) == {None}
    assert source.health.eyes is not None
    assert source.health.eyes.fit is EyesFit.POOR
    assert len(said) == 1
    assert "costs distances" in said[0]


def test_pictures_that_cannot_tell_withhold_nothing() -> None:
    flat = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    source, said = watched(film(Pair(flat, flat), seconds=3))
    assert set(played(source)) == {None}
    assert source.health.eyes is not None
    assert (source.health.eyes.fit, said) == (EyesFit.UNKNOWN, [])


def test_a_recording_that_ends_on_a_suspicion_tells_it() -> None:
    _, spoilt = FAULTS["depth as the right picture"]
    source, said = watched([frame(spoilt(GOOD), 0)])
    assert played(source) == [REFUSED]
    assert source.health.eyes is not None
    assert source.health.eyes.fault is EyesFault.UNRELATED
    assert len(said) == 1


def test_depth_that_comes_measured_and_damaged_frames_are_left_as_they_are() -> None:
    measured = replace(frame(MISFIT, 0), depth=DepthMap(np.ones((HEIGHT, WIDTH), np.float32), DepthSettings()))
    damaged = CorruptFrame(Stamp(0, 0), "made so")
    source, said = watched([measured, damaged])
    assert source.read() is measured
    assert measured.depth.refused() is None
    assert source.read() is damaged
    assert (source.health, said) == (SourceHealth("ok", {}, (), None), [])


def test_what_is_opened_anew_is_judged_anew() -> None:
    assert set(played(watched(film(MISFIT))[0])) == {REFUSED}
    assert set(played(watched(film(GOOD))[0])) == {None}


def test_the_same_recording_decides_the_same_each_time() -> None:
    grabs = film(GOOD, MISFIT, GOOD, seconds=7)
    assert played(watched(grabs)[0]) == played(watched(grabs)[0])


class TestLive:
    """The look is held up by the test, as on a machine that is very busy."""

    @pytest.fixture
    def slow(self, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
        """Set it, and looks go on."""
        go_on = threading.Event()

        def slow_look(*pair: Any) -> EyesLook:
            assert go_on.wait(60)
            return look_at_eyes(*pair)

        monkeypatch.setattr(nasion.sources.eyes, "look_at_eyes", slow_look)
        return go_on

    def test_frames_come_while_it_is_looked(self, slow: threading.Event) -> None:
        grabs = film(MISFIT, live=True)
        source, said = watched(grabs, live=True)
        frames = [source.read() for _ in grabs]
        assert all(isinstance(grab, Frame) for grab in frames)
        assert said == []
        slow.set()
        assert {grab.depth.refused() for grab in frames if isinstance(grab, Frame)} == {REFUSED}
        source.close()
        assert len(said) == 1

    def test_the_first_depth_waits_for_the_first_look(self, slow: threading.Event) -> None:
        source, _ = watched(film(MISFIT, live=True), live=True)
        grab = source.read()
        assert isinstance(grab, Frame)
        reasons: list[PersonReason | None] = []
        asking = threading.Thread(target=lambda: reasons.append(grab.depth.refused()))
        asking.start()
        slow.set()
        asking.join()
        source.close()
        assert reasons == [REFUSED]

    def test_only_one_look_at_a_time_and_only_at_the_newest(
        self, slow: threading.Event, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        times: list[int] = []
        judge = nasion.core.eyes_judge.EyesJudge
        add = judge.add

        def counted(self: Any, look: EyesLook, t_ns: int) -> Any:
            times.append(t_ns)
            return add(self, look, t_ns)

        monkeypatch.setattr(judge, "add", counted)
        source, _ = watched(film(GOOD, live=True), live=True)
        first = source.read()
        for _ in range(10):
            source.read()
        slow.set()
        assert isinstance(first, Frame)
        assert first.depth.refused() is None
        source.close()
        assert times == [0]

    def test_closing_lets_nobody_wait(self) -> None:
        source, _ = watched(film(GOOD, live=True), live=True)
        grab = source.read()
        source.close()
        source.close()
        assert isinstance(grab, Frame)
        assert grab.depth.refused() is None

    def test_a_mistake_in_the_look_ends_the_run(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: Any) -> EyesLook:
            raise NasionError("made so")

        monkeypatch.setattr(nasion.sources.eyes, "look_at_eyes", broken)
        source, _ = watched(film(GOOD, live=True), live=True)
        first = source.read()
        assert isinstance(first, Frame)
        assert first.depth.refused() is REFUSED
        with pytest.raises(NasionError, match="made so"):
            played(source)
        source.close()


class TestWatched:
    def test_what_the_source_says_of_itself_is_kept(self) -> None:
        class Complaining(MemorySource):
            """A source that is watched itself; a double."""

            interrupted = False

            @property
            def health(self) -> SourceHealth:
                return SourceHealth("reconnecting", {"reopened": 2}, ("low_lighting",), 29.0)

            def interrupt(self) -> None:
                self.interrupted = True

        inner = Complaining(film(MISFIT), LENS)
        source = EyesSource(inner, lambda _: None)
        assert source.health == inner.health
        played(source)
        health = source.health
        assert (health.state, health.fps) == ("reconnecting", 29.0)
        assert health.counters == {"reopened": 2, COUNTER: 1}
        assert health.flags == ("low_lighting", FLAG)
        source.interrupt()
        assert inner.interrupted

    def test_played_at_its_pace_it_is_watched_too(self, clock: Any) -> None:
        source = PacedSource(watched(film(MISFIT))[0], clock)
        assert isinstance(source, Watched)
        grab = source.read()
        assert isinstance(grab, Frame)
        assert grab.depth.refused() is REFUSED
        assert source.health.flags == (FLAG,)


class TestFirstVerdict:
    @pytest.mark.parametrize("live", [False, True])
    def test_the_first_pictures_tell(self, live: bool) -> None:
        for pair, fit in ((GOOD, EyesFit.OK), (MISFIT, EyesFit.MISFIT)):
            source, _ = watched(film(pair, live=live), live=live)
            verdict = first_verdict(source)
            source.close()
            assert verdict is not None
            assert verdict.fit is fit

    def test_one_picture_is_enough_for_it(self) -> None:
        _, spoilt = FAULTS["one picture twice"]
        verdict = first_verdict(watched([frame(spoilt(GOOD), 0)])[0])
        assert verdict is not None
        assert verdict.fault is EyesFault.SAME

    def test_measured_depth_has_none(self, make_rgbd: Callable[..., Any], clock: Any) -> None:
        source = open_source(str(make_rgbd()), depth=DepthSettings(), clock=clock)
        assert first_verdict(source) is None
        source.close()


@pytest.mark.parametrize("uri", ["demo:?size=720", "demo:?size=1080"])
def test_the_demos_eyes_fit(uri: str, clock: Any) -> None:
    source = open_source(uri, depth=DepthSettings(), clock=clock, mode="every-frame")
    verdict = first_verdict(source)
    source.close()
    assert verdict is not None
    assert verdict.fit is EyesFit.OK
