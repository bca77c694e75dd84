"""Runs `trtexec`: the only place that starts it."""

import shutil
import subprocess
from pathlib import Path
from typing import Optional, Sequence

from nasion.errors import DependencyError, NasionError
from nasion.tensorrt.report import errors, passed
from nasion.tensorrt.versions import Version, from_banner

#: Where every JetPack has it, in no PATH; DeepStream's images have a dangling link there.
USUAL = "/usr/src/tensorrt/bin/trtexec"


def find_trtexec(named: Optional[str]) -> str:
    """The program: as ``named``, else from PATH, else from its usual place. DependencyError where it is not there."""
    found = shutil.which(named) if named else shutil.which("trtexec") or shutil.which(USUAL)
    if found is None:
        raise DependencyError(
            f"trtexec is not at {named or USUAL}; install libnvinfer-bin on the Jetson, in a container mount its "
            "/usr/src/tensorrt there, or name it with --trtexec"
        )
    return found


def ask_version(trtexec: str) -> Version:
    """Which TensorRT it belongs to; needs no GPU."""
    try:
        told = subprocess.run(
            [trtexec, "--help"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except OSError as error:
        raise DependencyError(f"{trtexec} cannot be started: {error.strerror}") from None
    return from_banner(told.stdout.decode("utf-8", "replace"))


def run_trtexec(command: Sequence[str], log: Path, folder: Optional[Path] = None) -> str:
    """Run it in ``folder`` and return what it printed, which ``log`` shows while it runs.

    NasionError, with its own first errors, where it does not end with PASSED.
    """
    try:
        with log.open("wb") as stream:
            ended = subprocess.run(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                cwd=None if folder is None else str(folder),
                check=False,
            )
        output = log.read_bytes().decode("utf-8", "replace")
    except OSError as error:
        raise NasionError(f"{command[0]}: {error.strerror} ({error.filename})") from None
    if ended.returncode != 0 or not passed(output):
        said = "; ".join(errors(output)[:2]) or f"it ended with {ended.returncode}"
        raise NasionError(f"trtexec failed: {said}; all it said is in {log}")
    return output
