"""What the fault tests share: real processes, a broker that can die, and a witness of all it hands on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, Sequence

import pytest

from tests.faults.soak.stage import ROOT, Broker, Lines, Program, wait_for
from tests.faults.soak.witness import Witness

#: What takes minutes runs only where it is asked for.
SLOW = pytest.mark.skipif(not os.environ.get("NASION_SLOW"), reason="takes minutes; NASION_SLOW=1 runs it")


@pytest.fixture
def broker() -> Iterator[Broker]:
    broker = Broker()
    yield broker
    broker.close()


@pytest.fixture
def witness(broker: Broker) -> Iterator[Witness]:
    """Subscribed; what it heard is what the contract says."""
    witness = Witness(broker.port)
    witness.start()
    broker.remember()
    yield witness
    witness.end()
    assert witness.faults == []


class Command(Lines):
    """`nasion` in a process; ``lines`` are those of stdout, ``said()`` those of stderr."""

    def __init__(self, command: Sequence[str], log: Path, **environment: str) -> None:
        self.lines: list[str] = []
        self._file = log
        super().__init__(command, log, **environment)

    def hear(self, line: str) -> None:
        self.lines.append(line)

    def said(self) -> str:
        return self._file.read_text()


@pytest.fixture
def nasion(tmp_path: Path, spot_model: Path) -> Iterator[Callable[..., Command]]:
    """``nasion("run", ...)``: the real command, with the small model that sees red; ended after the test."""
    started: list[Command] = []

    def nasion(*arguments: object, **environment: str) -> Command:
        model = ["--model", str(spot_model)] if arguments[0] in ("run", "record") else []
        command = [sys.executable, "-m", "nasion", *map(str, arguments), *model]
        started.append(Command(command, tmp_path / f"nasion-{len(started)}.log", **environment))
        return started[-1]

    yield nasion
    for process in started:
        if process.process.poll() is None:
            process.end(signal.SIGKILL)


@pytest.fixture
def program(tmp_path: Path, spot_model: Path) -> Iterator[Callable[..., Program]]:
    """``program(url, ...)``: the application on a camera that fails on command; its settings are keywords."""
    started: list[Program] = []

    def program(url: str, *, source: str = "demo:", mqtt: Any = None, log: str = "program", **settings: Any) -> Program:
        told = {
            "cameras": [{"source": source}],
            "engine": "onnxruntime",
            "view": "centre",
            "mode": "live",
            "jump": {"mode": "off"},
            "model": str(spot_model),
            "mqtt": {"url": url, **(mqtt or {})},
            **settings,
        }
        environment = told.pop("environment", {})
        started.append(Program(told, tmp_path / f"{log}.log", **environment))
        return started[-1]

    yield program
    for process in started:
        if process.running:
            process.end(signal.SIGKILL)


@pytest.fixture
def until() -> Callable[..., None]:
    """``until(happened)``: wait for what must come; the test fails where it does not."""
    return lambda happened, what="it": wait_for(happened, what)


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wall clock that a test can step: a library to be loaded before the C library."""
    library = tmp_path_factory.mktemp("clock") / "wall_clock.so"
    source = ROOT / "tests/faults/wall_clock.c"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", str(source), "-o", str(library), "-ldl"], check=True)
    return library
