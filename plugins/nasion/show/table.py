"""How a stream of messages is shown in a terminal: a live table, a view from above, or plain lines."""

import math
from typing import List, Optional, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from nasion.messages import PersonEntry, PersonMessage
from nasion.mqtt.board import CameraRow

#: A stream that has been silent for so long is shown as faulty: a publisher speaks at least once a second.
SILENT_S = 1.5

NOTHING = "–"

_DEGREES = 180 / math.pi

#: The view from above: metres shown, and characters they are shown in.
_DEPTH_M, _HALF_WIDTH_M = 6, 3.0
_ROWS_PER_M, _COLUMNS = 2, 49
_STYLES = {"●": "bold green", "▲": "bold"}


def message_line(message: PersonMessage) -> str:
    """A message in one line."""
    latency = f"  ({message.latency_ms['total']:.0f} ms)" if "total" in message.latency_ms else ""
    return f"{message.camera} #{message.seq}: {_who(message)}{latency}"


def row_line(row: CameraRow) -> str:
    """One camera in one line: what it said last, and how well it is heard."""
    facts = [f"{row.camera}: nothing heard yet" if row.latest is None else message_line(row.latest)]
    if row.age_ms is not None:
        facts.append(f"age {row.age_ms:.0f} ms")
    facts += [f"{row.rate_hz:.1f}/s", _condition(row)]
    if row.missed:
        facts.append(f"missed {row.missed}")
    if row.refusal is not None:
        facts.append(f"refused {_refusals(row)}")
    return "  ".join(facts)


def cameras_table(rows: Sequence[CameraRow]) -> RenderableType:
    """All cameras, one row for each person, a position or the reason why there is none; below, what was refused."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, show_edge=False)
    # 80 columns hold a healthy row; on less, words are broken and never cut off.
    for heading in ("camera", "status", "prob.", "range", "x y z, m", "bearing, °"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("prob.", "range", "x y z, m"))
    for heading in ("age", "rate", "refused"):
        table.add_column(heading, overflow="fold", justify="right")
    for row in rows:
        persons: List[Optional[PersonEntry]] = list(row.latest.persons) if row.latest else []
        reason = row.latest.reason.value if row.latest and row.latest.reason else NOTHING
        for index, person in enumerate(persons or [None]):
            table.add_row(
                row.camera if index == 0 else "",
                Text(_condition(row), style="" if _healthy(row) else "bold red") if index == 0 else "",
                *(_person_cells(person) if person else (NOTHING, NOTHING, reason, NOTHING)),
                *(_stream_cells(row) if index == 0 else ("", "", "")),
            )
    refusals = (Text(f"{row.camera}: refused {_refusals(row)}", style="red") for row in rows if row.refusal)
    return Group(table, *refusals)


def top_view(row: CameraRow) -> RenderableType:
    """Where the persons stand, seen from above, the camera at the foot. Positions are of the camera's optical frame."""
    marks = {(0, _COLUMNS // 2): "▲"}
    for person in row.latest.persons if row.latest else ():
        if person.position_m is not None:
            x_m, _, z_m = person.position_m
            marks[round(z_m * _ROWS_PER_M), round((x_m / _HALF_WIDTH_M + 1) / 2 * (_COLUMNS - 1))] = "●"
    text = Text()
    for height in range(_DEPTH_M * _ROWS_PER_M, -1, -1):
        metres, rest = divmod(height, _ROWS_PER_M)
        text.append(f"{metres} m " if rest == 0 else "    ", style="dim")
        for column in range(_COLUMNS):
            dot = "·" if rest == 0 and column % 8 == 0 else " "
            cell = marks.get((height, column), dot)
            text.append(cell, style=_STYLES.get(cell, "dim"))
        text.append("\n")
    text.append("    " + _foot(row))
    return Panel(text, title="from above", box=box.ROUNDED, expand=False)


def demo_screen(rows: Sequence[CameraRow], address: str, made: int, arrived: int) -> RenderableType:
    """The demo's screen: what arrived over the broker at ``address``, of how many messages that were made."""
    heading = Text(f"{arrived} of {made} messages arrived over {address}; Ctrl-C ends", style="dim")
    return Group(heading, cameras_table(rows), *(top_view(row) for row in rows))


def _who(message: PersonMessage) -> str:
    if message.reason is not None:
        return f"nobody: {message.reason.value}"
    return "; ".join(_person_line(person) for person in message.persons)


def _person_line(person: PersonEntry) -> str:
    azimuth, elevation = (angle * _DEGREES for angle in person.bearing_rad)
    where = f"azimuth {azimuth:+.1f}°, elevation {elevation:+.1f}°, p {person.probability:.2f}"
    if person.range_m is None or person.position_m is None:
        return f"person {person.track_id}: {_reason(person)}, {where}"
    x_m, y_m, z_m = person.position_m
    return f"person {person.track_id}: {person.range_m:.2f} m at [{x_m:+.2f} {y_m:+.2f} {z_m:+.2f}], {where}"


def _foot(row: CameraRow) -> str:
    """What stands under the view from above."""
    if row.latest is None:
        return "nothing heard yet"
    if row.latest.reason is not None:
        return f"nobody: {row.latest.reason.value}"
    return ", ".join(
        f"person {person.track_id}: " + (f"{person.range_m:.2f} m" if person.range_m is not None else _reason(person))
        for person in row.latest.persons
    )


def _reason(person: PersonEntry) -> str:
    return person.reason.value if person.reason else NOTHING


def _person_cells(person: PersonEntry) -> List[str]:
    azimuth, elevation = (angle * _DEGREES for angle in person.bearing_rad)
    return [
        f"{person.probability:.2f}",
        f"{person.range_m:.2f} m" if person.range_m is not None else NOTHING,
        " ".join(f"{metres:+.2f}" for metres in person.position_m) if person.position_m else _reason(person),
        f"{azimuth:+.1f} {elevation:+.1f}",
    ]


def _stream_cells(row: CameraRow) -> List[str]:
    age = f"{row.age_ms:.0f} ms" if row.age_ms is not None else NOTHING
    return [age, f"{row.rate_hz:.1f}/s", str(sum(row.refused.values()))]


def _healthy(row: CameraRow) -> bool:
    status = row.status
    said_well = status is not None and (status.process, status.source, status.duplicate) == ("online", "ok", False)
    return said_well and row.silent_s is not None and row.silent_s < SILENT_S


def _condition(row: CameraRow) -> str:
    """How publisher and source fare, and that nothing comes where nothing does."""
    facts = []
    if row.status is None:
        facts.append("no status")
    else:
        facts.append(row.status.process)
        if row.status.process == "online" and row.status.source != "ok":
            facts.append(f"source {row.status.source}")
        if row.status.duplicate:
            facts.append("duplicate")
    if row.silent_s is not None and row.silent_s >= SILENT_S:
        facts.append(f"silent {row.silent_s:.0f} s")
    return ", ".join(facts)


def _refusals(row: CameraRow) -> str:
    if row.refusal is None:
        return NOTHING
    counts = ", ".join(f"{count} {cause}" for cause, count in sorted(row.refused.items()))
    return f"{counts} (last: {row.refusal.detail})"
