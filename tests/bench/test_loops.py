"""One turn of a loop: so many calls, fewer where they take long, none that counts where it was stopped."""

import threading
import time
from typing import List

from nasion.bench.loops import timed


def test_a_turn_has_the_frames_it_was_asked_for() -> None:
    calls: List[int] = []
    turn = timed(calls.append, 3, threading.Event())
    assert calls == [0, 1, 2]
    assert turn is not None
    assert turn.frames == 3


def test_a_slow_network_has_fewer_frames_in_its_turn_and_one_at_least() -> None:
    turn = timed(lambda _: time.sleep(0.02), 1000, threading.Event(), seconds=0.05)
    assert turn is not None
    assert 1 < turn.frames <= 3
    assert turn.wall_s >= 0.05
    once = timed(lambda _: time.sleep(0.02), 1000, threading.Event(), seconds=0.0)
    assert once is not None
    assert once.frames == 1


def test_a_turn_that_is_stopped_does_not_count() -> None:
    stop = threading.Event()
    assert timed(lambda _: stop.set(), 2, stop) is None
