"""The live screens fit the terminal, keep their height, say words, and show nothing that is no longer so."""

import io
from typing import Any, List

import pytest
from nasion.core.results import FrameReason, PersonReason
from nasion.mqtt.board import CameraRow
from nasion.mqtt.receiver import Refused
from nasion.show.screens import Steady, cameras_table, demo_screen
from nasion.show.table import GONE_S, SILENT_S, row_line
from nasion.show.words import in_words
from rich.console import Console, RenderableType

from tests.show.test_table import NO_POSITION, person, row, status

ADDRESS = "mqtt://127.0.0.1:65535"
SIZES = [(80, 24), (76, 24), (75, 24), (60, 16), (40, 20), (24, 10), (12, 5)]
FAR = person(-10.2, 10.0, range_m=14.28, position_m=[-10.2, -1.23, 10.0], bearing_rad=[-0.79, -0.31])
ROWS = {
    "healthy": row([person(0.1, 1.3)], age_ms=199.0, rate_hz=120.0),
    "the longest numbers": row([FAR]),
    "two persons": row([person(0, 1), person(1, 2)]),
    "no position": row([person(0, 1, reason="jump", **NO_POSITION)]),
    "nobody": row(),
    "silent": row([person(0, 1)], silent_s=12.0, status=status("online", "reconnecting", duplicate=True)),
    "refused": row(
        refused={"stale": 1234, "malformed": 5678},
        refusal=Refused("front", "malformed", "persons.0.range_m: Input should be a finite number and nothing else"),
    ),
    "a long name": row([person(0, 1)], camera="the_camera_at_the_front_of_the_robot"),
}


def lines(what: RenderableType, width: int, height: int) -> List[str]:
    console = Console(width=width, height=height, color_system=None, file=io.StringIO())
    with console.capture() as captured:
        console.print(what, end="")
    return captured.get().splitlines()


def steady(what: RenderableType) -> Steady:
    kept = Steady()
    kept.shown = what
    return kept


def height_of(what: RenderableType) -> int:
    """Blank lines at its end, too."""
    console = Console(width=80, height=24, file=io.StringIO())
    return len(console.render_lines(what))


@pytest.mark.parametrize("width", [80, 40])
def test_a_name_is_no_markup(width: int) -> None:
    named = row(
        [person(0, 1)], camera="[b]x[/b]", refused={"stale": 1}, refusal=Refused("", "stale", "[link=x]y[/link]")
    )
    drawn = "\n".join(lines(cameras_table([named]), width, 24))
    assert "[b]x[/b]" in drawn
    assert "[link=x]y[/link]" in drawn


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("shown", ROWS)
def test_it_fits_the_terminal(shown: str, width: int, height: int) -> None:
    for screen in (cameras_table([ROWS[shown]]), demo_screen([ROWS[shown]], ADDRESS, 1234567, 1234567)):
        drawn = lines(steady(screen), width, height)
        assert len(drawn) < height
        assert max(map(len, drawn)) <= width


@pytest.mark.parametrize("shown", [name for name in ROWS if name not in ("refused", "silent", "a long name")])
def test_on_80_by_24_the_demo_shows_table_and_view_whole(shown: str) -> None:
    drawn = lines(steady(demo_screen([ROWS[shown]], ADDRESS, 1234567, 1234567)), 80, 24)
    assert "camera" in drawn[1]
    assert drawn[-1].startswith("\N{BOX DRAWINGS LIGHT ARC UP AND RIGHT}")
    assert not any("\N{HORIZONTAL ELLIPSIS}" in line for line in drawn)


def test_columns_stand_still_whatever_the_values_are() -> None:
    tables = [lines(cameras_table([ROWS[name]]), 80, 24)[0] for name in ("healthy", "the longest numbers", "nobody")]
    assert len(set(tables)) == 1


def test_the_height_stays_when_less_is_to_be_shown() -> None:
    kept = Steady()
    heights = []
    for name in ("nobody", "two persons", "refused", "nobody", "healthy"):
        kept.shown = demo_screen([ROWS[name]], ADDRESS, 1, 1)
        heights.append(height_of(kept))
    assert heights == sorted(heights)
    assert heights[-1] <= 23


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 20)])
def test_it_says_words_instead_of_codes(width: int, height: int) -> None:
    shown = [row([person(0, 1, reason=reason.value, **NO_POSITION)]) for reason in PersonReason]
    shown += [row(latest=row().latest.model_copy(update={"reason": reason})) for reason in FrameReason]  # type: ignore[union-attr]
    for one in shown:
        text = "\n".join(lines(demo_screen([one], ADDRESS, 1, 1), width, height))
        assert "_" not in text
    codes = [reason.value for reason in (*PersonReason, *FrameReason)]
    assert len({in_words(code) for code in codes}) == len(codes)
    assert max(len(in_words(code)) for code in codes) <= 19, "the column's width"


GONE = {
    "silent": {"silent_s": SILENT_S},
    "offline": {"status": status("offline", "ok"), "silent_s": GONE_S},
    "stopped": {"status": status("stopped", "ok"), "silent_s": GONE_S},
}


@pytest.mark.parametrize("gone", GONE)
@pytest.mark.parametrize("width", [80, 40])
def test_of_a_camera_that_is_silent_no_position_is_shown(gone: str, width: int) -> None:
    there: CameraRow = row([person(0.12, 1.5)])
    changed: Any = GONE[gone]
    silent = row([person(0.12, 1.5)], **changed)
    for screen in (cameras_table, lambda rows: demo_screen(rows, ADDRESS, 1, 1)):
        assert "1.50" in "".join(lines(screen([there]), width, 40))
        text = "".join(lines(screen([silent]), width, 40))
        assert "1.50" not in text
        assert "\N{BLACK CIRCLE}" not in text
        assert "nothing any more" in text
    assert "1.50" in row_line(there)
    assert "1.50" not in row_line(silent)
