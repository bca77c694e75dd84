"""The bookkeeping of frames: whatever happens, the sums are right."""

import threading
from typing import List

from hypothesis import given
from hypothesis import strategies as st
from nasion.pipeline.flow import Flow


@given(kept=st.lists(st.booleans(), min_size=1, max_size=50))
def test_frames_that_a_queue_dropped_are_counted_when_the_next_comes_through(kept: List[bool]) -> None:
    flow = Flow()
    for pts in range(len(kept)):
        flow.frame_read()
        flow.entered(pts)
    for pts, passes in enumerate(kept):
        if passes:
            assert flow.arrived(pts)
            flow.left(processed=True)
    flow.broken_off()

    last = max((pts for pts, passes in enumerate(kept) if passes), default=-1)
    assert flow.processed == sum(kept)
    assert flow.drops.get("queue", 0) == kept[: last + 1].count(False)
    assert flow.drops.get("unfinished", 0) == len(kept) - 1 - last
    assert flow.frames == flow.processed + sum(flow.drops.values())
    assert flow.on_the_way == 0


@given(st.lists(st.integers(-1, 12) | st.just(2**64 - 1)))
def test_a_pts_that_never_entered_is_counted_and_drops_nobody(came: List[int]) -> None:
    flow = Flow()
    for pts in range(0, 10, 2):
        flow.frame_read()
        flow.entered(pts)
    known = [pts for pts in came if flow.arrived(pts)]
    for _ in known:
        flow.left(processed=True)

    assert known == sorted(set(known))
    assert flow.drops.get("unknown", 0) == len(came) - len(known)
    assert flow.drops.get("queue", 0) == len([pts for pts in range(0, max(known, default=0), 2) if pts not in known])
    flow.broken_off()
    assert flow.frames == flow.processed + flow.drops.get("queue", 0) + flow.drops.get("unfinished", 0)


def test_a_waiting_feeder_goes_on_as_soon_as_there_is_room() -> None:
    flow = Flow()
    flow.entered(1)
    flow.entered(2)
    went_on = threading.Event()

    def feed() -> None:
        if flow.wait_below(2, lambda: True):
            went_on.set()

    feeder = threading.Thread(target=feed)
    feeder.start()

    assert not went_on.wait(0.1)
    flow.arrived(1)
    flow.left(processed=True)

    assert went_on.wait(60)
    feeder.join()


def test_a_waiting_feeder_gives_up_when_it_is_not_wanted_any_more() -> None:
    flow = Flow()
    flow.entered(1)

    assert not flow.wait_below(1, lambda: False)
