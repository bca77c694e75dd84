"""What stands on stdout, whoever reads it and whatever the terminal can show, and what is told beside it."""

import io
import json
import subprocess
import sys
import time

import pytest
from nasion.cli.output import tell
from nasion.events import Event
from rich.console import Console
from rich.live import Live
from rich.text import Text

from tests.program import Command


def test_a_line_goes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    tell("the broker is away")

    assert capsys.readouterr() == ("", "nasion: the broker is away\n")


def test_a_line_may_be_an_object_that_says_which_camera_it_is_about(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASION_LOG", "json")
    tell(Event("front", 'the lens says "ö"'))
    tell("engine: onnxruntime")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["camera"], line["said"]) for line in lines] == [
        ("front", 'the lens says "ö"'),
        (None, "engine: onnxruntime"),
    ]
    assert all(abs(time.time() - line["at"]) < 60 for line in lines)


def test_another_form_of_lines_is_refused_in_the_form_for_people(
    nasion: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASION_LOG", "xml")
    assert nasion("schema", "person") == (2, "", "nasion: NASION_LOG='xml': expected text or json\n")


def test_above_a_live_screen_it_is_part_of_the_screen() -> None:
    """Written past the screen's back it would stand in the middle of a drawn line, and the screen be drawn anew."""
    terminal = io.StringIO()
    with Live(Text("the screen"), console=Console(file=terminal, force_terminal=True), auto_refresh=False):
        tell("the broker is away")

    assert "nasion: the broker is away" in terminal.getvalue()


def test_that_nobody_reads_it_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(io.StringIO):
        def write(self, _text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr("sys.stderr", Gone())

    tell("the broker is away")


LINES = """
from nasion.cli.output import Lines, write_in_any_encoding
write_in_any_encoding()
Lines(json={json}).write("K\u00fcche \u25cf")
"""


@pytest.mark.parametrize(
    ("encoding", "json", "written"),
    [
        ("ascii", False, b"K?che ?\n"),
        ("latin-1", False, b"K\xfcche ?\n"),
        ("utf-8", False, "Küche ●\n".encode()),
        ("ascii", True, "Küche ●\n".encode()),
    ],
)
def test_what_a_terminal_cannot_show_becomes_a_question_mark_but_json_is_utf8(
    encoding: str, json: bool, written: bytes
) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LINES.format(json=json)],
        env={"PYTHONIOENCODING": encoding, "PATH": ""},
        capture_output=True,
        check=False,
    )

    assert (ended.stdout, ended.stderr) == (written, b"")
