"""A machine that a test makes up: every answer is a value, and what is not there is refused as the real one does."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from nasion.checks.machine import Imported
from nasion.checks.matrix import L4T_FILE, Release, written
from nasion.checks.subject import DEEPSTREAM_FILE, Subject
from nasion.checks.versions import ZED_FILE
from nasion.errors import DependencyError, HardwareError, InputError
from nasion.settings import RunSettings
from nasion.sources.clock import SystemClock
from nasion.tensorrt.engine_facts import EngineFacts
from nasion.tensorrt.versions import Version

NO_DEEPSTREAM = ("DeepStream's Python module pyds",)
ORIN = "orin-sm87-16sm"


@dataclass
class MadeUpMachine:
    """By default a laptop. ``files``: those that tell versions; others are read from the disk.

    ``engine``: what TensorRT says of any engine file; an error is raised.
    """

    arch: str = "x86_64"
    files: Dict[str, str] = field(default_factory=dict)
    python_is: Tuple[int, ...] = (3, 11, 2)
    numpy_is: str = "1.26.0"
    gstreamer_is: Tuple[int, ...] = (1, 22, 0)
    lacking: Sequence[str] = NO_DEEPSTREAM
    gpu_is: Optional[str] = None
    cuda_is: Tuple[int, ...] = ()
    tensorrt_is: Optional[Version] = None
    engine: Union[EngineFacts, Exception] = field(default_factory=lambda: DependencyError("no tensorrt; install it"))
    modules: Dict[str, Imported] = field(default_factory=dict)
    engines_are_in: Path = Path("/nowhere/engines")
    can_write: bool = True
    room: int = 1 << 40
    #: (module, loaded before it), in the order asked for.
    loaded: List[Tuple[str, Tuple[str, ...]]] = field(default_factory=list)

    def architecture(self) -> str:
        return self.arch

    def text(self, path: str) -> Optional[str]:
        if path in self.files:
            return self.files[path]
        if path in (L4T_FILE, DEEPSTREAM_FILE, ZED_FILE) or not Path(path).is_file():
            return None
        return Path(path).read_text()

    def python(self) -> Tuple[int, ...]:
        return self.python_is

    def numpy(self) -> str:
        return self.numpy_is

    def gstreamer(self) -> Tuple[int, ...]:
        return self.gstreamer_is

    def missing_for_deepstream(self) -> List[str]:
        return list(self.lacking)

    def gpu(self, index: int) -> str:
        assert index == 0
        if self.gpu_is is None:
            raise HardwareError("no NVIDIA GPU here; start with --runtime nvidia")
        return self.gpu_is

    def cuda(self) -> Tuple[int, ...]:
        if not self.cuda_is:
            raise HardwareError("no NVIDIA driver here; start with --runtime nvidia")
        return self.cuda_is

    def tensorrt(self) -> Version:
        if self.tensorrt_is is None:
            raise DependencyError("TensorRT's library cannot be loaded; use the container of your JetPack")
        return self.tensorrt_is

    def read_engine(self, path: Path) -> EngineFacts:
        assert path.is_file()
        if isinstance(self.engine, Exception):
            raise self.engine
        return self.engine

    def imported(self, name: str, attribute: str, before: Sequence[str], trial: str) -> Imported:
        assert attribute
        assert bool(trial) == (name == "pyds")
        self.loaded.append((name, tuple(before)))
        return self.modules.get(name, Imported("missing"))

    def engines(self) -> Path:
        return self.engines_are_in

    def writable(self, folder: Path) -> bool:  # noqa: ARG002
        return self.can_write

    def free_bytes(self, folder: Path) -> int:
        assert folder.is_dir()
        return self.room


def jetson(row: Release, **otherwise: Any) -> MadeUpMachine:
    """A Jetson with all that goes with ``row``, and the ZED SDK."""
    major, minor = row.l4t[0]
    modules = {
        "gi": Imported("genuine", "3.42.1"),
        "pyds": Imported("genuine", written(row.pyds) if row.pyds else "1.2.0"),
        "pyzed.sl": Imported("genuine", "5.0.2"),
        "onnxruntime": Imported("genuine", "1.19.0"),
    }
    facts: Dict[str, Any] = {
        "arch": "aarch64",
        "files": {
            L4T_FILE: f"# R{major} (release), REVISION: {minor}.1, GCID: 1, BOARD: generic, EABI: aarch64\n",
            DEEPSTREAM_FILE: f"Version: {written(row.deepstream[0])}\nGCID: 1\n",
            ZED_FILE: 'set(PACKAGE_VERSION "5.0.2")\n',
        },
        "python_is": (*row.python, 4),
        "gstreamer_is": (*row.gstreamer, 3),
        "lacking": (),
        "gpu_is": ORIN,
        "cuda_is": (*row.cuda, 0)[:2],
        "tensorrt_is": Version(row.tensorrt[0], row.tensorrt[1], 2),
        "modules": modules,
    }
    return MadeUpMachine(**{**facts, **otherwise})


def subject_of(machine: MadeUpMachine, *sources: str, **settings: Any) -> Subject:
    """``sources``: URIs of the cameras cam0, cam1, …; none: nobody named one."""
    cameras = [{"name": f"cam{number}", "source": uri} for number, uri in enumerate(sources or ["demo:"])]
    told = {"mqtt": {"url": "none"}, **settings, "cameras": cameras}
    return Subject(RunSettings.model_validate(told), machine, SystemClock(), sources_named=bool(sources))


def not_loadable(what: str = "engine x cannot be loaded; build it anew") -> InputError:
    """What TensorRT says of an engine of another version."""
    return InputError(what)
