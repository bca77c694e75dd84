"""Which groups become ``val`` or ``hold_out``: by a hash of each group's name, so the same everywhere, in any order."""

import hashlib
import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from training.errors import WorkshopError


@dataclass(frozen=True)
class Stratum:
    """What must be on both sides of a split in equal shares: pictures of one source, with people or without."""

    source: str
    positive: bool


def unit_interval(seed: int, text: str) -> float:
    """A number in [0, 1) drawn from ``seed`` and ``text`` alone, the same on every platform and Python."""
    digest = hashlib.sha256(f"{seed}:{text}".encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def draw_groups(strata: Mapping[str, Stratum], share: float = 0.1, seed: int = 0, what: str = "") -> frozenset[str]:
    """``share`` of the groups, of each stratum, to within one group; ``what`` names the draw. WorkshopError.

    Which group is drawn depends on its name, ``seed`` and ``what``, and on the others only at the border, so few
    pictures change sides when others are added. Of two groups or more with people, and of as many without, at least one
    is drawn and one is not, however small the share.
    """
    if not 0 < share < 1:
        raise WorkshopError(f"the share of val: expected a number between 0 and 1, got {share:g}; take 0.1")
    ordered: dict[Stratum, list[tuple[float, str]]] = defaultdict(list)
    for group, stratum in strata.items():
        ordered[stratum].append((unit_interval(seed, what + group), group))
    drawn: set[str] = set()
    for members in ordered.values():
        members.sort()
        count = sum(number < share for number, _ in members)
        count = min(max(count, math.floor(share * len(members))), math.ceil(share * len(members)))
        drawn |= {group for _, group in members[:count]}
    for positive in (True, False):
        kind = sorted(
            member for stratum, members in ordered.items() if stratum.positive == positive for member in members
        )
        chosen = [group for _, group in kind if group in drawn]
        if len(kind) > 1 and not chosen:
            drawn.add(kind[0][1])
        elif len(kind) > 1 and len(chosen) == len(kind):
            drawn.discard(kind[-1][1])
    return frozenset(drawn)
