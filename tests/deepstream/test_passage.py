"""Frames inside DeepStream: none is forgotten, none is taken for another, nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
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


@given(st.sets(st.integers(0, 20)), st.lists(st.integers(0, 24) | st.just(2**64 - 1)))
def test_in_any_order_each_frame_and_each_arrival_is_counted_once(went: set[int], came: list[int]) -> None:
    flow, passage = entered(sorted(went))
    known: list[int] = []
    for pts in came:
        if passage.leave(pts):
            flow.left(processed=True)
            known.append(pts)
    passage.ended()

    assert known == sorted(set(known)), "an older frame never comes through behind a newer one"
    assert set(known) <= went
    assert flow.processed + flow.drops.get("lost", 0) == len(went)
    # The first that comes of a lost frame is counted already; all others that are nobody's are counted here.
    late = (went & set(came)) - set(known)
    assert len(known) + len(late) + flow.drops.get("unknown", 0) == len(came)
    assert flow.on_the_way == 0


@given(st.lists(st.integers(0, 8)), st.lists(st.integers(0, 8)))
def test_what_was_counted_at_one_stretch_is_not_counted_again_at_the_next(came: list[int], behind: list[int]) -> None:
    flow, first = entered(list(range(6)))
    second = Passage(flow)
    for pts in came:
        if first.leave(pts):
            second.enter(pts, 0)
        else:
            second.pass_by(pts)
    first.ended()
    before = flow.drops.get("unknown", 0)
    through = [pts for pts in [*came, *behind] if second.leave(pts)]
    second.ended()

    assert len(set(through)) == len(through)
    assert flow.drops.get("unknown", 0) == before + len(behind)
    assert flow.drops.get("lost", 0) + len(through) == 6


@pytest.mark.parametrize("stranger", [2**64 - 1, 10**15, 3])
def test_a_pts_that_nobody_knows_gives_nobody_up(stranger: int) -> None:
    flow, passage = entered([1, 2, 4])
    assert not passage.leave(stranger)
    assert [pts for pts in (1, 2, 4) if passage.leave(pts)] == [1, 2, 4]
    assert flow.drops == {"unknown": 1}


def test_a_lost_frame_gives_up_its_place_before_another_may_come() -> None:
    """Else the next frames would find the ring full of what is lost, and lose their own depth."""
    flow = Flow()
    heard: list[tuple[int, int]] = []
    passage = Passage(flow, on_lost=lambda pts: heard.append((pts, flow.on_the_way)))
    for pts in range(4):
        flow.entered(pts)
        assert flow.arrived(pts)
        passage.enter(pts, pts)

    assert passage.leave(2)
    assert heard == [(0, 4), (1, 3)]
    passage.ended()
    assert heard[2:] == [(3, 2)]
    assert flow.on_the_way == 1


def test_what_is_remembered_has_an_end() -> None:
    flow, passage = entered([])
    for pts in range(1000):
        passage.pass_by(pts)
    assert not passage.leave(999)
    assert flow.drops == {}
    assert not passage.leave(0)
    assert flow.drops == {"unknown": 1}


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
