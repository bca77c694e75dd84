"""What a return code of the ZED SDK means: by name, because the lists differ from version to version."""

import enum
from dataclasses import dataclass
from typing import Dict

from nasion.errors import HardwareError, InputError, NasionError
from nasion.sources.zed.options import Camera, Recording, ZedRequest


class Meaning(enum.Enum):
    """What to do about a code."""

    GOOD = "use the frame"
    WARNED = "use the frame, tell the warning"
    CORRUPT = "skip the frame, count it"
    REBOOTING = "no frame; the SDK is bringing the camera back"
    ENDED = "the recording is over"
    LOST = "close, wait, open again"
    FATAL = "end the run"


_BY_NAME: Dict[str, Meaning] = {
    "SUCCESS": Meaning.GOOD,
    "CORRUPTED_FRAME": Meaning.CORRUPT,
    "CAMERA_REBOOTING": Meaning.REBOOTING,
    "END_OF_SVOFILE_REACHED": Meaning.ENDED,
    "NO_GPU_COMPATIBLE": Meaning.FATAL,
    "NO_GPU_DETECTED": Meaning.FATAL,
    "CUDA_ERROR": Meaning.FATAL,
}

_REMEDIES: Dict[str, str] = {
    "CAMERA_NOT_DETECTED": "plug it in; in a container pass /dev and the device rules, and install the udev rules on "
    "the host",
    "CAMERA_STREAM_FAILED_TO_START": "is another program using it?",
    "CANNOT_START_CAMERA_STREAM": "is another program using it?",
    "LOW_USB_BANDWIDTH": "give it a USB 3 port of its own, or ask for less with ?size=720 or ?fps=15",
    "CAMERA_EXCEEDS_BANDWIDTH": "ask for less with ?size or ?fps",
    "INVALID_RESOLUTION": "this model has no such ?size or ?fps",
    "DRIVER_FAILURE": "restart the camera's driver or daemon on the host",
    "NO_GPU_COMPATIBLE": "the ZED SDK needs an NVIDIA GPU; in a container: --runtime nvidia",
    "NO_GPU_DETECTED": "the ZED SDK needs an NVIDIA GPU; in a container: --runtime nvidia",
    "END_OF_SVOFILE_REACHED": "it holds not one whole picture",
    "CUDA_ERROR": "the GPU's state is lost for this process; start it anew",
}


@dataclass(frozen=True)
class Code:
    """A return code: the SDK's name for it, and what it means here."""

    name: str
    meaning: Meaning

    @property
    def ok(self) -> bool:
        """Whether the call did what it was asked to."""
        return self.meaning in (Meaning.GOOD, Meaning.WARNED)


def code(name: str, rank: int) -> Code:
    """``rank``: the code's number less that of SUCCESS; below 0 are warnings, above it failures."""
    known = _BY_NAME.get(name)
    if known is not None:
        return Code(name, known)
    return Code(name, Meaning.WARNED if rank < 0 else Meaning.LOST)


def advice(found: Code) -> str:
    """The code's name, and what to do about it where that is known."""
    remedy = _REMEDIES.get(found.name)
    return found.name if remedy is None else f"{found.name}: {remedy}"


def open_error(request: ZedRequest, found: Code) -> NasionError:
    """Why what was asked for cannot be opened; its kind gives the exit code."""
    if found.meaning is Meaning.FATAL:
        return fatal_error(request, found)
    if isinstance(request.input, Recording):
        return InputError(f"{request.uri}: the ZED SDK cannot play it ({advice(found)})")
    if found.name == "INVALID_RESOLUTION":
        return InputError(f"{request.uri}: the ZED SDK cannot open it ({advice(found)})")
    what = "no ZED camera" if isinstance(request.input, Camera) else "no sender of a ZED stream"
    return HardwareError(f"{request.uri}: {what} can be opened ({advice(found)})")


def fatal_error(request: ZedRequest, found: Code) -> NasionError:
    """Why the run has to end; a supervisor starts it anew."""
    kind = HardwareError if found.name.startswith("NO_GPU") else NasionError
    return kind(f"{request.uri}: {advice(found)}")
