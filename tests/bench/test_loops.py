"""One turn of a loop: so many calls, fewer where they take long, none that counts where it was stopped."""

import threading
from types import SimpleNamespace
from typing import List

import pytest
from nasion.bench import loops
from nasion.bench.loops import timed
from nasion.bench.turns import Turn


def test_a_turn_has_the_frames_it_was_asked_for() -> None:
    calls: List[int] = []
    turn = timed(calls.append, 3, threading.Event())
    assert calls == [0, 1, 2]
    assert turn is not None
    assert turn.frames == 3


def test_a_slow_network_has_fewer_frames_in_its_turn_and_one_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [7.0]
    monkeypatch.setattr(loops, "time", SimpleNamespace(perf_counter=lambda: now[0], process_time=lambda: now[0]))

    def work(_index: int) -> None:
        now[0] += 2.0

    assert timed(work, 1000, threading.Event(), seconds=5.0) == Turn(3, 6.0, 6.0)
    assert timed(work, 1000, threading.Event(), seconds=0.0) == Turn(1, 2.0, 2.0)


def test_a_turn_that_is_stopped_does_not_count() -> None:
    stop = threading.Event()
    assert timed(lambda _: stop.set(), 2, stop) is None
