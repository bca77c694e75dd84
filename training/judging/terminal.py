"""The figures as tables in the terminal, 80 columns wide."""

from collections.abc import Iterable, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from training.judging import wording
from training.judging.comparison import FIGURE_HEAD, TEST_HEAD, WAYS, error_rows, figure_rows, pair_rows
from training.judging.summary import THRESHOLD_ORIGINS


def show_evaluation(summary: dict[str, Any], console: Console) -> None:
    """Print what `summarise` made; the names of the mistakes and the curve are left to the report."""
    model, figures, metres = summary["model"], summary["figures"], summary["metres"]
    console.print(f"threshold {_threshold(model)}; {figures['positives']} positives, {figures['negatives']} negatives")
    console.print(wording.searched(summary["looks_px"]))
    headlines = [(what, wording.percent(figures[name])) for name, what in wording.HEADLINES.items()]
    _print(console, "", ("figure", "value"), headlines)
    free, placed = figures["confusion"]["location_free"], figures["confusion"]["in_place"]
    confusion = [
        ("with a person", str(free["tp"]), str(placed["tp"]), str(free["fn"])),
        ("without", str(free["fp"]), "–", str(free["tn"])),
    ]
    _print(console, "confusion", ("", "found", "of these in place", "nobody"), confusion)
    errors = [wording.error_row(what, figures[name]) for name, what in wording.ERRORS.items()]
    _print(console, "keypoint error, of the eye distance and in pixels", wording.ERROR_HEAD, errors)
    _print(console, "by size", wording.SIZE_HEAD, map(wording.size_row, figures["by_eye_distance"]))
    rows = metres["by_eye_distance"]
    head = ("eyes, px", *wording.metre_columns(rows[0]["metres"]))
    cells = [(wording.span(row["eye_distance_px"]), *wording.metre_cells(row["metres"])) for row in rows]
    _print(console, "these sizes in metres", head, cells)
    console.print(wording.reach_words(metres["reach"]), wording.of_streams(summary["looks_px"]))
    sources = [wording.source_row(source, row) for source, row in figures["by_source"].items()]
    _print(console, "by source: right and recall, anywhere and in place", wording.SOURCE_HEAD, sources)
    if summary["yunet"]:
        _show_yunet(summary["yunet"], console)


def _show_yunet(compared: dict[str, Any], console: Console) -> None:
    found, errors = compared["found_in_place"], compared["error"]
    rows = [
        (*wording.error_row(what, errors[name]), str(found[name]))
        for name, what in (("model", "model"), ("yunet", "YuNet"))
    ]
    title = f"beside YuNet: errors on the {compared['both']} of {compared['pictures']} that both found in place"
    _print(console, title, (*wording.ERROR_HEAD, "in place"), rows)


def show_comparison(comparison: dict[str, Any], console: Console) -> None:
    """Print what `training.compare` made, and the names where exactly one is right."""
    for name in ("a", "b"):
        model = comparison[name]["model"]
        console.print(f"{name.upper()}: {model['file']}, threshold {_threshold(model)}")
    _print(console, "figures", FIGURE_HEAD, figure_rows(comparison))
    _print(console, "right and wrong", TEST_HEAD, pair_rows(comparison))
    _print(console, "keypoint error, of the eye distance and in pixels", wording.ERROR_HEAD, error_rows(comparison))
    for way, what in WAYS.items():
        for name in ("a", "b"):
            names = comparison["pairs"][way][f"only_{name}_right"]
            console.print(f"right {what} only with {name.upper()}: {' '.join(names) or 'none'}", soft_wrap=True)


def _threshold(model: dict[str, Any]) -> str:
    return f"{model['threshold']:g}, {THRESHOLD_ORIGINS[model['threshold_from']]}"


def _print(console: Console, title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(title=title or None, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for number, name in enumerate(head):
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)
