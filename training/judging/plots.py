"""Curves as SVG that stands in an HTML page: its colour of text, its typeface, no links, the same bytes each time."""

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.judging.wording import span

#: Stands for the page's own colour of text, which Matplotlib cannot name.
_INK = "#010203"
#: Read on white and on near-black alike, and by those who cannot tell red from green (Okabe and Ito 2008).
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "nasion",
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "grid.color": _INK,
    "grid.alpha": 0.15,
    "axes.prop_cycle": cycler(color=_COLOURS),
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "font.size": 11,
}


def threshold_plot(curve: Sequence[dict[str, Any]], threshold: float) -> str:
    """The shares of `threshold_curve` over the threshold, and a line at the one in use."""
    names = {
        "recall": "recall, anywhere",
        "recall_in_place": "recall, in place",
        "specificity": "specificity",
        "right_in_place": "right, in place",
    }
    with mpl.rc_context(_STYLE):
        figure, axes = _axes("threshold", "share")
        for (name, label), style in zip(names.items(), ("-", "--", "-.", ":"), strict=True):
            axes.plot([r["threshold"] for r in curve], _numbers(curve, name), style, label=label)
        axes.axvline(threshold, color=_INK, linewidth=0.8)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.02)
        axes.legend(loc="lower left")
        return _svg(figure, "Recall, specificity and right answers over the threshold")


def precision_recall_plot(curve: Sequence[dict[str, Any]], figures: dict[str, Any]) -> str:
    """Precision over recall, location-free, and the point in use."""
    with mpl.rc_context(_STYLE):
        figure, axes = _axes("recall", "precision")
        axes.plot(_numbers(curve, "recall"), _numbers(curve, "precision"))
        if figures["recall"] is not None and figures["precision"] is not None:
            axes.plot(figures["recall"], figures["precision"], "o", color=_COLOURS[1], label="at the threshold in use")
            axes.legend(loc="lower left")
        axes.set_xlim(0, 1.02)
        axes.set_ylim(0, 1.02)
        return _svg(figure, "Precision over recall")


def error_plot(errors: Sequence[float], positives: int) -> str:
    """Cumulative distribution: share of all ``positives`` whose point was found within each error, eye distances.

    A person who was not found is never within, so the curve ends at the recall. (The form of 300-W, Sagonas 2013.)
    """
    ordered = np.sort(np.array(errors, float))
    heights = np.arange(1, len(ordered) + 1) / max(positives, 1)
    with mpl.rc_context(_STYLE):
        figure, axes = _axes("error, eye distances", "share of people within it")
        axes.step([0.0, *ordered], [0.0, *heights], where="post")
        axes.axvline(0.5, color=_INK, linewidth=0.8)
        axes.text(0.51, 0.03, "in place", rotation=90, fontsize=9)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.02)
        return _svg(figure, "Cumulative distribution of the keypoint error")


def size_plot(rows: Sequence[dict[str, Any]]) -> str:
    """Recall, both ways, of each bin of `by_eye_distance` that has pictures."""
    rows = [row for row in rows if row["pictures"]]
    places = np.arange(len(rows))
    with mpl.rc_context(_STYLE):
        figure, axes = _axes("eye distance, pixels", "recall")
        axes.bar(places - 0.2, _numbers(rows, "recall"), 0.4, label="anywhere")
        axes.bar(places + 0.2, _numbers(rows, "recall_in_place"), 0.4, label="in place", hatch="///", edgecolor="none")
        axes.set_xticks(places, [span(row["eye_distance_px"]) for row in rows])
        axes.grid(False, axis="x")
        axes.set_ylim(0, 1.02)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
        return _svg(figure, "Recall by eye distance")


def _numbers(rows: Sequence[dict[str, Any]], name: str) -> list[float]:
    # Matplotlib leaves a gap at NaN, as it should where there is no value.
    return [float("nan") if row[name] is None else row[name] for row in rows]


def _axes(horizontal: str, vertical: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5.2, 3.6), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(horizontal)
    axes.set_ylabel(vertical)
    return figure, axes


def _svg(figure: Figure, label: str) -> str:
    stream = io.StringIO()
    figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    text = stream.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    # The page gives the width; and a page with several drawings may hold each id only once.
    text = re.sub(r'<svg([^>]*?) width="[^"]*"', r"<svg\1", re.sub(r' height="[^"]*pt"', "", text, count=1), count=1)
    text = re.sub(r'<g id="[^"]*"', "<g", text)
    return text.replace(_INK, "currentColor").replace("<svg", f'<svg role="img" aria-label="{label}"', 1)
