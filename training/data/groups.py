"""Which groups become ``val``: by a hash of each group's name, so the same everywhere and in any order."""

import hashlib
from collections.abc import Iterable

from training.errors import WorkshopError


def unit_interval(seed: int, text: str) -> float:
    """A number in [0, 1) drawn from ``seed`` and ``text`` alone, the same on every platform and Python."""
    digest = hashlib.sha256(f"{seed}:{text}".encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def split_by_group(groups: Iterable[str], share: float = 0.1, seed: int = 0) -> frozenset[str]:
    """The groups that are ``val``: about ``share`` of them; the others are for training. WorkshopError.

    A group's place depends on its name and the seed only, so no picture changes sides when others are added. The one
    exception: of two groups or more, at least one is on either side.
    """
    if not 0 < share < 1:
        raise WorkshopError(f"the share of val: expected a number between 0 and 1, got {share:g}; take 0.1")
    drawn = sorted((unit_interval(seed, group), group) for group in set(groups))
    count = sum(number < share for number, _ in drawn)
    if len(drawn) > 1:
        count = min(max(count, 1), len(drawn) - 1)
    return frozenset(group for _, group in drawn[:count])
