"""The ring gives the depth of the frame that was asked for, or nothing: never another frame's."""

from typing import List, Optional, Set, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.core.ring import FrameRing, RingCounters, next_pts


def test_what_was_put_under_a_pts_is_found_under_it() -> None:
    ring: FrameRing[str] = FrameRing(3)

    assert ring.put(10, "ten")
    assert ring.put(20, "twenty")

    assert ring.get(10) == "ten"
    assert ring.take(20) == "twenty"


@pytest.mark.parametrize("pts", [9, 11, 0, 10**15])
def test_a_neighbour_is_not_good_enough(pts: int) -> None:
    ring: FrameRing[str] = FrameRing(3)
    ring.put(10, "ten")

    assert ring.get(pts) is None
    assert ring.take(pts) is None


def test_a_frame_is_taken_once_and_what_is_older_leaves_with_it() -> None:
    ring: FrameRing[str] = FrameRing(5)
    for pts in (10, 20, 30):
        ring.put(pts, str(pts))

    assert ring.take(20) == "20"
    assert ring.take(20) is None
    assert ring.get(10) is None
    assert ring.get(30) == "30"
    assert len(ring) == 1


def test_a_full_ring_lets_the_oldest_go_and_counts_it() -> None:
    ring: FrameRing[str] = FrameRing(2)
    for pts in (10, 20, 30):
        ring.put(pts, str(pts))

    assert [ring.get(pts) for pts in (10, 20, 30)] == [None, "20", "30"]
    assert ring.counters == RingCounters(evicted=1)


def test_a_frame_that_is_worked_on_stays_however_many_come() -> None:
    ring: FrameRing[str] = FrameRing(2)
    ring.put(10, "10")
    ring.hold(10)
    for pts in range(20, 200, 10):
        ring.put(pts, str(pts))

    assert ring.take(10) == "10"
    assert [ring.get(pts) for pts in (170, 180, 190)] == [None, None, "190"]


def test_what_a_frame_has_overtaken_is_forgotten_unless_it_is_worked_on_too() -> None:
    ring: FrameRing[str] = FrameRing(5)
    for pts in (10, 20, 30, 40):
        ring.put(pts, str(pts))
    ring.hold(10)
    ring.hold(30)

    assert [ring.get(pts) for pts in (10, 20, 30, 40)] == ["10", None, "30", "40"]
    assert ring.counters == RingCounters()


def test_the_ring_stays_bounded_even_where_all_is_held() -> None:
    ring: FrameRing[str] = FrameRing(2)
    for pts in (10, 20):
        ring.put(pts, str(pts))
        ring.hold(pts)

    assert not ring.put(30, "30")
    assert [ring.get(pts) for pts in (10, 20, 30)] == ["10", "20", None]


def test_a_second_value_for_a_key_is_refused_and_counted() -> None:
    ring: FrameRing[str] = FrameRing(2)
    ring.put(10, "first")

    assert not ring.put(10, "second")
    assert ring.get(10) == "first"
    assert ring.counters == RingCounters(duplicates=1)


def test_what_comes_after_its_frame_has_passed_is_refused_and_counted() -> None:
    ring: FrameRing[str] = FrameRing(2)

    assert ring.take(20) is None
    assert not ring.put(20, "twenty")
    assert not ring.put(10, "ten")
    assert len(ring) == 0
    assert ring.counters == RingCounters(late=2)


def test_a_ring_without_room_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one frame, not 0"):
        FrameRing(0)


#: Depth of frame n (its value) arrives under the PTS of frame n: late, early, twice, out of order, or never.
Event = Tuple[str, int]
events: st.SearchStrategy[List[Event]] = st.lists(
    st.tuples(st.sampled_from(["depth comes", "work begins", "range looks", "frame leaves"]), st.integers(0, 12)),
    max_size=60,
)


def depth_of(frame: int) -> str:
    return f"depth of frame {frame}"


@given(events=events, capacity=st.integers(1, 6))
def test_depth_never_comes_from_another_frame(events: List[Event], capacity: int) -> None:
    ring: FrameRing[str] = FrameRing(capacity)
    there: Set[int] = set()
    for what, frame in events:
        found: Optional[str] = None
        if what == "depth comes":
            ring.put(33 * frame, depth_of(frame))
            there.add(frame)
        elif what == "work begins":
            ring.hold(33 * frame)
        else:
            found = ring.get(33 * frame) if what == "range looks" else ring.take(33 * frame)
        assert found is None or (found == depth_of(frame) and frame in there)
        assert len(ring) <= capacity


@given(frames=st.lists(st.integers(0, 10**6), unique=True, min_size=1, max_size=20))
def test_in_order_and_in_time_every_frame_is_paired(frames: List[int]) -> None:
    ring: FrameRing[str] = FrameRing(len(frames))
    for frame in frames:
        assert ring.put(frame, depth_of(frame))

    assert [ring.take(frame) for frame in sorted(frames)] == [depth_of(frame) for frame in sorted(frames)]
    assert ring.counters == RingCounters()


@given(stamps=st.lists(st.integers(-(10**12), 10**12), min_size=1))
def test_pts_only_rises_whatever_the_clock_does(stamps: List[int]) -> None:
    given_out: List[int] = []
    for stamp in stamps:
        given_out.append(next_pts(given_out[-1] if given_out else None, stamp))

    assert given_out[0] >= 0
    assert all(later > earlier for earlier, later in zip(given_out, given_out[1:]))


def test_pts_is_the_stamp_where_the_clock_rises() -> None:
    assert next_pts(None, 5) == 5
    assert next_pts(5, 33) == 33
    assert next_pts(33, 33) == 34


@pytest.mark.parametrize("gone", [1, 2, 4, 9])
def test_a_frame_that_is_given_up_takes_no_room_from_others(gone: int) -> None:
    ring: FrameRing[str] = FrameRing(3)
    for pts in (1, 2, 4):
        ring.put(pts, str(pts))
        ring.hold(pts)
    ring.give_up(gone)

    assert [ring.get(pts) for pts in (1, 2, 4)] == [None if pts == gone else str(pts) for pts in (1, 2, 4)]
    assert ring.put(5, "5") == (gone != 9)
    if gone != 9:
        assert [pts for pts in (1, 2, 4, 5) if ring.get(pts)] == [pts for pts in (1, 2, 4, 5) if pts != gone]
