"""The board keeps, for each camera, the latest message and how well the stream is kept up."""

import json
from typing import Any, Optional

import pytest
from nasion.messages import PersonMessage, StatusMessage
from nasion.mqtt.board import Board
from nasion.mqtt.receiver import Accepted, Refused

MS = 1_000_000


def accepted(
    seq: int, camera: str = "cam0", session: str = "s1", age_ms: float = 12.0, offset_ms: Optional[float] = None
) -> Accepted:
    message = PersonMessage(
        session=session,
        seq=seq,
        camera=camera,
        frame_id="optical",
        captured_at=0.0,
        captured_ns="0",
        published_at=0.0,
        max_age_ms=200.0,
        persons=[],
        reason="no_face",
        latency_ms={},
    )
    return Accepted(message, age_ms, offset_ms)


def test_an_empty_board_has_no_rows() -> None:
    assert Board().rows(0) == []


def test_the_latest_message_its_age_and_the_silence_since() -> None:
    board = Board()
    board.hear(accepted(0), 1000 * MS)
    board.hear(accepted(1, age_ms=7.0), 1033 * MS)
    (row,) = board.rows(1533 * MS)
    assert row.latest is not None
    assert (row.latest.seq, row.age_ms, row.silent_s, row.accepted) == (1, 7.0, 0.5, 2)


def test_the_rate_is_that_of_the_latest_seconds() -> None:
    board = Board()
    for number in range(100):
        board.hear(accepted(number), number * 100 * MS)
    assert board.rows(9900 * MS)[0].rate_hz == pytest.approx(10.0)
    assert board.rows(20_000 * MS)[0].rate_hz == 0.0


@pytest.mark.parametrize(
    ("seqs", "second_session", "missed"),
    [
        ([0, 1, 2, 3], None, 0),
        ([0, 1, 4, 9], None, 6),
        ([5], None, 0),
        ([0, 7, 0, 1], 2, 6),
        ([3, 3, 2], None, 0),
    ],
)
def test_gaps_in_the_sequence_are_counted_and_a_restart_is_none(
    seqs: Any, second_session: Optional[int], missed: int
) -> None:
    board = Board()
    for place, seq in enumerate(seqs):
        restarted = second_session is not None and place >= second_session
        board.hear(accepted(seq, session="s2" if restarted else "s1"), place)
    assert board.rows(10)[0].missed == missed


def test_the_clocks_apparent_offset_is_that_of_the_quickest_of_the_latest_messages() -> None:
    board = Board()
    board.hear(accepted(0, offset_ms=-50.0), 0)
    for seq in range(1, 101):
        board.hear(accepted(seq, offset_ms=30.0 if seq == 7 else 31.0 + seq), seq)
    assert board.rows(100)[0].offset_ms == 30.0
    for seq in range(101, 201):
        board.hear(accepted(seq), seq)
    assert board.rows(200)[0].offset_ms is None


def test_sessions_are_counted() -> None:
    board = Board()
    for seq, session in ((0, "s1"), (1, "s1"), (0, "s2"), (1, "s2")):
        board.hear(accepted(seq, session=session), seq)
    assert board.rows(4)[0].sessions == 2


def test_refusals_are_counted_by_cause_beside_the_latest_good_message() -> None:
    board = Board()
    board.hear(accepted(0), 0)
    for cause in ("stale", "stale", "malformed"):
        board.hear(Refused("cam0", cause, f"why {cause}"), 1)
    (row,) = board.rows(2)
    assert row.refused == {"stale": 2, "malformed": 1}
    assert row.refusal == Refused("cam0", "malformed", "why malformed")
    assert row.latest is not None


def test_cameras_stand_apart_in_order_of_their_names() -> None:
    board = Board()
    board.hear(accepted(4, "rear"), 0)
    board.hear(StatusMessage(session="s", camera="front", process="online", source="ok", at=0.0), 0)
    front, rear = board.rows(0)
    assert (front.camera, front.latest, front.silent_s) == ("front", None, None)
    assert front.status is not None
    assert (rear.camera, rear.status, rear.accepted) == ("rear", None, 1)


def test_rows_do_not_change_afterwards() -> None:
    board = Board()
    board.hear(Refused("cam0", "stale", "old"), 0)
    before = board.rows(0)
    board.hear(Refused("cam0", "stale", "old"), 0)
    assert before[0].refused == {"stale": 1}
    assert json.dumps(board.rows(0)[0].refused) == '{"stale": 2}'
