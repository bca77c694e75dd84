"""A double of ``pyzed.sl``, strict: what the real one refuses, or answers otherwise than one would like, it does too.

It knows the names that we may use and no others, by version, as they stand in Stereolabs' public binding of 3.8, 4.2,
5.0 and 5.4. It fails loudly where the real one would fail silently: a call from another thread than the object was made
in, a grab or retrieve of a closed camera, a camera opened a second time, an attribute or value that is not there.
"""

from __future__ import annotations

import ctypes
import enum
import os
import sys
import threading
import types
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Callable, ClassVar

import numpy as np
from numpy.typing import NDArray

VERSIONS = ("3.8", "4.2", "5.0", "5.4")

_WARNINGS = {
    "3.8": (),
    "4.2": ("CONFIGURATION_FALLBACK", "SENSORS_DATA_REQUIRED", "CORRUPTED_FRAME", "CAMERA_REBOOTING"),
    "5.0": ("CONFIGURATION_FALLBACK", "SENSORS_DATA_REQUIRED", "CORRUPTED_FRAME", "CAMERA_REBOOTING"),
    "5.4": (
        "SENSOR_CONFIGURATION_CHANGED",
        "POTENTIAL_CALIBRATION_ISSUE",
        "CONFIGURATION_FALLBACK",
        "SENSORS_DATA_REQUIRED",
        "CORRUPTED_FRAME",
        "CAMERA_REBOOTING",
    ),
}
_FAILURES = (
    "FAILURE",
    "NO_GPU_COMPATIBLE",
    "CAMERA_NOT_DETECTED",
    "INVALID_RESOLUTION",
    "LOW_USB_BANDWIDTH",
    "END_OF_SVOFILE_REACHED",
    "CUDA_ERROR",
    "CANNOT_START_CAMERA_STREAM",
    "NO_GPU_DETECTED",
)
#: Came with 5.4.
_LATE_FAILURES = ("DRIVER_FAILURE", "CAMERA_EXCEEDS_BANDWIDTH")
_DEPTH_MODES = {
    "3.8": ("NONE", "PERFORMANCE", "QUALITY", "ULTRA", "NEURAL"),
    "4.2": ("NONE", "PERFORMANCE", "QUALITY", "ULTRA", "NEURAL", "NEURAL_PLUS"),
    "5.0": ("NONE", "PERFORMANCE", "QUALITY", "ULTRA", "NEURAL_LIGHT", "NEURAL", "NEURAL_PLUS"),
    "5.4": ("NONE", "PERFORMANCE", "QUALITY", "ULTRA", "NEURAL_LIGHT", "NEURAL", "NEURAL_PLUS", "CUSTOM"),
}
SIZES = {"HD1080": (1920, 1080), "HD1200": (1920, 1200), "HD720": (1280, 720), "SVGA": (960, 600)}
#: Of the kinds of Mats that we may use.
_PIXEL_BYTES = {"F32_C1": 4, "U8_C4": 4}
#: What stands in memory that was let go.
_GONE = 0xDD
#: mypy knows the members of an enumeration only where they are written out.
_Enum: Any = enum.Enum


