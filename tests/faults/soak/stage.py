"""The real processes of a soak: a broker that can die, the program, receivers as people copy them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from nasion.errors import NasionError
from nasion.mqtt.broker import PrivateBroker

ROOT = Path(__file__).parents[3]
RECEIVERS = ROOT / "docs" / "receivers"
#: Nothing that happens at all takes longer.
PATIENCE_S = 60.0


def wait_for(happened: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> None:
    """Returns when it has happened; NasionError when it has not for too long."""
    deadline = time.monotonic() + patience_s
    while not happened():
        if time.monotonic() > deadline:
            raise NasionError(f"waited {patience_s:.0f} s in vain: {what}")
        time.sleep(0.005)


class Broker:
    """A mosquitto on one port that is frozen, killed and started again, and keeps the session of the witness."""

    def __init__(self, options: Sequence[str] = ("allow_anonymous true",)) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="nasion-soak-")
        kept = [f"persistence_location {self._folder.name}/", "persistence true", "autosave_interval 0"]
        self._options = [*options, *kept]
        self._broker = PrivateBroker(options=self._options)
        self.kills = 0
        self.up = False
        self.start()

    @property
    def port(self) -> int:
        return self._broker.port

    @property
    def url(self) -> str:
        return self._broker.url

    @property
    def pid(self) -> int:
        return self._broker.pid

    def start(self) -> int:
        """Returns when it listens, and then is told: monotonic nanoseconds."""
        if self._broker.port:
            self._broker = PrivateBroker(self._broker.port, options=self._options)
        self._broker.__enter__()
        self.up = True
        return time.monotonic_ns()

    def remember(self) -> None:
        """Write down who is subscribed: it outlives every later death."""
        os.kill(self.pid, signal.SIGUSR1)
        wait_for((Path(self._folder.name) / "mosquitto.db").exists, "the broker to save its sessions")

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> int:
        os.kill(self.pid, signal.SIGCONT)
        return time.monotonic_ns()

    def kill(self) -> None:
        """At once, as by a power cut."""
        self.kills += 1
        os.kill(self.pid, signal.SIGKILL)
        self.end()

    def end(self) -> None:
        """In order; it saves nothing that would not be saved by `remember`."""
        if self.up:
            self.up = False
            self._broker.__exit__(None, None, None)

    def close(self) -> None:
        with suppress(OSError, NasionError):
            self.thaw()
        self.end()
        self._folder.cleanup()


class Lines:
    """A process whose lines are read as they come; in a session of its own, so that Ctrl-C does not reach it."""

    def __init__(self, command: Sequence[str], log: Path, **environment: str) -> None:
        self._log = log.open("w")
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=ROOT,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'plugins'}:{ROOT}", "PYTHONUNBUFFERED": "1", **environment},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    def hear(self, line: str) -> None:
        """A line of stdout has come."""

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.hear(line.rstrip("\n"))

    def end(self, number: signal.Signals, patience_s: float = PATIENCE_S) -> int:
        """Send a signal and wait; killed where it does not end. The exit code."""
        with suppress(OSError):
            os.kill(self.pid, signal.SIGCONT)
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            code = self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self._reader.join(PATIENCE_S)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        self._log.close()
        return code


class Program(Lines):
    """The application; see `program`."""

    def __init__(self, settings: dict[str, Any], log: Path, **environment: str) -> None:
        self.did: list[tuple[int, str]] = []
        self.summary: dict[str, Any] | None = None
        self.log = log
        command = [sys.executable, "-m", "tests.faults.soak.program", json.dumps(settings)]
        super().__init__(command, log, **environment)

    def hear(self, line: str) -> None:
        said = json.loads(line)
        if "did" in said:
            self.did.append((said["at_ns"], said["did"]))
        else:
            self.summary = said

    def tell(self, command: str) -> int:
        """Returns when it is done, and then was: monotonic nanoseconds."""
        assert self.process.stdin is not None
        before = len(self.did)
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        wait_for(lambda: len(self.did) > before, f"the camera to obey {command!r}")
        return self.did[-1][0]

    def stop(self) -> int:
        """SIGTERM, as a robot's supervisor does; the exit code."""
        return self.end(signal.SIGTERM)

    @property
    def running(self) -> bool:
        return self.process.poll() is None


_ACCEPTED = re.compile(r"accepted session (\d+) seq (\d+) missed (\d+) age (-?[0-9.]+) ms")
_REFUSED = re.compile(r"refused (\w+)")


class Listener(Lines):
    """A receiver from docs/receivers, judged by what it prints."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self.accepted: list[tuple[int, float]] = []
        self.refused: Counter[str] = Counter()
        self.sessions = self.missed = 0
        self.subscribed = threading.Event()
        super().__init__(command, log)

    def hear(self, line: str) -> None:
        accepted, refused = _ACCEPTED.match(line), _REFUSED.match(line)
        if accepted:
            self.sessions, self.missed = int(accepted[1]), int(accepted[3])
            self.accepted.append((time.monotonic_ns(), float(accepted[4])))
        elif refused:
            self.refused[refused[1]] += 1
        elif line.startswith("subscribed"):
            self.subscribed.set()

    def figures(self, max_age_ms: float) -> dict[str, Any]:
        """Counts; ``stale_accepted`` must be 0."""
        ages = [age for _, age in self.accepted]
        return {
            "accepted": len(ages),
            "stale_accepted": sum(age > max_age_ms for age in ages),
            "oldest_accepted_ms": max(ages, default=None),
            "refused": dict(self.refused),
            "missed": self.missed,
            "sessions": self.sessions,
        }


def listeners(broker: Broker, folder: Path, say: Callable[[str], None]) -> dict[str, Listener]:
    """The receivers that can be started here; what is missing for the others is said."""
    where = ["127.0.0.1", str(broker.port)]
    commands = {
        "python": [sys.executable, str(RECEIVERS / "nasion_receiver.py"), "--host", where[0], "--port", where[1]]
    }
    compiled = _compiled(folder, say)
    if compiled is not None:
        commands["c++"] = [str(compiled), *where]
    started = {name: Listener(command, folder / f"receiver-{name}.log") for name, command in commands.items()}
    for name, listener in started.items():
        wait_for(listener.subscribed.is_set, f"the receiver in {name} to subscribe")
    return started


def _compiled(folder: Path, say: Callable[[str], None]) -> Path | None:
    if shutil.which("g++") is None:
        say("the receiver in C++ is left out: no g++; get it with: scripts/setup test")
        return None
    program = folder / "nasion_receiver"
    source = str(RECEIVERS / "nasion_receiver.cpp")
    made = subprocess.run(
        ["g++", "-std=c++17", "-O2", source, "-o", str(program), "-lmosquitto"],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        say("the receiver in C++ is left out: it cannot be built here; get what it needs with: scripts/setup test")
        return None
    return program
