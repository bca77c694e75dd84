"""`--help` fits the narrowest terminal, and every example in it can be typed."""

import re
import shlex
from typing import List, Tuple

import pytest
import typer
from nasion.cli.examples import EXAMPLES
from nasion.cli.main import app

from tests.program import Command

COMMANDS = ["run", "demo", "locate", "listen", "check", "health", "record", "schema", "bench"]
ALL = [(command, example) for command, examples in EXAMPLES.items() for example in examples]
NARROW = 80


@pytest.fixture
def narrow(nasion: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("COLUMNS", str(NARROW))
    monkeypatch.setenv("NO_COLOR", "1")
    return nasion


def helped(narrow: Command, *words: str) -> str:
    code, out, err = narrow(*words, "--help")
    assert (code, err) == (0, "")
    # What emphasis a terminal of the tests may get is of no interest here.
    return re.sub(r"\x1b\[[0-9;]*m", "", out)


@pytest.mark.parametrize("words", [(), *((command,) for command in COMMANDS)], ids=" ".join)
def test_it_fits_80_columns_and_nothing_is_cut_off(narrow: Command, words: Tuple[str, ...]) -> None:
    text = helped(narrow, *words)
    assert max(map(len, text.splitlines())) <= NARROW
    assert "…" not in text.replace("mqtts://…", "")


def test_every_command_has_two_or_three_examples() -> None:
    assert list(EXAMPLES) == COMMANDS
    assert {len(examples) for examples in EXAMPLES.values()} <= {2, 3}


@pytest.mark.parametrize(("command", "example"), ALL)
def test_an_example_stands_in_one_line_of_the_help(narrow: Command, command: str, example: str) -> None:
    assert example in [line.strip() for line in helped(narrow, command).splitlines()]


@pytest.mark.parametrize(("command", "example"), ALL)
def test_an_example_is_understood(command: str, example: str) -> None:
    words = typed(example)
    assert words[:2] == ["nasion", command]
    known = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    known.make_context(command, words[2:])


def typed(example: str) -> List[str]:
    """The words that the program gets; a shell keeps `> FILE` for itself."""
    words = shlex.split(example)
    return words[: words.index(">")] if ">" in words else words


@pytest.mark.parametrize("example", ["nasion run --source demo: --mqtt none", "nasion schema person",
                                     "nasion schema --asyncapi > asyncapi.yaml"])  # fmt: skip
def test_an_example_runs(nasion: Command, example: str) -> None:
    assert example in [one for _, one in ALL]
    limit = ("--frames", "1") if " run " in example else ()
    code, out, _ = nasion(*typed(example)[1:], *limit)
    assert code == 0
    assert out
