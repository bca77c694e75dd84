"""soak.json to a picture, for eyes that see what a number hides."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def draw_soak(report: dict[str, Any], path: Path) -> str | None:
    """Write the picture; where matplotlib is missing, what to do, and no picture."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        return f"{path.name} is left out: matplotlib is missing; get it with: scripts/setup train"
    if not report["samples"]:
        return f"{path.name} is left out: nothing was measured"
    figure = Figure(figsize=(12, 9), layout="constrained")
    FigureCanvasAgg(figure)
    age, memory, held = figure.subplots(3, 1, sharex=True, height_ratios=(2, 1, 1))
    age.plot(*_columns(report["ages"]), ".", markersize=1.5, color="tab:blue")
    age.axhline(report["max_age_ms"], color="tab:red", linewidth=0.8, label="max_age")
    age.set_yscale("log")
    age.set_ylabel("age on arrival, ms")
    seconds, megabytes, descriptors, threads = _columns(report["samples"])
    memory.plot(seconds, megabytes, color="tab:green")
    memory.set_ylabel("memory, MB")
    memory.set_ylim(min(megabytes) - 10, max(megabytes) + 10)
    held.plot(seconds, descriptors, label="descriptors", color="tab:purple")
    held.plot(seconds, threads, label="threads", color="tab:olive")
    held.set_ylabel("held")
    held.set_ylim(0, 1.3 * max((*descriptors, *threads)))
    held.set_xlabel("seconds")
    shades: dict[str, str] = {}
    for fault in report["faults"]:
        colour = shades.setdefault(fault["kind"], f"C{len(shades)}")
        for axes in (age, memory, held):
            label = fault["kind"] if axes is age else None
            axes.axvspan(fault["begin_s"], fault["end_s"], color=colour, alpha=0.25, linewidth=0, label=label)
    _legend(age, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(shades) + 1, frameon=False)
    _legend(held, loc="upper right", ncols=2)
    age.set_xlim(0, report["seconds"])
    problems = report["problems"]
    account = report["account"] or {}
    figure.suptitle(
        f"{report['seconds'] / 60:.1f} min, {len(report['faults'])} faults, seed {report['seed']}; "
        f"{account.get('offered', 0)} messages, {account.get('unexplained', '?')} unexplained; "
        + (f"{len(problems)} problems: {problems[0]}" if problems else "no problem"),
        fontsize=9,
    )
    figure.savefig(path, dpi=110)
    return None


def _columns(rows: list[Any]) -> tuple[Any, ...]:
    return tuple(zip(*rows))


def _legend(axes: Any, **where: Any) -> None:
    """One entry of each name."""
    lines, names = axes.get_legend_handles_labels()
    axes.legend(*zip(*{name: (line, name) for line, name in zip(lines, names)}.values()), fontsize=8, **where)
