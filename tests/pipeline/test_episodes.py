"""What a run must tell, it tells once when it begins and once when it is over; what wavers tells nothing anew."""

from typing import Any, Dict, Iterator, List, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.pipeline.episodes import Counts, Damage, Episodes

SECOND = 1_000_000_000
MAX_AGE_MS = 200.0


class Run:
    """Counts that grow second by second."""

    def __init__(self, connected: Optional[bool] = True) -> None:
        self.episodes = Episodes(MAX_AGE_MS, ["--view centre", "--precision int8"])
        self.connected = connected
        self.second = 0.0
        self.told: List[str] = []
        self.counts: Dict[str, Any] = {"frames": 0, "processed": 0, "drops": {}, "published": {}, "persons": {}}
        self.look()

    def look(self) -> None:
        self.told += self.episodes.look(self.now, self.connected, int(self.second * SECOND))

    def now(self) -> Counts:
        kept: Any = {name: dict(value) if isinstance(value, dict) else value for name, value in self.counts.items()}
        return Counts(**kept, connected=self.connected)

    def pass_by(self, seconds: float, **grow: Any) -> List[str]:
        """``seconds`` in which this is counted each second; what was told in them."""
        before = len(self.told)
        for _ in range(int(seconds)):
            self.second += 1
            self.add(grow)
            self.look()
        return self.told[before:]

    def add(self, grow: Dict[str, Any]) -> None:
        for name, value in grow.items():
            if isinstance(value, dict):
                for key, count in value.items():
                    self.counts[name][key] = self.counts[name].get(key, 0) + count
            else:
                self.counts[name] += value

    def end(self) -> List[str]:
        return self.episodes.end(self.now(), int(self.second * SECOND))


