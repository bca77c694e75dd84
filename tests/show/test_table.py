"""What people read: nothing is hidden, faults stand out, and a view from above puts persons where they are."""

from typing import Any, Dict, List, Optional

import pytest
from nasion.messages import PersonMessage, StatusMessage
from nasion.mqtt.board import CameraRow
from nasion.mqtt.receiver import Refused
from nasion.show.screens import cameras_table, demo_screen, top_view
from nasion.show.table import message_line, row_line
from nasion.show.words import in_words
from rich.console import Console, RenderableType


def drawn(what: RenderableType) -> str:
    console = Console(width=160, color_system=None)
    with console.capture() as captured:
        console.print(what)
    return captured.get()


def person(x_m: float, z_m: float, **changed: Any) -> Dict[str, Any]:
    return {
        "track_id": 1,
        "probability": 0.93,
        "pixel": [700.0, 350.0],
        "bearing_rad": [0.1, -0.2],
        "valid": True,
        "reason": None,
        "depth_m": z_m,
        "range_m": z_m,
        "position_m": [x_m, 0.0, z_m],
        "covariance_m2": [1e-4] * 9,
        "depth": {"value": z_m, "count": 25, "of": 25, "spread": 0.01},
        **changed,
    }


NO_POSITION = {"valid": False, "depth_m": None, "range_m": None, "position_m": None, "covariance_m2": None}


def row(persons: Optional[List[Dict[str, Any]]] = None, **changed: Any) -> CameraRow:
    """A healthy camera that sees these persons."""
    message = PersonMessage.model_validate(
        {
            "session": "s1",
            "seq": 1,
            "camera": "front",
            "frame_id": "front_left_camera_optical_frame",
            "captured_at": 0.0,
            "captured_ns": "0",
            "published_at": 0.0,
            "max_age_ms": 200.0,
            "persons": persons or [],
            "reason": None if persons else "no_face",
            "latency_ms": {"total": 9.1},
        }
    )
    fields: Dict[str, Any] = {
        "camera": "front",
        "status": StatusMessage(session="s1", camera="front", process="online", source="ok", at=0.0),
        "latest": message,
        "age_ms": 12.4,
        "silent_s": 0.0,
        "rate_hz": 29.97,
        "accepted": 10,
        "missed": 3,
        "refused": {},
        "refusal": None,
    }
    return CameraRow(**{**fields, **changed})


def status(process: Any, source: Any, *, duplicate: bool = False) -> StatusMessage:
    return StatusMessage(session="s1", camera="front", process=process, source=source, duplicate=duplicate, at=0.0)


CASES = [
    (row([person(0.12, 1.5)]), ["front", "0.93", "1.50 m", "+0.12 +0.00 +1.50", "online", "12 ms", "30.0/s"]),
    (row([person(0, 1, reason="too_near", **NO_POSITION)]), ["0.93", "too_near"]),
    (row([person(0, 1), person(1, 2)]), ["1.00 m", "2.00 m"]),
    (row(), ["no_face"]),
    (row(latest=None, age_ms=None, silent_s=None), ["front"]),
    (row(silent_s=3.2), ["silent 3 s"]),
    (row(status=None), ["no status"]),
    (row(status=status("offline", "lost")), ["offline"]),
    (row(status=status("online", "reconnecting")), ["source reconnecting"]),
    (row(status=status("online", "ok", duplicate=True)), ["online", "duplicate"]),
    (
        row(refused={"stale": 2, "malformed": 1}, refusal=Refused("front", "stale", "300 ms old")),
        ["refused 1 malformed, 2 stale (last: 300 ms old)"],
    ),
]


@pytest.mark.parametrize(("shown", "told"), CASES)
def test_a_line_and_the_table_tell_the_same(shown: CameraRow, told: List[str]) -> None:
    text, table = row_line(shown), drawn(cameras_table([shown]))
    assert "\n" not in text
    squeezed = " ".join(table.split())
    for fact in told:
        assert fact in text
        # A screen says in words what a line says in codes.
        assert all(word in squeezed for word in in_words(fact).split())


@pytest.mark.parametrize(
    ("persons", "said"),
    [
        (
            [person(0.12, 1.5)],
            "front #1: person 1: 1.50 m at [+0.12 +0.00 +1.50], azimuth +5.7°, elevation -11.5°, p 0.93  (9 ms)",
        ),
        (
            [person(0, 1, reason="too_near", **NO_POSITION)],
            "front #1: person 1: too_near, azimuth +5.7°, elevation -11.5°, p 0.93  (9 ms)",
        ),
        ([], "front #1: nobody: no_face  (9 ms)"),
    ],
)
def test_a_message_in_one_line(persons: List[Dict[str, Any]], said: str) -> None:
    latest = row(persons).latest
    assert latest is not None
    assert message_line(latest) == said


def test_the_table_has_a_row_for_each_person_and_names_the_camera_once() -> None:
    table = drawn(cameras_table([row([person(0, 1), person(1, 2)]), row(camera="rear")]))
    assert table.count("front") == 1
    assert table.count("rear") == 1
    assert table.count("0.93") == 2


def mark(view: str) -> "tuple[int, int]":
    """Line and column of the first person in the view."""
    lines = view.splitlines()
    line = next(number for number, text in enumerate(lines) if "●" in text)
    return line, lines[line].index("●")


def test_seen_from_above_farther_is_higher_and_right_is_right() -> None:
    middle = drawn(top_view(row([person(0, 2)])))
    _, camera_column = next((n, text.index("▲")) for n, text in enumerate(middle.splitlines()) if "▲" in text)
    line, column = mark(middle)
    assert column == camera_column
    assert "2 m" in middle.splitlines()[line]
    assert mark(drawn(top_view(row([person(0, 4)]))))[0] == line - 4
    assert mark(drawn(top_view(row([person(1, 2)])))) == (line, column + 8)
    assert mark(drawn(top_view(row([person(-1, 2)])))) == (line, column - 8)


@pytest.mark.parametrize("persons", [[person(9, 2)], [person(0, 9)], [person(0, 1, reason="jump", **NO_POSITION)], []])
def test_seen_from_above_nobody_is_drawn_who_is_not_there(persons: List[Dict[str, Any]]) -> None:
    assert "●" not in drawn(top_view(row(persons)))


def test_the_demos_screen_names_the_broker() -> None:
    screen = drawn(demo_screen([row([person(0, 2)])], "mqtt://127.0.0.1:1234", 9, 8))
    assert "8 of 9 messages arrived over mqtt://127.0.0.1:1234" in screen
    assert "●" in screen
    assert "nothing" not in screen
    assert drawn(demo_screen([], "mqtt://127.0.0.1:1234", 9, 8))
