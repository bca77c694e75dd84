"""Frames inside DeepStream: none is forgotten, none is taken for another, nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from nasion.deepstream.passage import GONE_NS, Passage
from nasion.pipeline.flow import Flow


def entered(pts: list[int], limit: int | None = None) -> tuple[Flow, Passage]:
    flow = Flow()
    passage = Passage(flow, limit=limit)
    for one in pts:
        flow.frame_read()
        flow.entered(one)
        assert flow.arrived(one)
        passage.enter(one, one)
    return flow, passage


@given(st.sets(st.integers(0, 40)), st.sets(st.integers(0, 40)))
def test_what_went_in_came_out_or_is_lost(went: set[int], came: set[int]) -> None:
    flow, passage = entered(sorted(went))
    known = [pts for pts in sorted(came) if passage.leave(pts)]
    for _ in known:
        flow.left(processed=True)
    passage.ended()

    assert known == sorted(went & came)
    assert flow.drops.get("lost", 0) == len(went - came)
    assert flow.processed == len(known)
    assert flow.on_the_way == 0


def test_a_frame_that_is_given_up_and_comes_after_all_is_not_counted_twice() -> None:
    flow, passage = entered([1, 2])
    passage.look(GONE_NS)
    assert flow.drops == {}
    passage.look(GONE_NS + 1)
    assert flow.drops == {"lost": 1}

    assert not passage.leave(1)
    assert passage.leave(2)
    assert not passage.leave(3)
    assert flow.drops == {"lost": 1, "unknown": 1}


def wait_in(passage: Passage, let_in: list[bool]) -> None:
    let_in.append(passage.wait())


def test_who_waits_for_room_is_let_in_when_a_frame_comes_out_or_is_given_up_or_all_ends() -> None:
    ways: list[Callable[[Passage], object]] = [
        lambda passage: passage.leave(1),
        lambda passage: passage.look(GONE_NS + 1),
        lambda passage: passage.close(),
    ]
    for make_room in ways:
        _, passage = entered([1, 2], limit=2)
        let_in: list[bool] = []
        waiting = threading.Thread(target=wait_in, args=(passage, let_in))
        waiting.start()
        waiting.join(0.1)
        assert waiting.is_alive()
        make_room(passage)
        waiting.join(60)
        assert len(let_in) == 1
    assert let_in == [False], "nothing is let in after the end"


def test_without_a_limit_nobody_waits() -> None:
    _, passage = entered(list(range(100)))
    assert passage.wait()
