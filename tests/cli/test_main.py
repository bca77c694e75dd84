"""What every sub-command shares."""

import signal
import subprocess
import sys
from typing import Tuple

import pytest
from nasion import __version__

from tests.program import Command, attended


def test_the_version(nasion: Command) -> None:
    assert nasion("--version") == (0, f"nasion {__version__}\n", "")


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_without_a_command_there_is_help(nasion: Command, arguments: Tuple[str, ...]) -> None:
    code, out, err = nasion(*arguments)

    assert (code, err) == (0, "")
    for command in ("run", "demo", "locate", "listen"):
        assert command in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rnu",), "No such command 'rnu'"),
        (("--sauce",), "No such option: --sauce"),
        (("run", "--sauce"), "No such option: --sauce"),
        (("run", "--every"), "--every"),
        (("locate",), "PATH"),
    ],
)
def test_wrong_usage_gets_one_line_and_exit_code_2(nasion: Command, arguments: Tuple[str, ...], said: str) -> None:
    code, out, err = nasion(*arguments)

    assert (code, out) == (2, "")
    assert err.startswith("nasion: ")
    assert err.count("\n") == 1
    assert said in err


@pytest.mark.parametrize("before", [(), ("run",), ("listen", "--camera", "front")])
def test_wrong_usage_does_not_repeat_a_password(nasion: Command, before: Tuple[str, ...]) -> None:
    code, _, err = nasion(*before, "mqtts://robot:Tr0ub4dor@broker")

    assert code == 2
    assert "mqtts://…@broker" in err
    assert "Tr0ub4dor" not in err


SLOW_TO_LOAD = """
import runpy, sys, time

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "nasion.cli.main":
            print("loading", flush=True)
            time.sleep(60)

sys.meta_path.insert(0, Slow())
runpy.run_module("nasion", run_name="__main__")
"""


def test_ctrl_c_while_libraries_are_loaded_leaves_no_traceback() -> None:
    with attended(
        subprocess.Popen(
            [sys.executable, "-c", SLOW_TO_LOAD], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "loading\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)

    assert (process.returncode, said) == (-signal.SIGINT, "")
