"""Which versions go together on a Jetson: the one table, from NVIDIA's release notes and public reports."""

import re
from dataclasses import dataclass
from typing import Optional, Sequence, Tuple

#: The first parts of a version; (8, 5) stands for every 8.5.x.
Numbers = Tuple[int, ...]

#: Where JetPack says which L4T it is.
L4T_FILE = "/etc/nv_tegra_release"
_L4T = re.compile(r"#\s*R(\d+)\s*\(release\), REVISION: (\d+)(?:\.(\d+))?")

#: What nasion itself needs, on any machine: those of the oldest Jetson.
OLDEST_PYTHON: Numbers = (3, 8)
OLDEST_GSTREAMER: Numbers = (1, 16)


@dataclass(frozen=True)
class Release:
    """A JetPack and what goes with it.

    ``reported``: L4T versions that are said to work and were not established. ``pyds``: None where it is built from
    source.
    """

    jetpack: str
    modules: str
    l4t: Tuple[Numbers, ...]
    python: Numbers
    gstreamer: Numbers
    cuda: Numbers
    tensorrt: Numbers
    deepstream: Tuple[Numbers, ...]
    pyds: Optional[Numbers]
    reported: Tuple[Numbers, ...] = ()


#: AGX Xavier ends with the first row. DeepStream 8.0 and 9.0 run on no Jetson but Thor.
RELEASES = (
    Release(
        "JetPack 5.1.2",
        "Xavier, Orin",
        ((35, 4), (35, 5)),
        (3, 8),
        (1, 16),
        (11, 4),
        (8, 5),
        ((6, 3),),
        (1, 1, 8),
        reported=((35, 6),),
    ),
    Release("JetPack 6.0 DP", "Orin", ((36, 2),), (3, 10), (1, 20), (12, 2), (8, 6), ((6, 4),), (1, 1, 10)),
    Release("JetPack 6.0", "Orin", ((36, 3),), (3, 10), (1, 20), (12, 2), (8, 6), ((7, 0),), (1, 1, 11)),
    Release("JetPack 6.1/6.2", "Orin", ((36, 4),), (3, 10), (1, 20), (12, 6), (10, 3), ((7, 1),), (1, 2, 0)),
    Release("JetPack 7.0", "Thor", ((38, 2),), (3, 12), (1, 24), (13, 0), (10, 13), ((8, 0),), (1, 2, 2)),
    Release("JetPack 7.1", "Thor", ((38, 4),), (3, 12), (1, 24), (13,), (10, 14), ((9, 0),), None),
    Release("JetPack 7.2", "Orin, Thor", ((39, 2),), (3, 12), (1, 24), (13, 2), (10, 16), ((9, 1), (9, 2)), None),
)


def read_l4t(text: Optional[str]) -> Optional[Numbers]:
    """The version in the content of `L4T_FILE`, e.g. (36, 4, 3), or (36, 4, 0) of "4"; None where it is none."""
    match = _L4T.match(text or "")
    return None if match is None else (int(match[1]), int(match[2]), int(match[3] or 0))


def release_of(l4t: Optional[Numbers]) -> Optional[Release]:
    """The row of an L4T, also where that is only reported to work; None where the table does not know it."""
    if l4t is None:
        return None
    return next((row for row in RELEASES if fits(l4t, (*row.l4t, *row.reported))), None)


def fits(found: Numbers, wanted: Sequence[Numbers]) -> bool:
    """Whether a version is one of those whose first parts are ``wanted``."""
    return any(found[: len(one)] == one for one in wanted)


def written(numbers: Numbers) -> str:
    """``8.5.2``."""
    return ".".join(map(str, numbers))


def any_of(wanted: Sequence[Numbers]) -> str:
    """``9.1 or 9.2``."""
    return " or ".join(map(written, wanted))


def numbers_in(text: str) -> Numbers:
    """The version that ``text`` begins with or holds, e.g. (9, 1) of ``Version: 9.1``; () where there is none."""
    match = re.search(r"\d+(\.\d+)+", text)
    return () if match is None else tuple(map(int, match[0].split(".")))
