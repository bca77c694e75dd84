"""Asks the machine. All facts come from here, so that tests can make up a machine."""

import ctypes
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from platform import machine as architecture
from typing import List, Optional, Sequence

import numpy as np
from typing_extensions import Literal, Protocol

from nasion.checks.matrix import Numbers
from nasion.engine.choice import missing_for_deepstream
from nasion.errors import HardwareError
from nasion.pipeline.gst import has_element, load_gst
from nasion.tensorrt.command import default_engines
from nasion.tensorrt.device import read_gpu, read_tensorrt
from nasion.tensorrt.engine_facts import EngineFacts, read_engine
from nasion.tensorrt.versions import Version

#: Loading a module takes a second, on a Jetson some.
_IMPORT_TIMEOUT_S = 60.0
#: A file that tells a version is small.
_MOST_BYTES = 1 << 16

#: Tried in a process of its own: a module built for other libraries may end the process, and that must not be ours.
_IMPORT = """
import contextlib, importlib, importlib.metadata, json, sys
paths, before, name, attribute, trial = json.loads(sys.argv[1])
sys.path[:] = paths
# Switches the telemetry of what is loaded here off.
import nasion
for one in before:
    with contextlib.suppress(Exception):
        importlib.import_module(one)
top = name.partition(".")[0]
said = {"state": "genuine", "version": None, "detail": "", "misfit": ""}
try:
    module = importlib.import_module(name)
    said["version"] = str(getattr(module, "__version__", "")) or None
    if not hasattr(module, attribute):
        said["state"] = "other"
except ModuleNotFoundError as error:
    said["state"] = "missing" if error.name == top else "other" if error.name == name else "broken"
    said["detail"] = str(error)
except Exception as error:
    said["state"], said["detail"] = "broken", f"{type(error).__name__}: {error}"
with contextlib.suppress(Exception):
    said["version"] = importlib.metadata.version(top)
if name == "pyzed.sl" and said["state"] == "genuine":
    # The wheel's own version is MAJOR.MINOR only.
    with contextlib.suppress(Exception):
        said["version"] = str(module.Camera.get_sdk_version())
if trial and said["state"] == "genuine":
    # Said before it is tried, for it may end the process.
    print("\\n" + json.dumps({**said, "misfit": "it ends the process"}), flush=True)
    try:
        eval(trial, {"module": module})
    except Exception as error:
        said["misfit"] = f"{type(error).__name__}: {error}"
print("\\n" + json.dumps(said))
"""


@dataclass(frozen=True)
class Imported:
    """How the attempt to load a module ended.

    ``state``: `other` is another project's of that name; ``detail``: why it is `broken`; ``version``: where it is told;
    ``misfit``: how the trial ended of one that is `genuine`, empty where it went well.
    """

    state: Literal["genuine", "missing", "other", "broken"]
    version: Optional[str] = None
    detail: str = ""
    misfit: str = ""


class Machine(Protocol):
    """What is asked. A question that fails raises a NasionError with the remedy in it."""

    def architecture(self) -> str:
        """`aarch64` on a Jetson."""

    def text(self, path: str) -> Optional[str]:
        """The content of a small file; None where it cannot be read."""

    def python(self) -> Numbers:
        """Version of this interpreter."""

    def numpy(self) -> str:
        """Version of NumPy."""

    def gstreamer(self) -> Numbers:
        """Version of GStreamer."""

    def missing_for_deepstream(self) -> List[str]:
        """What DeepStream's engine lacks here."""

    def gpu(self, index: int) -> str:
        """The GPU as engine folders name it."""

    def cuda(self) -> Numbers:
        """Version of CUDA that the driver has."""

    def tensorrt(self) -> Version:
        """Version of TensorRT's library."""

    def read_engine(self, path: Path) -> EngineFacts:
        """What TensorRT says of an engine file."""

    def imported(self, name: str, attribute: str, before: Sequence[str], trial: str) -> Imported:
        """Load module ``name`` after ``before``, look for ``attribute`` in it, and try the expression ``trial``.

        In ``trial`` it is called `module`; an empty one is not tried.
        """

    def engines(self) -> Path:
        """The folder of TensorRT engines."""

    def writable(self, folder: Path) -> bool:
        """Whether files can be made in ``folder``, or the folder itself where it is not there yet."""

    def free_bytes(self, folder: Path) -> int:
        """Room on its disk."""


class ThisMachine:
    """The machine we run on."""

    def architecture(self) -> str:
        return architecture()

    def text(self, path: str) -> Optional[str]:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read(_MOST_BYTES)
        except OSError:
            return None

    def python(self) -> Numbers:
        return tuple(sys.version_info[:3])

    def numpy(self) -> str:
        return np.__version__

    def gstreamer(self) -> Numbers:
        version = load_gst().version()
        return (version.major, version.minor, version.micro)

    def missing_for_deepstream(self) -> List[str]:
        return missing_for_deepstream(has_element)

    def gpu(self, index: int) -> str:
        return read_gpu(index)

    def cuda(self) -> Numbers:
        version = ctypes.c_int()
        try:
            status = ctypes.CDLL("libcuda.so.1").cuDriverGetVersion(ctypes.byref(version))
        except OSError as error:
            raise HardwareError(
                f"no NVIDIA driver here ({error}); in a container: --runtime nvidia (Jetson) or --gpus all"
            ) from None
        if status != 0:
            raise HardwareError(f"the NVIDIA driver does not tell its CUDA: error {status}; restart the machine")
        return (version.value // 1000, version.value % 1000 // 10)

    def tensorrt(self) -> Version:
        return read_tensorrt()

    def read_engine(self, path: Path) -> EngineFacts:
        return read_engine(path)

    def imported(self, name: str, attribute: str, before: Sequence[str], trial: str) -> Imported:
        asked = json.dumps([sys.path, list(before), name, attribute, trial])
        try:
            ended = subprocess.run(
                [sys.executable, "-c", _IMPORT, asked],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_IMPORT_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Imported("broken", detail=f"it did not load within {_IMPORT_TIMEOUT_S:.0f} s")
        try:
            return Imported(**json.loads(ended.stdout.decode("utf-8", "replace").splitlines()[-1]))
        except (ValueError, IndexError, TypeError):
            last = ended.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            said = f": {last[0]}" if last else ""
            return Imported("broken", detail=f"it ends the process with code {ended.returncode}{said}")

    def engines(self) -> Path:
        return default_engines()

    def writable(self, folder: Path) -> bool:
        there = next((one for one in (folder, *folder.parents) if one.exists()), folder)
        # Tried, because permissions are not all there is; such a file has no name and leaves nothing behind.
        try:
            with tempfile.TemporaryFile(dir=str(there)):
                return True
        except OSError:
            return False

    def free_bytes(self, folder: Path) -> int:
        return shutil.disk_usage(str(folder)).free
