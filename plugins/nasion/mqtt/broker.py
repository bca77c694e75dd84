"""A mosquitto of our own on this machine: for the demo, which must not need a broker that is set up already."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Optional, Sequence, Tuple, Type

from nasion.errors import DependencyError, NasionError

HOST = "127.0.0.1"

#: Where the distributions put mosquitto; often not in an ordinary user's PATH.
SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin"

#: The state of a listening socket in /proc/net/tcp.
TCP_LISTEN = "0A"

START_TIMEOUT_S = 10.0
END_TIMEOUT_S = 2.0
#: Another program may take the free port between our looking and mosquitto's opening it.
PORT_ATTEMPTS = 3


class PrivateBroker:
    """Context manager: mosquitto on a loopback port that only this machine can reach; gone, with its files, afterwards.

    ``port`` None takes a free one. ``options`` are lines of mosquitto.conf that say who may connect.
    DependencyError without mosquitto; NasionError when it does not start.
    """

    def __init__(self, port: Optional[int] = None, options: Sequence[str] = ("allow_anonymous true",)) -> None:
        self._wanted_port = port
        self._options = tuple(options)
        self._program = _find_mosquitto()
        self._process: Optional[subprocess.Popen[bytes]] = None
        self._folder: Optional[tempfile.TemporaryDirectory[str]] = None
        self.port = 0

    @property
    def url(self) -> str:
        """Address for clients on this machine."""
        return f"mqtt://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the running mosquitto."""
        if self._process is None:
            raise NasionError("the private broker is not running; enter its context first")
        return self._process.pid

    def __enter__(self) -> "PrivateBroker":
        self._folder = tempfile.TemporaryDirectory(prefix="nasion-broker-")
        try:
            attempts = PORT_ATTEMPTS if self._wanted_port is None else 1
            for _ in range(attempts):
                self.port = self._wanted_port or _free_port()
                if self._start(Path(self._folder.name)):
                    return self
            log = " ".join((Path(self._folder.name) / "log").read_text(errors="replace").split())
            raise NasionError(f"{self._program} did not start on {HOST}:{self.port}; it said: {log or 'nothing'}")
        except BaseException:
            self._end()
            raise

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._end()

    def _start(self, folder: Path) -> bool:
        """Whether mosquitto came to listen on ``self.port``."""
        lines = [f"listener {self.port} {HOST}", "persistence false", "log_dest stderr", *self._options]
        if os.geteuid() == 0:
            # Started by root, mosquitto would otherwise become a user who cannot read our folder.
            lines.insert(0, "user root")
        configuration = folder / "mosquitto.conf"
        configuration.write_text("\n".join(lines) + "\n")
        with (folder / "log").open("wb") as log:
            # A session of its own: Ctrl-C in our terminal must not take the broker before our last message.
            self._process = subprocess.Popen(
                [*_ends_with_us(), self._program, "-c", str(configuration)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while self._process.poll() is None and time.monotonic() < deadline:
            if _listens(self._process.pid, self.port):
                return True
            time.sleep(0.01)
        self._end_process()
        return False

    def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _end(self) -> None:
        self._end_process()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def _find_mosquitto() -> str:
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_FOLDERS}")
    if program is None:
        raise DependencyError(
            "mosquitto, the MQTT broker that the demo runs, is not installed; "
            "get it with: sudo apt-get install --no-install-recommends mosquitto"
        )
    return program


def _ends_with_us() -> Tuple[str, ...]:
    """What makes the kernel end a program when we are killed and cannot do it ourselves, where that is installed."""
    program = shutil.which("setpriv")
    return () if program is None else (program, "--pdeathsig", "TERM")


def _listens(pid: int, port: int) -> bool:
    """Whether this very process listens on the port; a connection would also be taken by another who has it."""
    try:
        held = {os.readlink(descriptor) for descriptor in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:
        return False
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, *_, inode = line.split()[:10]
        if state == TCP_LISTEN and int(local.rpartition(":")[2], 16) == port and f"socket:[{inode}]" in held:
            return True
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
