"""The live screens: a table of all cameras, and where persons stand, seen from above. They fit the terminal they get.

Columns have widths of their own, so that nothing moves when a value grows; a terminal of less than ``_WIDE`` columns
gets lines in place of the table. `Steady` keeps the height.
"""

from typing import Iterable, List, Optional, Sequence

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from nasion.messages import PersonEntry
from nasion.mqtt.board import CameraRow
from nasion.show.table import DEGREES, NOTHING, condition, healthy, heard_now, refusals
from nasion.show.words import in_words

#: Room for a camera's name in the table.
_SHORTEST_NAME, _LONGEST_NAME = 6, 12
#: Heading, width, and whether it is a number.
_COLUMNS = (
    ("status", 7, False),
    ("prob.", 5, False),
    ("range", 7, False),
    ("x y z, m", 19, False),
    ("bearing, °", 11, False),
    ("age", 7, True),
    ("rate", 7, True),
)

#: What the table needs, one blank between two columns.
_WIDE = _SHORTEST_NAME + sum(1 + width for _, width, _ in _COLUMNS)

#: The view from above: metres shown, and characters they are shown in at most.
_DEPTH_M, _HALF_WIDTH_M = 6, 3.0
_ROWS_PER_M, _VIEW_COLUMNS, _LEAST_COLUMNS = 2, 49, 13
#: Frame, scale and foot of the view.
_VIEW_EXTRA_ROWS, _VIEW_EXTRA_COLUMNS = 4, 8
_STYLES = {"●": "bold green", "▲": "bold"}


def cameras_table(rows: Sequence[CameraRow]) -> RenderableType:
    """All cameras, one row for each person, a position or the reason why there is none; below, what is wrong."""
    return _Cameras(rows)


def top_view(row: CameraRow) -> RenderableType:
    """Where the persons stand, seen from above, the camera at the foot. Positions are of the camera's optical frame."""
    return _TopView(row, None)


def demo_screen(rows: Sequence[CameraRow], address: str, made: int, arrived: int) -> RenderableType:
    """The demo's screen: what arrived over the broker at ``address``, of how many messages that were made."""
    return _Demo(rows, Text(f"{arrived} of {made} messages arrived over {address}; Ctrl-C ends", style="dim"))


class Steady:
    """What is shown keeps the height that it once had, and never more than the terminal's: else the screen jumps."""

    def __init__(self) -> None:
        self.shown: RenderableType = ""
        self._height = 0
        self._width = 0

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        lines = console.render_lines(self.shown, options, pad=False)
        if options.max_width != self._width:
            self._height, self._width = 0, options.max_width
        # One line less: the cursor stands below.
        self._height = min(max(self._height, len(lines)), max(1, console.size.height - 1))
        for number in range(self._height):
            yield from lines[number] if number < len(lines) else [Segment(" ")]
            if number < self._height - 1:
                yield Segment.line()


class _Cameras:
    def __init__(self, rows: Sequence[CameraRow]) -> None:
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield (
            self._table(options.max_width)
            if options.max_width >= _WIDE
            else Group(*(_narrow(row) for row in self._rows))
        )
        for row in self._rows:
            if not healthy(row):
                yield Text(f"{row.camera}: {condition(row)}", style="bold red", overflow="fold")
            if row.refusal is not None:
                yield Text(f"{row.camera}: refused {refusals(row)}", style="red", overflow="fold")

    def _table(self, max_width: int) -> Table:
        table = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
        longest = max((len(row.camera) for row in self._rows), default=0)
        room = min(_LONGEST_NAME, _SHORTEST_NAME + max_width - _WIDE)
        table.add_column("camera", width=min(max(_SHORTEST_NAME, longest), room), overflow="fold")
        for heading, width, number in _COLUMNS:
            table.add_column(heading, width=width, no_wrap=True, justify="right" if number else "left")
        for row in self._rows:
            for index, person in enumerate(_persons(row) or [None]):
                first = index == 0
                table.add_row(
                    # A name is no markup, whatever it looks like.
                    Text(row.camera if first else ""),
                    Text(_process(row), style="" if healthy(row) else "bold red") if first else "",
                    *(_person_cells(person) if person else (NOTHING, NOTHING, _nobody(row), NOTHING)),
                    *(_stream_cells(row) if first else ("", "")),
                )
        return table


