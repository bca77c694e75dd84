"""The host's clocks, as the shells use them."""

import time

import pytest
from nasion.sources.clock import SystemClock, stamp_now
from nasion.sources.frame import Stamp


def test_it_tells_the_hosts_time_on_both_clocks() -> None:
    clock = SystemClock()
    assert clock.utc_ns() == pytest.approx(time.time() * 1e9, abs=60e9)
    first = clock.monotonic_ns()
    assert time.monotonic_ns() >= first
    assert clock.monotonic_ns() >= first


def test_it_sleeps_for_the_time_given_and_not_at_all_for_none() -> None:
    clock = SystemClock()
    before = time.monotonic()
    clock.sleep(-5)
    clock.sleep(0)
    clock.sleep(0.02)
    assert time.monotonic() - before >= 0.02


def test_a_stamp_is_one_instant_on_both(clock: SystemClock) -> None:
    assert stamp_now(clock) == Stamp(utc_ns=1_700_000_005_000_000_000, monotonic_ns=5_000_000_000)
