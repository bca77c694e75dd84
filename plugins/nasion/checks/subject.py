"""What is checked: the settings of a run, the machine, and what several checks need of both."""

from functools import cached_property
from pathlib import Path
from typing import Callable, List, NamedTuple, Optional

from nasion.checks.machine import Machine
from nasion.checks.matrix import L4T_FILE, Numbers, Release, numbers_in, read_l4t, release_of
from nasion.config.nvinfer import NvinferConfig
from nasion.engine.choice import OwnEngine, choose_engine
from nasion.engine.precision import CPUINFO, network_config
from nasion.errors import InputError, NasionError
from nasion.settings import CameraSettings, RunSettings
from nasion.sources.frame import Clock, Source
from nasion.sources.open import open_source
from nasion.sources.uri import ENDING_SCHEMES, parse_uri

#: DeepStream says here which it is: "Version: 7.1".
DEEPSTREAM_FILE = "/opt/nvidia/deepstream/deepstream/version"
#: Kinds of sources that only the ZED SDK reads.
_OF_ZED = ("zed", "svo", "zed-stream")


class Choice(NamedTuple):
    """The engine a run would take, why, and the error it would end with instead."""

    name: OwnEngine
    why: str
    error: Optional[NasionError] = None


class Subject:
    """Facts are gathered when they are first asked for, once."""

    def __init__(
        self,
        settings: RunSettings,
        machine: Machine,
        clock: Clock,
        *,
        sources_named: bool = True,
        opener: Callable[..., Source] = open_source,
    ) -> None:
        """``sources_named`` False: nobody said what to look at, and the cameras of ``settings`` only fill the place."""
        self.settings = settings
        self.machine = machine
        self.clock = clock
        self.cameras = list(settings.cameras) if sources_named else []
        self.opener = opener

    @cached_property
    def choice(self) -> Choice:
        """What `run` would choose."""
        said: List[str] = []
        wanted = self.settings.engine
        try:
            name = choose_engine(wanted, self.machine.missing_for_deepstream, said.append)
        except NasionError as error:
            return Choice("deepstream" if wanted == "deepstream" else "onnxruntime", "", error)
        return Choice(name, "; ".join(text.partition("engine: ")[2] for text in said))

    @property
    def deepstream(self) -> bool:
        """Whether the run needs DeepStream."""
        return self.choice.name == "deepstream"

    @cached_property
    def zed(self) -> bool:
        """Whether the run needs the ZED SDK."""
        return any(self.of_zed(camera) for camera in self.cameras)

    @staticmethod
    def of_zed(camera: CameraSettings) -> bool:
        """Whether only the ZED SDK reads this camera."""
        return _scheme(camera.source) in _OF_ZED

    @cached_property
    def l4t(self) -> Optional[Numbers]:
        """None: no Jetson, or it does not say."""
        return read_l4t(self.machine.text(L4T_FILE))

    @property
    def release(self) -> Optional[Release]:
        """What goes with this L4T."""
        return release_of(self.l4t)

    @cached_property
    def deepstream_version(self) -> Numbers:
        """() where there is none."""
        return numbers_in(self.machine.text(DEEPSTREAM_FILE) or "")

    @cached_property
    def config(self) -> NvinferConfig:
        """The nvinfer file, with the model the settings name instead; InputError."""
        cpuinfo = self.machine.text(str(CPUINFO)) or ""
        return network_config(self.settings, engine=self.choice.name, cpuinfo=cpuinfo, on_event=lambda _: None)


def _scheme(source: str) -> Optional[str]:
    """The kind of a source; None where only its content tells, or it is none."""
    try:
        uri = parse_uri(source)
    except InputError:
        return None
    return uri.scheme or ENDING_SCHEMES.get(Path(uri.target).suffix.lower())
