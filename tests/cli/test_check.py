"""`nasion check` as a person or a script uses it."""

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Tuple

import pytest
import typer
from nasion.checks.verdict import TELLING
from nasion.cli.main import app
from nasion.mqtt.broker import PrivateBroker

from tests.program import Command, attended

CHECK = [sys.executable, "-m", "nasion", "check"]
LINE = re.compile(r"(ok|warn|fail|skipped) +(\S.*)")


@pytest.fixture
def nasion(nasion: Command) -> Command:
    """The command in this process, without a broker: exit code, stdout, stderr."""

    def run(*arguments: object) -> Tuple[int, str, str]:
        told = () if "--mqtt" in arguments else ("--mqtt", "none")
        return nasion("check", *arguments, *told)

    return run


def by_name(out: str) -> Dict[str, Dict[str, Any]]:
    return {verdict["name"]: verdict for verdict in json.loads(out)}


def test_on_this_machine_with_the_cpu_engine_everything_is_in_order(nasion: Command) -> None:
    with PrivateBroker() as broker:
        code, out, err = nasion("--engine", "onnxruntime", "--source", "demo:", "--mqtt", broker.url)
    assert code == 0
    assert all(LINE.fullmatch(line) for line in out.splitlines())
    assert "fail" not in {line.split()[0] for line in out.splitlines()}
    assert re.fullmatch(r"nasion: check: \d+ ok, 0 warn, 0 fail, \d+ skipped\n", err)


def test_json_is_one_list_and_nothing_else(nasion: Command) -> None:
    code, out, _ = nasion("--json")
    verdicts = json.loads(out)
    assert code == 0
    assert all(set(verdict) == {"name", "status", "found", "remedy"} for verdict in verdicts)
    assert by_name(out)["Python"]["status"] == "ok"
    assert by_name(out)["source"]["status"] == "skipped"


@pytest.mark.parametrize(
    ("arguments", "name", "expected"),
    [
        (["--source", "/nowhere"], "source cam0", 2),
        (["--source", "front=demo:", "--source", "rear=/nowhere"], "source rear", 2),
        (["--model", "/nowhere.onnx"], "model", 2),
        (["--save", "/nowhere/walk.avi"], "save", 2),
        (["--view", "wide"], "configuration", 2),
        (["--precision", "int4"], "configuration", 2),
        (["--config", "/nowhere.yaml"], "configuration", 2),
        (["--engine", "deepstream"], "engine", 3),
        (["--source", "zed:"], "pyzed", 3),
        (["--mqtt", "mqtt://127.0.0.1:1"], "broker", 1),
    ],
)
def test_the_exit_code_says_what_kind_of_failure(
    nasion: Command, arguments: List[str], name: str, expected: int
) -> None:
    code, out, err = nasion("--json", *arguments)
    failed = by_name(out)[name]
    assert (code, failed["status"]) == (expected, "fail")
    assert failed["remedy"]
    assert "Traceback" not in err


def test_bad_input_tells_more_than_a_missing_dependency_and_that_more_than_the_rest(nasion: Command) -> None:
    broker = ("--mqtt", "mqtt://127.0.0.1:1")
    assert nasion("--source", "zed:", *broker)[0] == 3
    assert nasion("--source", "zed:", "--model", "/nowhere.onnx", *broker)[0] == 2


def test_the_configuration_is_read_as_run_reads_it(nasion: Command, tmp_path: Path) -> None:
    file = tmp_path / "robot.yaml"
    file.write_text('cameras: [{name: front, source: "demo:?size=1080"}]\nview: centre\nsave: walk.avi\n')
    _, out, _ = nasion("--config", file, "--json")
    found = by_name(out)
    assert "1920 x 1080" in found["source front"]["found"]
    assert "224x224" in found["model"]["found"]
    assert str(tmp_path) in found["save"]["found"]
    assert not (tmp_path / "walk.avi").exists()


@pytest.mark.parametrize(("precision", "file"), [("float", "nasion_full.txt"), ("int8", "nasion_full_int8.txt")])
def test_the_network_of_the_precision_that_is_asked_for_is_checked(nasion: Command, precision: str, file: str) -> None:
    _, out, _ = nasion("--json", "--engine", "onnxruntime", "--precision", precision)
    found = by_name(out)
    assert f"{file}: " in found["nvinfer file"]["found"]
    assert f"), {precision}, stride" in found["model"]["found"]


def test_a_check_that_is_stopped_is_no_good_news() -> None:
    """A camera that does not answer, say; here a broker."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"mqtt://127.0.0.1:{silent.getsockname()[1]}"
        command = [*CHECK, "--mqtt", address]
        with attended(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)) as process:
            silent.accept()[0].close()
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            said = process.stderr.read().decode()
    assert process.returncode == 1
    assert "check was stopped after" in said
    assert "Traceback" not in said


def test_a_password_is_never_shown(nasion: Command) -> None:
    with PrivateBroker(options=["allow_anonymous false"]) as broker:
        _, out, err = nasion("--mqtt", broker.url.replace("//", "//robot:of-robots@"))
    assert "we came as 'robot'" in out
    assert "of-robots" not in out + err


def test_colour_is_for_terminals(nasion: Command) -> None:
    assert "\x1b" not in nasion()[1]

    def on_terminal(**environment: str) -> str:
        ours, theirs = pty.openpty()
        told = {**{key: value for key, value in os.environ.items() if key != "NO_COLOR"}, "TERM": "xterm"}
        command = [*CHECK, "--mqtt", "none", "--view", "wide"]
        with os.fdopen(ours, "rb") as reader:
            subprocess.run(command, stdout=theirs, stderr=subprocess.DEVNULL, env={**told, **environment}, check=False)
            os.close(theirs)
            return reader.read1(4096).decode()

    assert on_terminal().startswith("\x1b[31mfail")
    assert on_terminal(NO_COLOR="1").startswith("fail")


def test_the_help_says_the_order_of_the_exit_codes(nasion: Command) -> None:
    code, out, _ = nasion("--help")
    words = " ".join(re.sub(r"[^\w ().,:]", " ", out).split())
    assert code == 0
    said = words[words.index("else the first of") :]
    assert tuple(int(number) for number in re.findall(r"\d", said.partition("that a failure has")[0])) == TELLING


def test_flags_mean_what_they_mean_for_run() -> None:
    commands = typer.main.get_group(app).commands
    ours, runs = ({parameter.name: parameter for parameter in commands[name].params} for name in ("check", "run"))
    shared = set(ours) - {"json", "help"}
    assert shared >= {"source", "config", "model", "view", "engine", "precision", "save", "mqtt"}
    for name in shared:
        for what in ("opts", "help", "metavar"):
            assert getattr(ours[name], what) == getattr(runs[name], what), name
