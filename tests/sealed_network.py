"""Runs a program in a network of its own, where a name server writes down whom it asks for. Nothing gets out.

Linux's namespaces do it (`unshare` of util-linux); where they are not allowed, `unavailable` says why.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_UNSHARE = ("unshare", "--user", "--map-root-user", "--net", "--mount")
_ROOT = Path(__file__).parents[1]
#: Libraries leave these alone where they believe to be tested.
_HINTS_OF_TESTS = ("CI", "GITHUB_ACTIONS", "TF_BUILD", "JENKINS_URL", "ORT_RUNNING_UNIT_TESTS", "ORT_DISABLE_TELEMETRY")


@dataclass(frozen=True)
class Sealed:
    """``asked``: names that were looked up; ``kept``: files left in the home folder."""

    code: int
    output: str
    asked: frozenset[str]
    kept: frozenset[str]


@lru_cache(maxsize=None)
def unavailable() -> str | None:
    """Why it cannot be done here; None where it can."""
    try:
        tried = subprocess.run([*_UNSHARE, "true"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "unshare (util-linux) is not here"
    return None if tried.returncode == 0 else f"no namespaces here: {tried.stderr.strip()}"


def run_sealed(command: list[str], folder: Path) -> Sealed:
    """Run ``command`` in ``folder`` with an empty home folder, as if it were no test."""
    home = folder / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if name not in _HINTS_OF_TESTS}
    for name in [name for name in environment if name.startswith(("XDG_", "PYTEST_"))]:
        del environment[name]
    environment.update(
        HOME=str(home),
        # These two keep what they find on the machine, and send nothing.
        GST_REGISTRY=str(folder / "gstreamer.registry"),
        MPLCONFIGDIR=str(folder / "matplotlib"),
        PYTHONPATH=os.pathsep.join([str(_ROOT / "plugins"), str(_ROOT)]),
    )
    report = folder / "report.json"
    done = subprocess.run(
        [*_UNSHARE, sys.executable, __file__, str(report), *command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    kept = frozenset(str(path.relative_to(home)) for path in home.rglob("*"))
    asked = frozenset(json.loads(report.read_text())) if report.exists() else frozenset({"(no report)"})
    return Sealed(done.returncode, done.stdout, asked, kept)


def _inside(report: Path, command: list[str]) -> int:
    """In the namespaces: a loopback interface, a name server that knows no name, and the program."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ends:
        # SIOCSIFFLAGS: IFF_UP and IFF_RUNNING.
        fcntl.ioctl(ends, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40))
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    asked: set[str] = set()
    threading.Thread(target=_serve, args=(server, asked), daemon=True).start()
    resolv = report.with_name("resolv.conf")
    resolv.write_text("nameserver 127.0.0.1\n")
    subprocess.run(["mount", "--bind", str(resolv), "/etc/resolv.conf"], check=True)
    code = subprocess.run(command, check=False).returncode
    report.write_text(json.dumps(sorted(asked)))
    return code


def _serve(server: socket.socket, asked: set[str]) -> None:
    while True:
        question, address = server.recvfrom(4096)
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode("ascii", "replace"))
            at += question[at] + 1
        asked.add(".".join(labels))
        # NXDOMAIN.
        server.sendto(question[:2] + b"\x81\x83" + question[4:6] + bytes(6) + question[12:], address)


if __name__ == "__main__":
    sys.exit(_inside(Path(sys.argv[1]), sys.argv[2:]))
