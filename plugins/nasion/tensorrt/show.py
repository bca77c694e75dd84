"""Tables of an engine's figures, for people."""

from typing import Any, Dict, List, Optional, Sequence

from rich.table import Table

from nasion.tensorrt.report import Timings

_COLUMNS = ("min", "mean", "median", "p90", "p95", "p99", "max")
#: Layers are shown down to the one that takes the last part of this share of the time.
_LAYERS_SHARE = 0.95


def timing_table(timings: Timings) -> Table:
    """A query's parts and their times in milliseconds."""
    table = Table("ms", *_COLUMNS)
    for name, row in timings.times_ms.items():
        table.add_row(name.replace("_", " "), *(_number(row.get(column)) for column in _COLUMNS))
    return table


def layer_table(timings: Timings) -> Table:
    """The layers that take nearly all of the time, the longest first."""
    table = Table()
    table.add_column("layer", overflow="fold")
    for column in ("average ms", "share"):
        table.add_column(column, justify="right")
    shown = 0.0
    for layer in sorted(timings.layers, key=lambda one: -one.share):
        if shown >= _LAYERS_SHARE:
            break
        shown += layer.share
        table.add_row(layer.name, f"{layer.average_ms:.4f}", f"{100 * layer.share:.1f} %")
    return table


def comparison_table(figures: Dict[str, Any]) -> Table:
    """The heat maps' differences from ONNX Runtime's."""
    table = Table("against ONNX Runtime", "value")
    rows: List[Sequence[str]] = [
        ("pictures", str(figures["pictures"])),
        ("largest difference of a cell", _number(figures["max_abs"])),
        ("pictures with a peak in both", str(figures["peaks"])),
        ("peak shift, median, px", _number(figures["shift_px_median"])),
        ("peak shift, most, px", _number(figures["shift_px_max"])),
        ("pictures where only one sees somebody", str(figures["disagreements"])),
    ]
    for row in rows:
        table.add_row(*row)
    return table


def _number(value: Optional[float]) -> str:
    return "–" if value is None else f"{value:.4g}"
