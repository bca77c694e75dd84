"""A passage is worth as many frames as lie between two askings for the process's time."""

from typing import Dict

import pytest
from nasion.bench.piped import Passage
from nasion.errors import NasionError
from nasion.pipeline.summary import RunSummary

MS = 1_000_000


def passage(messages: int, cpu_ns: Dict[int, int]) -> Passage:
    """A message every 10 ms."""
    return Passage([10 * MS * number for number in range(messages)], cpu_ns, [], 0, RunSummary({}, 0.0))


def test_frames_wall_time_and_processor_time_are_of_the_same_messages() -> None:
    asked = {number: 8 * MS * number for number in (0, 1, 2, 3, 4, 5, 10, 20)}

    turn = passage(29, asked).turn()

    assert turn.frames == 15
    assert (turn.ms, turn.cpu_ms) == pytest.approx((10, 8))


def test_of_few_messages_the_first_count_too() -> None:
    turn = passage(3, {0: 0, 1: 7 * MS, 2: 14 * MS}).turn()

    assert turn.frames == 2
    assert (turn.ms, turn.cpu_ms) == pytest.approx((10, 7))


def test_one_message_is_no_turn() -> None:
    with pytest.raises(NasionError, match="1 messages came"):
        passage(1, {0: 0}).turn()
