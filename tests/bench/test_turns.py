"""Turns side by side: their order, and what their ratios say."""

from typing import Callable, Dict, List, Optional

import pytest
from nasion.bench.turns import Round, Turn, alternate, beyond, compared, slope, spread


def turn(ms: float, cpu_ms: float = 0.0, network_ms: Optional[float] = None, frames: int = 10) -> Turn:
    network_s = None if network_ms is None else network_ms * frames / 1e3
    return Turn(frames, ms * frames / 1e3, cpu_ms * frames / 1e3, network_s)


class Table:
    """Contestants who note when it is their turn; the one numbered ``stops_at`` does not finish it."""

    def __init__(self, stops_at: Optional[int] = None) -> None:
        self.taken: List[str] = []
        self.finished = 0
        self._stops_at = stops_at

    def contestants(self, *names: str) -> Dict[str, Callable[[], Optional[Turn]]]:
        def taking(name: str) -> Callable[[], Optional[Turn]]:
            def take() -> Optional[Turn]:
                self.taken.append(name)
                return None if len(self.taken) == self._stops_at else turn(len(self.taken))

            return take

        return {name: taking(name) for name in names}

    def finish(self) -> None:
        self.finished += 1


class TestAlternating:
    def test_every_second_round_goes_backwards_so_that_nobody_is_always_first(self) -> None:
        table = Table()
        rounds = alternate(table.contestants("a", "b", "c"), 2, table.finish)
        assert "".join(table.taken) == "abccba"
        assert [list(one) for one in rounds] == [["a", "b", "c"]] * 2
        assert rounds[1]["c"].ms == pytest.approx(4)
        assert table.finished == 6

    @pytest.mark.parametrize(("stops_at", "kept"), [(1, 0), (2, 0), (3, 1), (5, 2)])
    def test_a_round_that_was_stopped_does_not_count(self, stops_at: int, kept: int) -> None:
        table = Table(stops_at)
        assert len(alternate(table.contestants("a", "b"), 3, table.finish)) == kept
        assert len(table.taken) == stops_at


ROUNDS: List[Round] = [
    {"net": turn(10, 10), "pipe": turn(11, 14, 10), "loop": turn(15, 15, 10)},
    {"net": turn(40, 10), "pipe": turn(44, 12, 10), "loop": turn(50, 24, 20)},
    {"net": turn(20, 10), "pipe": turn(30, 13, 10), "loop": turn(22, 7, 5)},
]


class TestFigures:
    def test_ratios_are_taken_within_a_round_and_so_noise_of_the_machine_falls_out(self) -> None:
        pipe = compared(ROUNDS, "net")["figures"]["pipe"]
        assert pipe["ms"] == pytest.approx(30)
        assert pipe["time_ratio"] == pytest.approx({"median": 1.1, "min": 1.1, "max": 1.5})
        assert pipe["rate_ratio"] == pytest.approx({"median": 1 / 1.1, "min": 1 / 1.5, "max": 1 / 1.1})
        assert pipe["cpu_ratio"] == pytest.approx({"median": 1.3, "min": 1.2, "max": 1.4})

    def test_the_reference_is_one(self) -> None:
        assert compared(ROUNDS, "net")["figures"]["net"]["time_ratio"] == {"median": 1, "min": 1, "max": 1}

    def test_every_turn_is_kept(self) -> None:
        turns = compared(ROUNDS, "net")["turns"]["pipe"]
        assert [one["wall_s"] for one in turns] == pytest.approx([0.11, 0.44, 0.3])
        assert {one["frames"] for one in turns} == {10}

    def test_what_is_beyond_the_network_is_compared_without_it(self) -> None:
        """Each without its own network, which was as fast as the machine then was."""
        ratios = beyond(ROUNDS, "pipe", "loop")
        assert ratios is not None
        assert ratios.pop("ms") == pytest.approx({"pipe": 3, "loop": 4})
        assert ratios == pytest.approx({"median": 0.8, "min": 0.5, "max": 1.5})

    def test_where_noise_swallows_what_is_beyond_nothing_is_said(self) -> None:
        rounds: List[Round] = [{"pipe": turn(1, 11, 10), "loop": turn(1, 9, 10)}]
        assert beyond(rounds, "pipe", "loop") is None


@pytest.mark.parametrize(
    ("x", "y", "growth"),
    [
        ([0, 1, 2, 3], [5, 7, 9, 11], 2),
        ([0, 10, 20], [3, 3, 3], 0),
        ([1], [1], None),
        ([2, 2], [1, 5], None),
        ([], [], None),
    ],
)
def test_a_slope_is_told_where_there_is_one(x: List[float], y: List[float], growth: Optional[float]) -> None:
    assert slope(x, y) == (None if growth is None else pytest.approx(growth, abs=1e-9))


def test_a_spread_is_median_least_and_most() -> None:
    assert spread([3.0, 1.0, 10.0]) == {"median": 3, "min": 1, "max": 10}
