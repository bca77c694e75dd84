"""One row a release, in a table that grows: docs/benchmarks/README.md."""

from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

from nasion.bench.frames import CAMERA_FPS, DEPTH_MAP, STEREO_PAIR
from nasion.bench.tables import number, within
from nasion.errors import InputError
from nasion.files import read_limited

_MAX_BYTES = 1 << 20
_ABOUT = """\
# Benchmarks

One row a release, made by `scripts/benchmark --append FILE`. Ratios are of turns side by side in one run:
median, and in brackets the least and the most. Times of different machines do not compare.

"""


def _by_view(part: str, figure: Callable[[Any], str]) -> Callable[[Dict[str, Any]], str]:
    """``figure`` of the part's first view; a dash where it was not measured."""

    def read(report: Dict[str, Any]) -> str:
        by_view = report["parts"].get(part, {}).get("by_view", {})
        return figure(next(iter(by_view.values()))) if by_view else "–"

    return read


def _paced(report: Dict[str, Any], depth: str) -> Optional[Dict[str, Any]]:
    """The first row at a camera's own pace."""
    rows: List[Dict[str, Any]] = report["parts"].get("paced", {}).get("rows", [])
    return next((row for row in rows if (row["rate"], row["depth"]) == (CAMERA_FPS, depth)), None)


def _latency(report: Dict[str, Any]) -> str:
    rows = [row for depth in (STEREO_PAIR, DEPTH_MAP) if (row := _paced(report, depth))]
    told = [f"{row['depth']} {row['latency_ms']['median']:.1f} / {row['beyond_network_ms']:.1f}" for row in rows]
    return ", ".join(told) or "–"


def _let_go(report: Dict[str, Any]) -> str:
    row = _paced(report, STEREO_PAIR)
    return "–" if row is None else f"{sum(row['drops'].values())} of {row['frames']}"


def _two_cameras(report: Dict[str, Any]) -> str:
    """As fast as can be, and at a camera's pace."""
    by_mode = report["parts"].get("cameras", {}).get("by_mode", {})
    twos = [contest["figures"].get("2") for contest in by_mode.values()]
    return " / ".join(within(two["cost"]) for two in twos if two) or "–"


def _yunet(contest: Any) -> str:
    yunet = contest["figures"].get("YuNet")
    return "–" if yunet is None else within(yunet["rate_ratio"])


def _network(report: Dict[str, Any]) -> str:
    view, about = next(iter(report["networks"].items()))
    return f"{about['name']} {about['version']}, {about['precision']}, {view}, {about['threads']} thread(s)"


#: Heads of the columns, and what stands below them.
COLUMNS: Dict[str, Callable[[Dict[str, Any]], str]] = {
    "release": lambda report: str(report["machine"]["versions"]["nasion"]),
    "revision": lambda report: report["machine"]["revision"] or "–",
    "processor": lambda report: f"{report['machine']['processor']}, {report['machine']['usable_cores']} cores",
    "load": lambda report: number(report["machine"]["load"], 1),
    "network": _network,
    "network ms": _by_view("bare", lambda contest: number(contest["figures"]["network"]["ms"])),
    "throughput / bare network": _by_view("bare", lambda contest: within(contest["figures"]["pipeline"]["rate_ratio"])),
    "CPU beyond network / OpenCV loop's": _by_view("peers", lambda contest: within(contest["beyond_network"])),
    "network / YuNet": _by_view("peers", _yunet),
    f"latency at {CAMERA_FPS} fps / beyond network, ms": _latency,
    f"let go at {CAMERA_FPS} fps": _let_go,
    f"2 cameras / 1: every frame / live at {CAMERA_FPS} fps": _two_cameras,
    "start, s": lambda report: within(report["parts"].get("startup", {}).get("seconds")),
    "growth, MiB / 1000 frames": lambda report: number(report["parts"].get("memory", {}).get("growth_mib"), 3),
}


def row(report: Dict[str, Any]) -> str:
    """The release's row in Markdown."""
    return _line([read(report).replace("|", "/") for read in COLUMNS.values()])


def grown(text: str, new: str) -> str:
    """The table ``text`` with ``new`` below its rows, or in the place of the row of the same release.

    ValueError where it is another table.
    """
    if not text.strip():
        text = _ABOUT + _line(list(COLUMNS)) + "\n" + _line(["---"] * len(COLUMNS)) + "\n"
    lines = text.rstrip("\n").split("\n")
    if _line(list(COLUMNS)) not in lines or not lines[-1].startswith("|"):
        raise ValueError(f"it does not end in a table with the columns {', '.join(COLUMNS)}")
    release = new[: new.index(" | ") + 3]
    same = [index for index, line in enumerate(lines) if line.startswith(release)]
    if same:
        lines[same[0]] = new
    else:
        lines.append(new)
    return "\n".join(lines) + "\n"


def read_table(path: Path) -> str:
    """The table so far, empty where there is none yet. InputError where it cannot be read, or cannot grow."""
    if not path.exists():
        return ""
    raw = read_limited(path, _MAX_BYTES, what="table", too_large=f"{_MAX_BYTES} bytes; expected benchmarks.md")
    try:
        text = raw.decode("utf-8")
        grown(text, _line(["–"] * len(COLUMNS)))
    except ValueError as error:
        raise InputError(f"table {path}: {error}; name another --append FILE") from None
    return text


def _line(cells: List[str]) -> str:
    return f"| {' | '.join(cells)} |"
