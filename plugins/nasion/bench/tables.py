"""The figures as tables for people."""

from typing import Any, Callable, Dict, Iterator, Optional

from rich.table import Table

from nasion.bench.bench import Figures
from nasion.bench.parts.contests import NETWORK

#: Stages in the order in which a frame passes them; those of `slip.STAGES` and their sum.
_STAGES = ("receive", "wait", "preprocess", "network", "locate", "range", "publish", "total")


def tables(parts: Figures) -> Iterator[Table]:
    """Those of every part that was measured."""
    for part, figures in parts.items():
        yield from _TABLES[part](figures)


def number(value: Optional[float], digits: int = 2) -> str:
    """With ``digits`` decimals; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def within(values: Optional[Dict[str, float]], digits: int = 2) -> str:
    """Median, and in brackets the least and the most."""
    if values is None:
        return "–"
    return f"{values['median']:.{digits}f} ({values['min']:.{digits}f}–{values['max']:.{digits}f})"


def _stages(figures: Figures) -> Iterator[Table]:
    """A table of each view; a column of each picture size and scene."""
    rows = figures["rows"]
    for view in dict.fromkeys(row["view"] for row in rows):
        columns = [row for row in rows if row["view"] == view]
        table = _table(f"stages, view {view}: ms of one frame at a time, median / 95 % / 99 %")
        table.add_column("stage")
        for row in columns:
            table.add_column(f"{row['height']} lines, {row['scene']}", justify="right")
        for stage in _STAGES:
            table.add_row(stage, *(_percentiles(row["stages_ms"].get(stage)) for row in columns))
        table.add_row("CPU-ms a frame", *(number(row["cpu_ms"]) for row in columns))
        table.add_row("frames with a person", *(f"{row['located']} of {row['frames']}" for row in columns))
        yield table


def _percentiles(spread: Optional[Dict[str, float]]) -> str:
    return "–" if spread is None else " / ".join(number(spread[name]) for name in ("median", "p95", "p99"))


def _contest(title: str, figures: Figures, names: str) -> Table:
    table = _table(title)
    against = figures["reference"] if figures["reference"] == NETWORK else "first"
    columns = (names, "ms", "CPU-ms", "frames/s", f"time / {against}", f"CPU / {against}")
    for column in columns:
        table.add_column(column, justify="left" if column == names else "right")
    for name, row in figures["figures"].items():
        rate = number(1e3 / row["ms"], 1)
        table.add_row(
            name, number(row["ms"]), number(row["cpu_ms"]), rate, within(row["time_ratio"]), within(row["cpu_ratio"])
        )
    return table


def _bare(figures: Figures) -> Iterator[Table]:
    for view, contest in figures["by_view"].items():
        table = _contest(f"pipeline against the bare network, {view}, 1080 lines", contest, "")
        pipeline, network = contest["figures"]["pipeline"], contest["figures"][NETWORK]
        ms, cpu_ms = (pipeline[figure] - network[figure] for figure in ("ms", "cpu_ms"))
        rate = within(pipeline["rate_ratio"])
        table.caption = f"throughput {rate} of the network's; beyond it {number(ms)} ms, {number(cpu_ms)} CPU-ms"
        yield table


def _models(figures: Figures) -> Iterator[Table]:
    for view, contest in figures["by_view"].items():
        yield _contest(f"networks, {view}", contest, "network")


def _peers(figures: Figures) -> Iterator[Table]:
    for view, contest in figures["by_view"].items():
        table = _contest(f"the same frames, {view}, 1080 lines", contest, "")
        over = contest["beyond_network"]
        spent = " and ".join(f"{number(ms)} ms" for ms in over["ms"].values()) if over else "–"
        table.caption = f"CPU beyond their networks, pipeline one at a time / OpenCV loop: {within(over)}; {spent}"
        yield table


def _paced(figures: Figures) -> Iterator[Table]:
    table = _table("paced cameras, 1080 lines, mode live")
    columns = (
        "view",
        "fps",
        "depth",
        "frames",
        "let go",
        "latency ms",
        "p95",
        "p99",
        "beyond network",
        "longest wait",
        "ms/min",
    )
    for column in (*columns, "cores"):
        table.add_column(column, justify="left" if column in {"view", "depth"} else "right")
    for row in figures["rows"]:
        latency = row["latency_ms"]
        table.add_row(
            row["view"],
            str(row["rate"]),
            row["depth"],
            str(row["frames"]),
            str(sum(row["drops"].values())),
            *(number(latency[name], 1) for name in ("median", "p95", "p99")),
            number(row["beyond_network_ms"], 1),
            f"{number(row['longest_wait_frames'])} frames",
            number(row["growth_ms_per_min"], 1),
            number(row["cores"]),
        )
    yield table


def _cameras(figures: Figures) -> Iterator[Table]:
    for mode, contest in figures["by_mode"].items():
        table = _table(f"cameras in one process, {figures['view']}, 1080 lines, {mode}")
        for column in ("cameras", "frames/s, all", "CPU-ms a frame", f"cost / {contest['reference']} camera"):
            table.add_column(column, justify="right")
        for name, row in contest["figures"].items():
            table.add_row(name, number(1e3 / row["ms"], 1), number(row["cpu_ms"]), within(row["cost"]))
        yield table


def _sizes(figures: Figures) -> Iterator[Table]:
    yield _contest(f"sizes of pictures, {figures['view']}, every frame", figures, "size")


def _memory(figures: Figures) -> Iterator[Table]:
    table = _table(f"memory of nasion run, {figures['view']}, demo at 1080 lines")
    for column in ("frames", "resident MiB", "growth, MiB in 1000 frames"):
        table.add_column(column, justify="right")
    table.add_row(str(figures["raw"]["frames"][-1]), within(figures["mib"], 0), number(figures["growth_mib"], 3))
    yield table


def _startup(figures: Figures) -> Iterator[Table]:
    table = _table(f"start of nasion run, {figures['view']}")
    for column in ("starts", "seconds to the first message, of a stereo pair of 1080 lines"):
        table.add_column(column, justify="right")
    table.add_row(str(len(figures["raw_s"])), within(figures["seconds"]))
    yield table


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", caption_justify="left")


_TABLES: Dict[str, Callable[[Any], Iterator[Table]]] = {
    "stages": _stages,
    "bare": _bare,
    "models": _models,
    "paced": _paced,
    "cameras": _cameras,
    "sizes": _sizes,
    "memory": _memory,
    "startup": _startup,
    "peers": _peers,
}
