"""The figures as pictures. The one module that needs matplotlib, and only where pictures are asked for."""

from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple

import numpy as np

from nasion.bench.bench import Figures
from nasion.errors import DependencyError, InputError
from nasion.installing import how_to_install
from nasion.pipeline.slip import STAGES

#: Colours that stay apart for the colour-blind (Okabe and Ito), in the order of STAGES.
_COLOURS = ("#999999", "#e5e5e5", "#56b4e9", "#0072b2", "#e69f00", "#009e73", "#cc79a7")
_MAIN, _OTHER = "#0072b2", "#e69f00"
_DPI = 120
_WIDTH = 8.0


def check_plots(folder: Path) -> None:
    """Make ``folder``. DependencyError without matplotlib; InputError where the folder cannot be made."""
    _figure(1.0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--plots {folder}: the folder cannot be made: {error.strerror}") from None


def save_plots(parts: Figures, folder: Path) -> List[Path]:
    """A PNG of each part that has one; InputError where it cannot be written."""
    written = []
    for part, draw in _PLOTS.items():
        if part not in parts:
            continue
        path = folder / f"{part}.png"
        try:
            draw(parts[part]).savefig(path, dpi=_DPI)
        except OSError as error:
            raise InputError(f"--plots {path}: {error.strerror}") from None
        written.append(path)
    return written


def _figure(height: float) -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DependencyError(
            f"matplotlib cannot be loaded ({error}); install it with: {how_to_install('bench')}"
        ) from None
    return Figure(figsize=(_WIDTH, height), layout="constrained")


def _panels(count: int, rows: int) -> Tuple[Any, List[Any]]:
    """A figure of ``count`` panels below each other, each with room for ``rows`` bars."""
    figure = _figure(count * (0.9 + 0.34 * rows))
    return figure, list(figure.subplots(count, 1, squeeze=False)[:, 0])


def _tidy(axes: Any, title: str, label: str) -> None:
    axes.set_title(title, loc="left", fontsize=10)
    axes.set_xlabel(label)
    axes.spines[["top", "right"]].set_visible(False)


def _stages(figures: Figures) -> Any:
    rows = figures["rows"]
    figure, (axes,) = _panels(1, len(rows) + 2)
    names = [f"{row['view']}, {row['height']}, {row['scene']}" for row in rows]
    left = [0.0] * len(rows)
    for stage, colour in zip(STAGES, _COLOURS):
        spent = [row["stages_ms"].get(stage, {"median": 0.0})["median"] for row in rows]
        axes.barh(names, spent, left=left, color=colour, label=stage)
        left = [before + more for before, more in zip(left, spent)]
    axes.invert_yaxis()
    axes.legend(ncols=4, fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(0, -0.22))
    _tidy(axes, "Where a frame's time goes, one frame at a time", "ms (medians)")
    return figure


def _bars(axes: Any, contest: Figures) -> None:
    """Time of a frame: the median as a bar, each turn as a dot; and the processor's time beside it."""
    names = list(contest["figures"])
    places = range(len(names))
    axes.barh(
        [place - 0.2 for place in places],
        [contest["figures"][name]["ms"] for name in names],
        0.38,
        color=_MAIN,
        label="time",
    )
    axes.barh(
        [place + 0.2 for place in places],
        [contest["figures"][name]["cpu_ms"] for name in names],
        0.38,
        color=_OTHER,
        label="processor time, all cores",
    )
    for place, name in zip(places, names):
        turns = [1e3 * turn["wall_s"] / turn["frames"] for turn in contest["turns"][name]]
        axes.plot(turns, [place - 0.2] * len(turns), "o", color="black", markeredgecolor="white", markersize=4)
    axes.set_yticks(list(places), names)
    axes.invert_yaxis()
    axes.legend(fontsize=8, frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.2)


def _contests(title: str) -> Callable[[Figures], Any]:
    def draw(figures: Figures) -> Any:
        by_view = figures["by_view"]
        most = max(len(contest["figures"]) for contest in by_view.values())
        figure, panels = _panels(len(by_view), 2 * most)
        for axes, (view, contest) in zip(panels, by_view.items()):
            _bars(axes, contest)
            _tidy(axes, f"{title}, view {view}", "ms a frame (median; dots: turns)")
        return figure

    return draw


def _paced(figures: Figures) -> Any:
    rows = figures["rows"]
    figure, (axes,) = _panels(1, len(rows) + 2)
    names = [f"{row['view']}, {row['rate']} fps\n{row['depth']}, {_let_go(row)}" for row in rows]
    places = list(range(len(rows)))
    ages = [[latency["published"] for latency in row["raw_ms"]] for row in rows]
    low, first, middle, third, high = np.array([np.percentile(age, (5, 25, 50, 75, 95)) for age in ages]).T
    axes.hlines(places, low, high, color="black", linewidth=1)
    axes.barh(places, third - first, 0.5, left=first, color=_MAIN)
    axes.plot(middle, places, "|", color="white", markersize=16, markeredgewidth=2)
    networks = [row["network_ms"]["median"] for row in rows]
    axes.plot(networks, places, "D", color=_OTHER, markersize=5, label="of it in the network, median")
    axes.set_yticks(places, names, fontsize=8)
    axes.set_xlim(left=0)
    axes.invert_yaxis()
    axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(0, -0.22))
    _tidy(axes, "Age of a frame when its message is on its way", "ms (bars: quartiles and median; lines: 5 to 95 %)")
    return figure


def _let_go(row: Figures) -> str:
    return f"{sum(row['drops'].values())} of {row['frames']} let go"


def _cameras(figures: Figures) -> Any:
    figure, (axes,) = _panels(1, 8)
    for (mode, contest), marker in zip(figures["by_mode"].items(), "os"):
        counts = [int(name) for name in contest["figures"]]
        costs = [row["cost"] for row in contest["figures"].values()]
        medians = [cost["median"] for cost in costs]
        around = [[cost["median"] - cost["min"] for cost in costs], [cost["max"] - cost["median"] for cost in costs]]
        label = f"{mode} (median, least, most)"
        axes.errorbar(counts, medians, around, fmt=marker, color=_MAIN, capsize=4, label=label)
    axes.plot([0, max(counts)], [0, max(counts)], "--", color="grey", label="as many times the cost of one")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.set_xticks(counts)
    axes.set_ylabel("processor time / one camera's")
    axes.legend(fontsize=8, frameon=False)
    _tidy(axes, f"Cameras in one process, view {figures['view']}", "cameras")
    return figure


def _sizes(figures: Figures) -> Any:
    figure, (axes,) = _panels(1, 2 * len(figures["figures"]))
    _bars(axes, figures)
    _tidy(axes, f"Sizes of pictures, view {figures['view']}", "ms a frame (median; dots: turns)")
    return figure


def _memory(figures: Figures) -> Any:
    figure, (axes,) = _panels(1, 6)
    axes.plot(figures["raw"]["frames"], figures["raw"]["mib"], color=_MAIN)
    axes.set_ylim(0, 1.2 * max(figures["raw"]["mib"]))
    axes.set_ylabel("resident MiB")
    _tidy(axes, f"Memory of nasion run, view {figures['view']}, demo at 1080 lines", "frames")
    return figure


_PLOTS: Dict[str, Callable[[Figures], Any]] = {
    "stages": _stages,
    "bare": _contests("The pipeline against the bare network"),
    "models": _contests("Networks"),
    "paced": _paced,
    "cameras": _cameras,
    "sizes": _sizes,
    "memory": _memory,
    "peers": _contests("The same frames"),
}
