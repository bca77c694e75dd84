"""What is asked of a ZED: which camera, recording or stream, and how it is opened."""

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Optional, Tuple, Union

from nasion.config.nearest import did_you_mean
from nasion.errors import InputError
from nasion.sources.uri import SourceUri

#: Lines of a picture as the URI says it: the SDK's name of that resolution, and (width, height).
SIZES: Dict[int, Tuple[str, Tuple[int, int]]] = {
    600: ("SVGA", (960, 600)),
    720: ("HD720", (1280, 720)),
    1080: ("HD1080", (1920, 1080)),
    1200: ("HD1200", (1920, 1200)),
}
#: Frames per second that some ZED has; USB models have 15 and 30 at 1080 lines.
RATES = (15, 30, 60, 100, 120)
#: Ways to find depth, in the order in which they are taken where none is asked for.
DEPTH_MODES = ("NEURAL", "NEURAL_LIGHT", "ULTRA", "QUALITY", "PERFORMANCE")
#: Where a stream's sender listens unless it is told otherwise.
PORT = 30000
#: A picture comes at most this long after its exposure; more is a typing error.
_MOST_DELAY_MS = 500.0

CAMERA_OPTIONS = ("size", "fps", "depth", "capture_delay_ms", "self_calibration", "stabilization")
SVO_OPTIONS = ("depth", "stabilization")
STREAM_OPTIONS = ("depth", "capture_delay_ms", "stabilization")


@dataclass(frozen=True)
class Camera:
    """A camera at this host; without ``serial`` the first that the SDK finds."""

    serial: Optional[int] = None


@dataclass(frozen=True)
class Recording:
    """An .svo or .svo2 file."""

    path: Path


@dataclass(frozen=True)
class Stream:
    """Another host's camera, sent by the SDK."""

    host: str
    port: int = PORT


@dataclass(frozen=True)
class ZedRequest:
    """Everything the SDK is to be told, but for the depth limits.

    ``size`` (lines, a key of SIZES) and ``fps``: None for recordings and streams, which have their own. ``depth_mode``:
    None for the first of DEPTH_MODES that the SDK has. ``capture_delay_ns``: from the exposure to the SDK's stamp.
    ``self_calibration``: the SDK refines the factory calibration at each opening. ``stabilization``: 0 to 100, depth
    smoothed over time, for which the SDK tracks its own motion; 0 is off and right for persons who move.
    """

    uri: str
    input: Union[Camera, Recording, Stream]
    size: Optional[int] = None
    fps: Optional[int] = None
    depth_mode: Optional[str] = None
    capture_delay_ns: int = 0
    self_calibration: bool = True
    stabilization: int = 0

    @property
    def live(self) -> bool:
        """Whether frames come at the pace of real time."""
        return not isinstance(self.input, Recording)


def camera_request(uri: SourceUri) -> ZedRequest:
    """``zed:`` or ``zed:SERIAL``; InputError."""
    serial = uri.target
    if serial and not (serial.isascii() and serial.isdecimal() and int(serial) > 0):
        raise InputError(f"{uri.text}: a camera is named by its serial number, as on its sticker, not {serial!r}")
    self_calibration = uri.flag("self_calibration")
    return ZedRequest(
        uri.text,
        Camera(int(serial) if serial else None),
        size=uri.choice("size", SIZES, default=1080),
        fps=uri.choice("fps", RATES, default=30),
        depth_mode=_depth_mode(uri),
        capture_delay_ns=_delay_ns(uri),
        self_calibration=self_calibration is not False,
        stabilization=_stabilization(uri),
    )


def svo_request(uri: SourceUri, path: Path) -> ZedRequest:
    """``svo:FILE``; InputError where there is no such file."""
    if not path.is_file():
        raise InputError(f"{path} is not a file" if path.exists() else f"{path} does not exist")
    return ZedRequest(
        uri.text,
        Recording(path),
        depth_mode=_depth_mode(uri),
        stabilization=_stabilization(uri),
    )


def stream_request(uri: SourceUri) -> ZedRequest:
    """``zed-stream:HOST:PORT``; InputError."""
    host, colon, port = uri.target.partition(":")
    if not colon:
        port = str(PORT)
    if not host or not (port.isascii() and port.isdecimal()) or not 0 < int(port) < 65536:
        raise InputError(f"{uri.text}: expected zed-stream:HOST:PORT, e.g. zed-stream:10.0.0.2:{PORT}")
    return ZedRequest(
        uri.text,
        Stream(host, int(port)),
        depth_mode=_depth_mode(uri),
        capture_delay_ns=_delay_ns(uri),
        stabilization=_stabilization(uri),
    )


def _depth_mode(uri: SourceUri) -> Optional[str]:
    text = uri.options.get("depth")
    if text is None:
        return None
    # NEURAL_PLUS is asked for or not taken: it is too slow for a fall-back.
    known = (*DEPTH_MODES, "NEURAL_PLUS")
    if text.upper() not in known:
        names = ", ".join(name.lower() for name in known)
        near = did_you_mean(text.lower(), [name.lower() for name in known])
        raise InputError(f"{uri.text}: depth is one of {names}, not {text!r}{near}")
    return text.upper()


def _stabilization(uri: SourceUri) -> int:
    text = uri.options.get("stabilization", "0")
    if not (text.isascii() and text.isdecimal()) or int(text) > 100:
        raise InputError(f"{uri.text}: stabilization is 0 (off) to 100, not {text!r}")
    return int(text)


def _delay_ns(uri: SourceUri) -> int:
    text = uri.options.get("capture_delay_ms", "0")
    try:
        delay_ms = float(text)
    except ValueError:
        delay_ms = -1.0
    if not 0 <= delay_ms <= _MOST_DELAY_MS:
        raise InputError(f"{uri.text}: capture_delay_ms is 0 to {_MOST_DELAY_MS:g} milliseconds, not {text!r}")
    return round(delay_ms * 1e6)