class _TopView:
    def __init__(self, row: CameraRow, max_rows: Optional[int]) -> None:
        """``max_rows``: of the terminal; None for as many as it takes. Too few, and there is no view."""
        self._row = row
        self._max_rows = max_rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        columns = min(_VIEW_COLUMNS, options.max_width - _VIEW_EXTRA_COLUMNS)
        # Odd, so that the camera stands in the middle.
        columns -= 1 - columns % 2
        rows_per_m = _rows_per_m(self._max_rows)
        if columns >= _LEAST_COLUMNS and rows_per_m:
            yield self._panel(columns, rows_per_m)

    def _panel(self, columns: int, rows_per_m: int) -> Panel:
        marks = {(0, columns // 2): "▲"}
        for person in _persons(self._row):
            if person.position_m is not None:
                x_m, _, z_m = person.position_m
                marks[round(z_m * rows_per_m), round((x_m / _HALF_WIDTH_M + 1) / 2 * (columns - 1))] = "●"
        text = Text()
        for height in range(_DEPTH_M * rows_per_m, -1, -1):
            metres, rest = divmod(height, rows_per_m)
            text.append(f"{metres} m " if rest == 0 else "    ", style="dim")
            for column in range(columns):
                dot = "·" if rest == 0 and column % 8 == 0 else " "
                cell = marks.get((height, column), dot)
                text.append(cell, style=_STYLES.get(cell, "dim"))
            text.append("\n")
        text.append(f"    {_foot(self._row)}"[: columns + 4].ljust(columns + 4))
        return Panel(text, title="from above", box=box.ROUNDED, expand=False)


class _Demo:
    """The table goes before the views: those that do not fit below it are left out."""

    def __init__(self, rows: Sequence[CameraRow], heading: Text) -> None:
        self._rows = rows
        self._heading = heading

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        above = Group(self._heading, cameras_table(self._rows))
        yield above
        left = console.size.height - len(console.render_lines(above, options)) - 2
        for row in self._rows:
            rows_per_m = _rows_per_m(left)
            yield _TopView(row, left)
            left -= _DEPTH_M * rows_per_m + 1 + _VIEW_EXTRA_ROWS - 1


def _rows_per_m(max_rows: Optional[int]) -> int:
    """How large the view can be; 0 where there is no room for it."""
    if max_rows is None:
        return _ROWS_PER_M
    fitting: Iterable[int] = (
        rows for rows in range(_ROWS_PER_M, 0, -1) if _DEPTH_M * rows + _VIEW_EXTRA_ROWS <= max_rows
    )
    return next(iter(fitting), 0)


def _persons(row: CameraRow) -> List[PersonEntry]:
    """Those who are there now: what was said before a silence may not be shown."""
    return list(row.latest.persons) if row.latest is not None and heard_now(row) else []


def _nobody(row: CameraRow) -> str:
    if row.latest is None:
        return "nothing heard yet"
    if not heard_now(row):
        return "nothing any more"
    return in_words(row.latest.reason.value) if row.latest.reason else NOTHING


def _narrow(row: CameraRow) -> Text:
    """A camera in lines of their own."""
    age, rate = _stream_cells(row)
    lines = [f"{row.camera}: {_process(row)}, {age}, {rate}"]
    lines += [f"  {_whereabouts(person)}" for person in _persons(row)] or [f"  {_nobody(row)}"]
    return Text("\n".join(lines), overflow="fold")


def _whereabouts(person: PersonEntry) -> str:
    if person.position_m is None or person.range_m is None:
        return f"{person.probability:.2f}  {_reason(person)}"
    return f"{person.probability:.2f}  {person.range_m:.2f} m at {_metres(person.position_m)}"


def _foot(row: CameraRow) -> str:
    """What stands under the view from above."""
    persons = _persons(row)
    if not persons:
        return _nobody(row)
    return ", ".join(
        f"person {person.track_id}: " + (f"{person.range_m:.2f} m" if person.range_m is not None else _reason(person))
        for person in persons
    )


def _reason(person: PersonEntry) -> str:
    return in_words(person.reason.value) if person.reason else NOTHING


def _metres(position: Sequence[float]) -> str:
    return " ".join(f"{metres:+.2f}" for metres in position)


def _person_cells(person: PersonEntry) -> List[str]:
    azimuth, elevation = (angle * DEGREES for angle in person.bearing_rad)
    return [
        f"{person.probability:.2f}",
        f"{person.range_m:.2f} m" if person.range_m is not None else NOTHING,
        _metres(person.position_m) if person.position_m else _reason(person),
        f"{azimuth:+.1f} {elevation:+.1f}",
    ]


def _process(row: CameraRow) -> str:
    return NOTHING if row.status is None else row.status.process


def _stream_cells(row: CameraRow) -> List[str]:
    age = f"{row.age_ms:.0f} ms" if row.age_ms is not None and heard_now(row) else NOTHING
    return [age, f"{row.rate_hz:.1f}/s"]