FAULTS: Dict[str, Any] = {
    "stale": (
        {"published": {"offered": 20, "stale": 20}},
        {"published": {"offered": 20, "sent": 20, "acknowledged": 20}},
        ["mqtt.max_age_ms", "--view centre", "--precision"],
    ),
    "mostly stale": (
        {"published": {"offered": 20, "stale": 12, "acknowledged": 8}},
        {"published": {"offered": 20, "stale": 1, "acknowledged": 19}},
        ["mqtt.max_age_ms"],
    ),
    "a broker that acknowledges nothing": (
        {"published": {"offered": 20, "replaced": 20}},
        {"published": {"offered": 20, "acknowledged": 20}},
        ["acknowledged", "mqtt.qos"],
    ),
    "a machine that is too slow": (
        {"frames": 30, "processed": 10, "drops": {"queue": 20}},
        {"frames": 30, "processed": 30},
        ["overtaken", "--view centre"],
    ),
    "a network that gives nothing": (
        {"frames": 30, "processed": 30, "drops": {"no_tensor": 30}},
        {"frames": 30, "processed": 30},
        ["no heat map"],
    ),
    "nobody has a position": (
        {"frames": 30, "processed": 30, "persons": {"no_depth": 30}},
        {"frames": 30, "processed": 30, "persons": {"": 30}},
        ["no_depth", "calibration"],
    ),
    "nobody has a position before what repeats itself": (
        {"frames": 30, "processed": 30, "persons": {"ambiguous": 30}},
        {"frames": 30, "processed": 30, "persons": {"": 30}},
        ["ambiguous", "repeats"],
    ),
    "nobody has a position, for two reasons": (
        {"frames": 30, "processed": 30, "persons": {"too_far": 20, "no_depth": 5}},
        {"frames": 30, "processed": 30, "persons": {"": 30}},
        ["too_far", "no_depth", "depth.far_m"],
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_episode_is_told_once_when_it_begins_and_once_when_it_is_over(fault: str) -> None:
    bad, good, words = FAULTS[fault]
    run = Run()

    assert run.pass_by(40, **good) == []
    begun = run.pass_by(300, **bad)
    assert len(begun) == 1
    for word in words:
        assert word in begun[0]
    assert len(run.pass_by(300, **good)) == 1
    assert len(run.pass_by(300, **bad)) == 1, "the next episode is told again"
    assert run.end() == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_run_that_is_too_short_for_it_tells_it_at_its_end(fault: str) -> None:
    bad, _, words = FAULTS[fault]
    run = Run()
    run.second += 0.5
    run.add(bad)
    run.look()

    assert run.told == []
    (line,) = run.end()
    for word in words:
        assert word in line


def test_the_counts_of_a_whole_episode_are_told_when_it_is_over() -> None:
    run = Run()
    run.pass_by(20, published={"offered": 10, "stale": 10})
    (over,) = run.pass_by(20, published={"offered": 10, "acknowledged": 10})
    assert "200 of 25" in over


def test_what_wavers_between_the_two_shares_tells_nothing_anew() -> None:
    run = Run()
    run.pass_by(10, published={"offered": 10, "stale": 10})
    for _ in range(50):
        run.pass_by(3, published={"offered": 10, "stale": 8})
        run.pass_by(3, published={"offered": 10, "stale": 3})
    assert len(run.told) == 1


def test_what_a_broker_that_is_away_misses_is_not_told_as_too_old() -> None:
    run = Run()
    run.pass_by(20, published={"offered": 10, "acknowledged": 10})
    run.connected = False
    assert run.pass_by(60, published={"offered": 10, "replaced": 9, "stale": 1}) == []
    run.connected = True
    assert run.pass_by(20, published={"offered": 10, "acknowledged": 10}) == []


def test_a_broker_that_never_comes_is_told_once() -> None:
    run = Run(connected=False)
    (line,) = run.pass_by(600, published={"offered": 10, "replaced": 10})
    assert "--mqtt none" in line
    assert run.end() == []


@pytest.mark.parametrize("connected", [True, None])
def test_a_broker_that_is_there_or_that_nobody_wants_is_not(connected: Optional[bool]) -> None:
    run = Run(connected)
    assert run.pass_by(600) == []
    assert run.end() == []


def test_frames_left_out_as_asked_are_no_loss() -> None:
    run = Run()
    assert run.pass_by(60, frames=30, processed=1, drops={"every": 29}) == []


def test_the_counts_are_asked_for_once_a_second() -> None:
    episodes, asked = Episodes(MAX_AGE_MS), []

    def counts() -> Counts:
        asked.append(1)
        return Counts(connected=True)

    for turn in range(1000):
        episodes.look(counts, True, turn * SECOND // 100)
    assert len(asked) == 10


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.integers(0, 50), st.booleans()),
        max_size=200,
    )
)
def test_beginnings_and_ends_take_turns(seconds: List[Any]) -> None:
    run = Run()
    for stale, fresh, connected in seconds:
        run.connected = connected
        run.pass_by(1, published={"offered": stale + fresh, "stale": stale, "acknowledged": fresh})
    begins = ["were older" in line for line in run.told if "fresh again" in line or "were older" in line]
    assert begins == [number % 2 == 0 for number in range(len(begins))]


class TestDamage:
    def said(self, grabs: str) -> Iterator[str]:
        """``x``: corrupt, ``.``: readable."""
        damage = Damage()
        for number, grab in enumerate(grabs):
            yield from damage.corrupt(f"frame {number}") if grab == "x" else damage.readable()
        yield from damage.end()

    @pytest.mark.parametrize(
        ("grabs", "told"),
        [
            ("....", []),
            ("..x..", ["corrupt frame skipped: frame 2"]),
            ("xxxx", ["corrupt frame skipped: frame 0", "4 corrupt frames skipped, the last: frame 3"]),
            ("x.x.x" + 30 * ".", ["corrupt frame skipped: frame 0", "3 corrupt frames skipped, the last: frame 4"]),
            ("x" + 30 * "." + "x", ["corrupt frame skipped: frame 0", "corrupt frame skipped: frame 31"]),
            (
                "xx" + 30 * "." + "xx",
                [
                    "corrupt frame skipped: frame 0",
                    "2 corrupt frames skipped, the last: frame 1",
                    "corrupt frame skipped: frame 32",
                    "2 corrupt frames skipped, the last: frame 33",
                ],
            ),
        ],
    )
    def test_one_line_when_it_begins_and_one_when_it_is_over(self, grabs: str, told: List[str]) -> None:
        assert list(self.said(grabs)) == told
