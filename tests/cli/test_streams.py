"""Whatever stdout, stderr and locale are: no traceback, the exit code of the command, and nothing in a wrong file."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from nasion.mqtt.broker import PrivateBroker

from tests.program import attended, line_with

NASION = [sys.executable, "-m", "nasion"]
RUN = ["run", "--source", "demo:?frames=3", "--mode", "every-frame", "--mqtt", "none"]
COMMANDS = {
    "run": (RUN, 0),
    "run --json": ([*RUN, "--json"], 0),
    "run --help": (["run", "--help"], 0),
    "version": (["--version"], 0),
    "schema": (["schema", "person"], 0),
    "check": (["check", "--source", "demo:", "--mqtt", "none"], 0),
    "listen": (["listen", "--mqtt", "mqtt://127.0.0.1:1", "--seconds", "0.5"], 0),
    "health": (["health", "--file", "/nowhere"], 1),
    "bad usage": (["run", "--source", "nowhere-\N{LATIN SMALL LETTER U WITH DIAERESIS}"], 2),
}
C_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
PATIENCE_S = 120.0


def shell(line: str, words: list[str], **environment: str) -> subprocess.CompletedProcess[bytes]:
    """``line`` with the command as ``"$@"``."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line, "bash", *NASION, *words],
        env={**os.environ, **environment},
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_streams_that_were_closed(command: str, closed: str) -> None:
    words, code = COMMANDS[command]

    ended = shell(f'"$@" {closed}', words)

    assert ended.returncode == code, ended.stderr
    assert b"Traceback" not in ended.stdout + ended.stderr


def test_what_is_written_to_a_closed_stderr_does_not_go_into_a_file_of_ours(tmp_path: Path) -> None:
    """The next file that is opened gets the number of a stream that is closed."""
    video = tmp_path / "seen.avi"

    ended = shell('"$@" <&- >&- 2>&-', [*RUN, "--save", str(video)])

    assert ended.returncode == 0
    assert video.read_bytes()[:4] == b"RIFF"
    assert b"nasion:" not in video.read_bytes()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "environment", [C_LOCALE, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "ascii:strict", "LC_ALL": "POSIX"}]
)
def test_a_machine_without_utf_8(command: str, environment: dict[str, str]) -> None:
    words, code = COMMANDS[command]

    ended = shell('"$@"', words, **environment)

    assert ended.returncode == code, ended.stderr
    assert b"Traceback" not in ended.stderr


@pytest.mark.parametrize("command", ["run --help", "version"])
def test_help_that_cannot_be_written_is_a_failure_in_one_line(command: str) -> None:
    ended = shell('"$@" >/dev/full', COMMANDS[command][0])

    assert ended.returncode == 1
    assert (ended.stderr.count(b"\n"), b"No space left" in ended.stderr) == (1, True)


@pytest.mark.parametrize("what", ["run", "listen", "demo"])
def test_a_terminal_that_is_closed_ends_it_as_sigterm_does(what: str, broker: PrivateBroker) -> None:
    """SIGHUP comes, and writing fails from then on."""
    words = {
        "run": ["run", "--source", "demo:", "--mqtt", "none", "--json"],
        "listen": ["listen", "--mqtt", broker.url],
        "demo": ["demo"],
    }[what]
    ours, its = pty.openpty()

    with attended(
        subprocess.Popen(
            # With the terminal as its own: who loses it gets SIGHUP.
            ["setsid", "--ctty", *NASION, *words],
            stdin=its,
            stdout=its,
            stderr=subprocess.PIPE,
            text=True,
        )
    ) as process:
        os.close(its)
        line_with(process.stderr, {"run": "model:", "listen": "connected", "demo": "model:"}[what])
        os.read(ours, 1)
        os.close(ours)
        _, err = process.communicate(timeout=PATIENCE_S)

    assert (process.returncode, "Traceback" in err) == (0, False), err
