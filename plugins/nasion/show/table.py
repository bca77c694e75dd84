"""A stream of messages in plain lines, and what both lines and screens say of a camera."""

import math

from nasion.messages import PersonEntry, PersonMessage
from nasion.mqtt.board import CameraRow

#: A stream that has been silent for so long is shown as faulty: a publisher speaks at least once a second.
SILENT_S = 1.5
#: The same of one that is not online any more.
GONE_S = 0.5

NOTHING = "–"

DEGREES = 180 / math.pi


def message_line(message: PersonMessage) -> str:
    """A message in one line."""
    latency = f"  ({message.latency_ms['total']:.0f} ms)" if "total" in message.latency_ms else ""
    return f"{message.camera} #{message.seq}: {_who(message)}{latency}"


def row_line(row: CameraRow) -> str:
    """One camera in one line: what it said last, and how well it is heard."""
    if row.latest is None:
        facts = [f"{row.camera}: nothing heard yet"]
    else:
        # A position that is old is none.
        facts = [message_line(row.latest) if heard_now(row) else f"{row.camera} #{row.latest.seq} was the last"]
    if row.age_ms is not None:
        facts.append(f"age {row.age_ms:.0f} ms")
    facts += [f"{row.rate_hz:.1f}/s", condition(row)]
    if row.missed:
        facts.append(f"missed {row.missed}")
    if row.refusal is not None:
        facts.append(f"refused {refusals(row)}")
    return "  ".join(facts)


def _who(message: PersonMessage) -> str:
    if message.reason is not None:
        return f"nobody: {message.reason.value}"
    return "; ".join(_person_line(person) for person in message.persons)


def _person_line(person: PersonEntry) -> str:
    azimuth, elevation = (angle * DEGREES for angle in person.bearing_rad)
    where = f"azimuth {azimuth:+.1f}°, elevation {elevation:+.1f}°, p {person.probability:.2f}"
    if person.range_m is None or person.position_m is None:
        return f"person {person.track_id}: {_reason(person)}, {where}"
    x_m, y_m, z_m = person.position_m
    return f"person {person.track_id}: {person.range_m:.2f} m at [{x_m:+.2f} {y_m:+.2f} {z_m:+.2f}], {where}"


def _reason(person: PersonEntry) -> str:
    return person.reason.value if person.reason else NOTHING


def healthy(row: CameraRow) -> bool:
    """Whether publisher and source are well and it is heard."""
    status = row.status
    said_well = status is not None and (status.process, status.source, status.duplicate) == ("online", "ok", False)
    return said_well and row.silent_s is not None and row.silent_s < SILENT_S


def heard_now(row: CameraRow) -> bool:
    """Whether what it said last still holds: nothing may be shown of a camera that is silent.

    One that has said good-bye has less time; messages that still come are another program's, whose status is late.
    """
    gone = row.status is not None and row.status.process != "online"
    return row.silent_s is not None and row.silent_s < (GONE_S if gone else SILENT_S)


def condition(row: CameraRow) -> str:
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


def refusals(row: CameraRow) -> str:
    """What was refused, and the latest reason."""
    if row.refusal is None:
        return NOTHING
    counts = ", ".join(f"{count} {cause}" for cause, count in sorted(row.refused.items()))
    return f"{counts} (last: {row.refusal.detail})"