def picture_of(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """BGRA; blue says which picture it is, and a red dot is in the middle."""
    picture = np.zeros((height, width, 4), np.uint8)
    across = np.exp(-0.5 * ((np.arange(width) - width / 2) / (width / 120)) ** 2)
    down = np.exp(-0.5 * ((np.arange(height) - height / 2) / (width / 120)) ** 2)
    picture[:, :, 2] = np.rint(250 * np.outer(down, across))
    picture[:8, :8, 0] = number % 256
    picture[:, :, 3] = 255
    return picture


def depth_of(number: int, width: int, height: int) -> NDArray[np.float32]:
    """Metres; a wall whose distance says which picture it is of, with NaN in its first column."""
    depth = np.full((height, width), 1.0 + 0.01 * number, np.float32)
    depth[:, 0] = np.nan
    return depth


@dataclass
class Reality:
    """What is really there, and what happens: written by the test, seen through the double.

    ``opens``, ``grabs``: return codes of the calls to come, by name; then SUCCESS. ``frames``: of the recording.
    ``native``: size of a recording or stream. ``fails_to_retrieve``: codes of `retrieve_*` by grab number.
    """

    version: str = "5.4"
    clock: Any = None
    opens: deque[str] = field(default_factory=deque)
    grabs: deque[str] = field(default_factory=deque)
    frames: int = 5
    native: tuple[int, int] = (1280, 720)
    present: bool = True
    #: Of the cameras that are found at each opening without a serial number; then the last one again.
    serials: list[int] = field(default_factory=lambda: [20000001])
    #: Depth modes that this build of the SDK lacks.
    without: tuple[str, ...] = ()
    picture: Callable[[int, int, int], NDArray[np.uint8]] = picture_of
    depth: Callable[[int, int, int], NDArray[np.float32]] = depth_of
    stamp: Callable[[int], int] | None = None
    before_grab: Callable[[], None] = lambda: None
    age_ns: int = 60_000_000
    period_ns: int = 33_333_333
    focal_shift: list[float] = field(default_factory=list)
    fails_to_retrieve: dict[tuple[int, str], str] = field(default_factory=dict)
    health: dict[str, bool] = field(default_factory=dict)
    dropped: int = 0
    #: Pixels beyond the end of each row of a Mat.
    padding: int = 0
    #: Of the SDK; its first two numbers are those of ``version`` where it is None.
    sdk: str | None = None
    #: Whether a Mat that was given memory is written where it was told to.
    writes_into_lent_memory: bool = True
    #: Bytes that the SDK wrote into Mats, how many Mats have memory of their own, and what was theirs.
    written: int = 0
    mats: int = 0
    gone: list[Any] = field(default_factory=list)
    #: What was done: for the test to look at.
    opened: list[Any] = field(default_factory=list)
    rebooted: list[int] = field(default_factory=list)
    grabbed: int = 0
    is_open: bool = False


def module(reality: Reality) -> types.ModuleType:
    """``pyzed.sl`` of ``reality.version``."""
    version = reality.version
    sl = types.ModuleType("pyzed.sl")
    warnings = _WARNINGS[version]
    failures = (*_FAILURES, *(_LATE_FAILURES if version == "5.4" else ()))
    codes = _Enum(
        "ERROR_CODE",
        [(name, place - len(warnings)) for place, name in enumerate((*warnings, "SUCCESS", *failures))],
    )
    names = ["HD1080", "HD720", *(["HD1200", "SVGA", "AUTO"] if version != "3.8" else [])]
    resolutions = _Enum("RESOLUTION", names)
    depth_modes = _Enum("DEPTH_MODE", [name for name in _DEPTH_MODES[version] if name not in reality.without])
    views = _Enum("VIEW", ["LEFT"])
    measures = _Enum("MEASURE", ["DEPTH", "XYZ", "CONFIDENCE"])
    memories = _Enum("MEM", ["CPU", "GPU"])
    mat_types = _Enum("MAT_TYPE", list(_PIXEL_BYTES))
    units = _Enum("UNIT", ["MILLIMETER", "METER"])
    systems = _Enum("COORDINATE_SYSTEM", ["IMAGE"])
    times = _Enum("TIME_REFERENCE", ["IMAGE", "CURRENT"])

    class Owned:
        """Belongs to the thread it was made in."""

        def __init__(self) -> None:
            object.__setattr__(self, "_owner", threading.get_ident())

        def _here(self) -> None:
            if self._owner != threading.get_ident():  # type: ignore[attr-defined]
                raise RuntimeError(f"{type(self).__name__} is used in another thread than it was made in")

    class Parameters(Owned):
        """Has the attributes of ``fields``, each of one type, and no others."""

        fields: ClassVar[dict[str, Any]] = {}

        def __init__(self) -> None:
            super().__init__()
            for name, value in self.fields.items():
                object.__setattr__(self, name, value)

        def __setattr__(self, name: str, value: Any) -> None:
            self._here()
            if name not in self.fields:
                raise AttributeError(f"'{type(self).__name__}' object has no attribute {name!r}")
            kind = type(self.fields[name])
            if not isinstance(value, (int, float) if kind is float else kind):
                raise TypeError(f"{name} must be {kind.__name__}, not {value!r}")
            object.__setattr__(self, name, value)

    class InitParameters(Parameters):
        fields: ClassVar[dict[str, Any]] = {
            "camera_resolution": resolutions.AUTO if version != "3.8" else resolutions.HD720,
            "camera_fps": 0,
            "depth_mode": getattr(depth_modes, "NEURAL" if version[0] == "5" else "PERFORMANCE", depth_modes.NONE),
            "coordinate_units": units.MILLIMETER,
            "coordinate_system": systems.IMAGE,
            "depth_minimum_distance": -1.0,
            "depth_maximum_distance": -1.0,
            "depth_stabilization": 30,
            "svo_real_time_mode": False,
            "open_timeout_sec": 5.0,
            "sdk_verbose": 1,
            "camera_disable_self_calib": False,
            "sensors_required": False,
            **(
                {}
                if version == "3.8"
                else {"async_grab_camera_recovery": False, "enable_image_validity_check": version[0] == "5"}
            ),
        }

        def __init__(self) -> None:
            super().__init__()
            object.__setattr__(self, "wanted", ("id", 0))

        def set_from_camera_id(self, number: int) -> None:
            object.__setattr__(self, "wanted", ("id", _of(int, number)))

        def set_from_serial_number(self, serial: int) -> None:
            object.__setattr__(self, "wanted", ("serial", _of(int, serial)))

        def set_from_svo_file(self, path: str) -> None:
            object.__setattr__(self, "wanted", ("svo", _of(str, path)))

        def set_from_stream(self, host: str, port: int = 30000) -> None:
            object.__setattr__(self, "wanted", ("stream", (_of(str, host), _of(int, port))))

    class RuntimeParameters(Parameters):
        fields: ClassVar[dict[str, Any]] = {
            "enable_depth": True,
            "confidence_threshold": 95,
            "texture_confidence_threshold": 100,
            "remove_saturated_areas": True,
            **({} if version == "3.8" else {"enable_fill_mode": False}),
        }

    class Resolution:
        def __init__(self, width: int = 0, height: int = 0) -> None:
            self.width, self.height = _of(int, width), _of(int, height)

    class Mat(Owned):
        """Its memory is written again by each retrieve and is gone when it dies.

        `get_data` takes padded rows for pixels and keeps nothing alive, as the real one.
        """

        def __init__(self) -> None:
            super().__init__()
            self._memory: Any = None
            self._shape: tuple[int, ...] = ()
            self._borrows = False

        def init_mat_cpu(
            self, width: int, height: int, mat_type: Any, ptr: Any, step: int, memory_type: Any = memories.CPU
        ) -> None:
            self._here()
            _of(mat_types, mat_type)
            _of(memories, memory_type)
            if version != "5.4":
                # So it stands there until 5.3.0, whatever it is given.
                ptr = ptr.encode()
            pixel = _PIXEL_BYTES[mat_type.name]
            if _of(int, step) < _of(int, width) * pixel or _of(int, ptr) == 0:
                raise AssertionError("rows do not fit into the memory that is lent")
            kind: Any = np.dtype(np.float32 if mat_type.name.startswith("F32") else np.uint8)
            bare: Any = (ctypes.c_uint8 * (step * height)).from_address(ptr)
            lent = np.frombuffer(bare, kind)
            channels = pixel // kind.itemsize
            shape = (height, step // pixel, channels) if channels > 1 else (height, step // pixel)
            self._memory, self._shape = lent.reshape(shape), (height, width, *shape[2:])
            self._borrows = True

        def fill(self, data: NDArray[Any]) -> None:
            height, width = data.shape[:2]
            fits = self._memory is not None and self._memory.dtype == data.dtype
            if fits and self._borrows:
                fits = reality.writes_into_lent_memory and self._shape == data.shape
            elif fits:
                fits = self._memory.shape == (height, width + reality.padding, *data.shape[2:])
            if not fits:
                self._let_go()
                self._memory = np.full((height, width + reality.padding, *data.shape[2:]), 77, data.dtype)
                self._borrows = False
                reality.mats += 1
            self._shape = data.shape
            self._memory[:, :width] = data
            reality.written += data.nbytes

        def _let_go(self) -> None:
            """Whoever still reads what was its memory reads other numbers; it stays mapped, so that tests go on."""
            if self._memory is not None and not self._borrows:
                self._memory.view(np.uint8)[...] = _GONE
                reality.gone.append(self._memory)

        def __del__(self) -> None:
            self._let_go()

        def get_data(self, memory_type: Any = memories.CPU, deep_copy: bool = False) -> NDArray[Any]:
            self._filled(memory_type)
            count = int(np.prod(self._shape)) * self._memory.itemsize
            bare: Any = (ctypes.c_uint8 * count).from_address(self._memory.ctypes.data)
            view: NDArray[Any] = np.frombuffer(bare, self._memory.dtype).reshape(self._shape)
            return view.copy() if deep_copy else view

        def get_pointer(self, memory_type: Any = memories.CPU) -> int:
            self._filled(memory_type)
            return int(self._memory.ctypes.data)

        def get_step_bytes(self, memory_type: Any = memories.CPU) -> int:
            self._filled(memory_type)
            return int(self._memory.strides[0])

        def get_pixel_bytes(self) -> int:
            self._here()
            return int(self._memory.strides[1])

        def get_width(self) -> int:
            self._here()
            return self._shape[1]

        def get_height(self) -> int:
            self._here()
            return self._shape[0]

        def _filled(self, memory_type: Any) -> None:
            self._here()
            if self._memory is None or memory_type is not memories.CPU:
                raise ValueError("Provided MEM type doesn't match Mat's memory_type.")

    class Timestamp:
        def __init__(self, ns: int) -> None:
            self._ns = ns

        def get_nanoseconds(self) -> int:
            return self._ns

    class Camera(Owned):
        """Gives nothing but what belongs to its last grab."""

        def __init__(self) -> None:
            super().__init__()
            self._init: Any = None
            self._number: int | None = None
            self._depth_there = False
            self._image_ns = 0
            self._played = 0

        def open(self, parameters: InitParameters) -> Any:
            self._here()
            parameters._here()
            _of(InitParameters, parameters)
            if reality.is_open:
                raise AssertionError("a camera was opened that is still open")
            wanted = codes[reality.opens.popleft() if reality.opens else "SUCCESS"]
            if not reality.present and parameters.wanted[0] != "svo":  # type: ignore[attr-defined]
                wanted = codes.CAMERA_NOT_DETECTED
            reality.opened.append(parameters)
            if wanted.value <= codes.SUCCESS.value and wanted.name != "CAMERA_REBOOTING":
                self._init, reality.is_open = parameters, True
                self._shift = reality.focal_shift.pop(0) if reality.focal_shift else 0.0
                kind, named = parameters.wanted  # type: ignore[attr-defined]
                found = reality.serials.pop(0) if len(reality.serials) > 1 else reality.serials[0]
                self._serial = named if kind == "serial" else found
            return wanted

        def close(self) -> None:
            self._here()
            if self._init is not None:
                reality.is_open = False
            self._init, self._number = None, None

        def grab(self, runtime: RuntimeParameters) -> Any:
            self._opened()
            _of(RuntimeParameters, runtime)._here()
            reality.before_grab()
            kind = self._init.wanted[0]
            if not reality.present and kind != "svo":
                return codes.CAMERA_NOT_DETECTED
            found = codes[reality.grabs.popleft() if reality.grabs else "SUCCESS"]
            if kind == "svo" and found is codes.SUCCESS and self._played == reality.frames:
                found = codes.END_OF_SVOFILE_REACHED
            if found.value > codes.SUCCESS.value or found.name == "CAMERA_REBOOTING":
                return found
            self._number = reality.grabbed
            self._depth_there = runtime.enable_depth  # type: ignore[attr-defined]
            self._image_ns = self._stamp(kind)
            reality.grabbed += 1
            self._played += 1
            return found

        def retrieve_image(
            self, mat: Mat, view: Any = views.LEFT, memory: Any = memories.CPU, size: Resolution | None = None
        ) -> Any:
            if view is not views.LEFT:
                raise TypeError("the left picture is what depth belongs to")
            return self._retrieve("image", mat, memory, size, reality.picture)

        def retrieve_measure(
            self, mat: Mat, measure: Any = measures.DEPTH, memory: Any = memories.CPU, size: Resolution | None = None
        ) -> Any:
            if measure is not measures.DEPTH or not self._depth_there:
                raise TypeError("depth was not asked for at the grab")
            return self._retrieve("measure", mat, memory, size, self._depth)

        def get_timestamp(self, reference: Any) -> Timestamp:
            self._opened()
            return Timestamp(self._image_ns if reference is times.IMAGE else reality.clock.utc_ns())

        def get_camera_information(self, size: Resolution | None = None) -> Any:
            self._opened()
            width, height = (size.width, size.height) if size and size.width else self._native()
            metres = 1 if self._init.coordinate_units is units.METER else 1000
            left = types.SimpleNamespace(
                fx=0.55 * width + self._shift, fy=0.55 * width + self._shift, cx=width / 2 - 3, cy=height / 2 + 2
            )
            parameters = types.SimpleNamespace(left_cam=left, get_camera_baseline=lambda: 0.12 * metres)
            configuration = types.SimpleNamespace(calibration_parameters=parameters)
            return types.SimpleNamespace(camera_configuration=configuration, serial_number=self._serial)

        def get_frame_dropped_count(self) -> int:
            self._opened()
            return reality.dropped

        def get_current_fps(self) -> float:
            self._opened()
            return 29.7

        @staticmethod
        def get_sdk_version() -> str:
            return reality.sdk or f"{version}.1"

        @staticmethod
        def reboot(serial: int) -> Any:
            if reality.is_open:
                raise AssertionError("a camera was restarted while it was open")
            reality.rebooted.append(_of(int, serial))
            return codes.SUCCESS

        def _opened(self) -> None:
            self._here()
            if self._init is None:
                raise AssertionError("the camera is not open")

        def _native(self) -> tuple[int, int]:
            if self._init.wanted[0] in ("svo", "stream"):
                return reality.native
            return SIZES.get(self._init.camera_resolution.name, (1280, 720))

        def _stamp(self, kind: str) -> int:
            if reality.stamp is not None:
                return reality.stamp(reality.grabbed)
            if kind == "svo":
                return 1_600_000_000_000_000_000 + self._played * reality.period_ns
            return int(reality.clock.utc_ns()) - reality.age_ns

        def _retrieve(self, what: str, mat: Mat, memory: Any, size: Resolution | None, made: Any) -> Any:
            self._opened()
            _of(Mat, mat)._here()
            if self._number is None:
                raise AssertionError("nothing was grabbed")
            if memory is not memories.CPU:
                raise TypeError("the pictures are wanted in the host's memory")
            failure = reality.fails_to_retrieve.get((self._number, what))
            if failure is not None:
                return codes[failure]
            width, height = self._native()
            if size is not None and size.width:
                if size.width > width or size.height > height:
                    return codes.INVALID_RESOLUTION
                width, height = size.width, size.height
            elif version[0] == "5" and os.environ.get("ZED_SDK_DISABLE_AUTO_RETRIEVE_RESOLUTION") != "1":
                width, height = width // 2, height // 2
            mat.fill(made(self._number, width, height))
            return codes.SUCCESS

        def _depth(self, number: int, width: int, height: int) -> NDArray[np.float32]:
            metres = reality.depth(number, width, height).astype(np.float32)
            unit = 1 if self._init.coordinate_units is units.METER else 1000
            near, far = self._init.depth_minimum_distance / unit, self._init.depth_maximum_distance / unit
            metres[metres < (near if near > 0 else 0.3)] = -np.inf
            metres[metres > (far if far > 0 else 20)] = np.inf
            return metres * np.float32(unit)

    if version[0] == "5":

        class HealthStatus:
            enabled = True
            low_image_quality = low_lighting = low_depth_reliability = low_motion_sensors_reliability = False

        def get_health_status(camera: Camera) -> HealthStatus:
            camera._opened()
            status = HealthStatus()
            for name, value in reality.health.items():
                setattr(status, name, value)
            return status

        Camera.get_health_status = get_health_status  # type: ignore[attr-defined]

    for name, value in {
        "Camera": Camera,
        "COORDINATE_SYSTEM": systems,
        "DEPTH_MODE": depth_modes,
        "ERROR_CODE": codes,
        "InitParameters": InitParameters,
        "Mat": Mat,
        "MEASURE": measures,
        "MAT_TYPE": mat_types,
        "MEM": memories,
        "RESOLUTION": resolutions,
        "Resolution": Resolution,
        "RuntimeParameters": RuntimeParameters,
        "TIME_REFERENCE": times,
        "UNIT": units,
        "VIEW": views,
    }.items():
        setattr(sl, name, value)
    return sl


def _of(kind: type, value: Any) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f"expected {kind.__name__}, not {value!r}")
    return value


def install(monkeypatch: Any, reality: Reality) -> Reality:
    """``import pyzed.sl`` finds the double until the test is over."""
    package = types.ModuleType("pyzed")
    sl = module(reality)
    package.sl = sl  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyzed", package)
    monkeypatch.setitem(sys.modules, "pyzed.sl", sl)
    # Set before it is removed, so that it is put back as it was however the program sets it.
    monkeypatch.setenv("ZED_SDK_DISABLE_AUTO_RETRIEVE_RESOLUTION", "0")
    monkeypatch.delenv("ZED_SDK_DISABLE_AUTO_RETRIEVE_RESOLUTION")
    return reality
