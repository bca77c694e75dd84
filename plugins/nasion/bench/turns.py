"""Turns taken side by side, and what they say: machines are noisy, so what counts is the ratio within a round."""

import statistics
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence

import numpy as np


class Turn(NamedTuple):
    """``frames`` frames took ``wall_s`` seconds, and the process ``cpu_s`` seconds of all cores meanwhile.

    ``network_s``: seconds of these that the network took, where that is known.
    """

    frames: int
    wall_s: float
    cpu_s: float
    network_s: Optional[float] = None

    @property
    def ms(self) -> float:
        """Milliseconds a frame."""
        return 1e3 * self.wall_s / self.frames

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of processor time a frame."""
        return 1e3 * self.cpu_s / self.frames

    @property
    def beyond_network_ms(self) -> float:
        """Milliseconds of processor time a frame beyond the turn's own network; only where its time is known."""
        assert self.network_s is not None, "the network's time is not known"
        return 1e3 * (self.cpu_s - self.network_s) / self.frames


#: One turn of each contestant, by name.
Round = Dict[str, Turn]
#: Takes one turn; None where it was stopped before its end.
TakeTurn = Callable[[], Optional[Turn]]


def alternate(contestants: Mapping[str, TakeTurn], rounds: int, on_turn: Callable[[], None]) -> List[Round]:
    """Up to ``rounds`` rounds of one turn each; every second round in the reverse order. Complete rounds only.

    ``on_turn`` is called after each turn.
    """
    done: List[Round] = []
    for number in range(rounds):
        names = list(contestants) if number % 2 == 0 else list(reversed(list(contestants)))
        taken: Round = {}
        for name in names:
            turn = contestants[name]()
            if turn is None:
                return done
            taken[name] = turn
            on_turn()
        done.append({name: taken[name] for name in contestants})
    return done


def spread(values: Sequence[float]) -> Dict[str, float]:
    """Median, least and most of at least one value."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def compared(rounds: Sequence[Round], reference: str) -> Dict[str, Any]:
    """The figures of at least one round: of each contestant, and its ratios to ``reference`` round by round."""
    return {
        "reference": reference,
        "turns": {name: [turn._asdict() for turn in _of(rounds, name)] for name in rounds[0]},
        "figures": {
            name: {
                "ms": statistics.median(turn.ms for turn in _of(rounds, name)),
                "cpu_ms": statistics.median(turn.cpu_ms for turn in _of(rounds, name)),
                "time_ratio": spread([one[name].ms / one[reference].ms for one in rounds]),
                "cpu_ratio": spread([one[name].cpu_ms / one[reference].cpu_ms for one in rounds]),
                "rate_ratio": spread([one[reference].ms / one[name].ms for one in rounds]),
            }
            for name in rounds[0]
        },
    }


def beyond(rounds: Sequence[Round], one: str, other: str) -> Optional[Dict[str, Any]]:
    """Processor time of ``one`` beyond its own network in that of ``other`` beyond its own, with both as ``ms``.

    Each network's time is that within the turn: between two turns it differs by as much as all the rest takes. It is
    taken by the clock, which tells processor time where one thread works at a time. None where noise swallows it.
    """
    over = [(turns[one].beyond_network_ms, turns[other].beyond_network_ms) for turns in rounds]
    ratios = [mine / theirs for mine, theirs in over if theirs > 0]
    if not ratios:
        return None
    mine, theirs = (statistics.median(column) for column in zip(*over))
    return {**spread(ratios), "ms": {one: mine, other: theirs}}


def slope(x: Sequence[float], y: Sequence[float]) -> Optional[float]:
    """How much ``y`` grows for each 1 of ``x``, by least squares; None where ``x`` has fewer than two values."""
    if len(set(x)) < 2:
        return None
    return float(np.polyfit(x, y, 1)[0])


def _of(rounds: Sequence[Round], name: str) -> List[Turn]:
    return [one[name] for one in rounds]
