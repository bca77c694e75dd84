"""Every message that was offered was heard, or is counted as dropped: the arithmetic of a soak. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    """``missing``: sequence numbers that never arrived; ``dropped``: counted, and never sent or refused by the broker.

    ``lost``: in flight when a connection was lost, so it may have arrived or not. ``with_the_broker``: taken by a
    broker that was killed before it handed them on; at most one for each of its ``kills``, since one is in flight.
    ``unexplained``: the rest, which must be 0.
    """

    offered: int
    heard: int
    missing: int
    dropped: int
    lost: int
    kills: int
    with_the_broker: int
    unexplained: int
    balanced: bool


def settle(heard: Iterable[int], counters: Mapping[str, int], kills: int) -> Account:
    """``heard``: sequence numbers as they came; ``counters``: the publisher's at its end; ``kills``: of the broker."""
    arrived = set(heard)
    offered = counters["offered"]
    missing = len(set(range(offered)) - arrived)
    dropped = sum(counters[name] for name in ("replaced", "stale", "unsent", "refused"))
    lost = counters["lost"]
    left = max(0, missing - dropped - lost)
    with_the_broker = min(left, kills)
    # Fewer missing than were dropped: something arrived that was counted as dropped.
    too_many = max(0, dropped - missing) + len(arrived - set(range(offered)))
    return Account(
        offered=offered,
        heard=len(arrived),
        missing=missing,
        dropped=dropped,
        lost=lost,
        kills=kills,
        with_the_broker=with_the_broker,
        unexplained=left - with_the_broker + too_many,
        balanced=balances(counters),
    )


def balances(counters: Mapping[str, int]) -> bool:
    """Whether the publisher's own books agree, once it has stopped."""
    offered = sum(counters[name] for name in ("sent", "replaced", "stale", "unsent"))
    sent = sum(counters[name] for name in ("acknowledged", "refused", "lost"))
    return counters["offered"] == offered and counters["sent"] == sent
