"""The only module that touches ``pyzed``, the Python binding of the ZED SDK 4.0 to 5.x (3.8 without its newer checks).

Not thread-safe: every call, import included, is made in one thread (see ``worker``). GStreamer is loaded before it.
"""

import importlib
import os
from typing import Any, Optional, Tuple, Union

import numpy as np
from numpy.typing import NDArray

from nasion.core.calibration import Calibration, Intrinsics
from nasion.errors import DependencyError, InputError, NasionError
from nasion.settings import DepthSettings
from nasion.sources.zed.codes import Code, code
from nasion.sources.zed.memory import Borrow, LentMats
from nasion.sources.zed.options import DEPTH_MODES, SIZES, Camera, Recording, ZedRequest

#: The SDK looks for depth from here on, metres, so that a person at less than the near limit is seen to be too near.
SEARCH_FROM_M = 0.3

_GET_IT = (
    "install the ZED SDK and run its get_python_api.py with this Python (never `pip install pyzed`: that package is "
    "another project)"
)
_FLAGS = ("low_image_quality", "low_lighting", "low_depth_reliability", "low_motion_sensors_reliability")

#: (width, height).
Size = Tuple[int, int]


def load_sl() -> Any:
    """The module ``pyzed.sl``; DependencyError where it is missing, another project's, or does not load."""
    # Without it newer SDKs hand out smaller pictures than the camera takes; read when the SDK is loaded.
    os.environ.setdefault("ZED_SDK_DISABLE_AUTO_RETRIEVE_RESOLUTION", "1")
    try:
        sl = importlib.import_module("pyzed.sl")
    except ModuleNotFoundError as error:
        if error.name == "pyzed":
            raise DependencyError(f"a ZED source needs Stereolabs' pyzed, which is not installed; {_GET_IT}") from None
        if error.name == "pyzed.sl":
            raise _other_project() from None
        raise _does_not_load(error) from None
    except Exception as error:
        # Built for another SDK, NumPy or Python it raises anything.
        raise _does_not_load(error) from None
    if not hasattr(sl, "Camera"):
        raise _other_project()
    return sl


def _other_project() -> DependencyError:
    return DependencyError(
        "the installed package `pyzed` is not Stereolabs' but another project of that name: pip uninstall pyzed, then "
        + _GET_IT
    )


def _does_not_load(error: Exception) -> DependencyError:
    reason = " ".join(str(error).split())
    return DependencyError(
        f"pyzed is installed but does not load ({reason}); it has to fit the ZED SDK, Python and numpy: {_GET_IT}"
    )


class ZedCamera:
    """What we use of ``sl.Camera``. Every picture, depth and stamp is of the last grab; the SDK keeps no other."""

    def __init__(self) -> None:
        """DependencyError."""
        self._sl = load_sl()
        self._camera: Any = None
        self._runtime: Any = None
        self._images = LentMats(self._sl.Mat, self._borrowing("U8_C4"), self._sl.MEM.CPU, "uint8", 4)
        self._depths = LentMats(self._sl.Mat, self._borrowing("F32_C1"), self._sl.MEM.CPU, "float32", 1)

    @property
    def warning(self) -> Optional[str]:
        """What is to be said of the installed version."""
        # The version of the installed wheel is MAJOR.MINOR only.
        found = str(self._sl.Camera.get_sdk_version())
        numbers = tuple(int(part) for part in found.split(".")[:3] if part.isdecimal())
        if numbers >= (5, 0, 2):
            return None
        return (
            f"the ZED SDK is {found}: before 5.0.2 pyzed holds the interpreter while it waits for the camera and slows "
            "all else down; update the ZED SDK where there is a newer one"
        )

    def open(self, request: ZedRequest, limits: DepthSettings, timeout_s: float) -> Tuple[Code, str]:
        """Open what is asked for; the depth mode that was taken. Nothing is held where the code is not ``ok``.

        The SDK looks for the camera for ``timeout_s``, and may then load, or at first make, its depth network, which
        takes minutes. Depth is asked for in metres up to ``limits.far_m``. InputError: a mode or resolution that this
        SDK has not.
        """
        mode = self._depth_mode(request)
        parameters = self._parameters(request, limits, mode)
        parameters.open_timeout_sec = timeout_s
        camera = self._sl.Camera()
        opened = self._code(camera.open(parameters))
        if not opened.ok:
            camera.close()
            return opened, mode
        self._camera = camera
        self._runtime = self._sl.RuntimeParameters()
        self._runtime.enable_depth = True
        return opened, mode

    def grab(self) -> Code:
        """Wait for the next picture and find its depth."""
        return self._code(self._camera.grab(self._runtime))

    def image_ns(self) -> int:
        """When the grabbed picture had arrived in memory, nanoseconds since 1970; 0 where an old recording has none."""
        return int(self._camera.get_timestamp(self._sl.TIME_REFERENCE.IMAGE).get_nanoseconds())

    def picture(self, size: Optional[Size]) -> Union[NDArray[np.uint8], Code]:
        """Rectified left picture, (H, W, 4) BGRx uint8, not to be written to; ``size``: None for the camera's own."""
        sl = self._sl
        arguments = [] if size is None else [sl.Resolution(*size)]
        return _of_size(
            self._images.retrieved(
                lambda mat: self._code(self._camera.retrieve_image(mat, sl.VIEW.LEFT, sl.MEM.CPU, *arguments))
            ),
            size,
        )

    def depth(self, size: Size) -> Union[NDArray[np.float32], Code]:
        """Depth z of each pixel of the left picture, (H, W) float32, metres, not to be written to.

        NaN unknown, -inf nearer and +inf farther than can be measured.
        """
        sl = self._sl
        measure = (sl.MEASURE.DEPTH, sl.MEM.CPU, sl.Resolution(*size))
        return _of_size(
            self._depths.retrieved(lambda mat: self._code(self._camera.retrieve_measure(mat, *measure))), size
        )

    def calibration(self, size: Size) -> Calibration:
        """Of the rectified left picture of that size; self-calibration changes it from one opening to the next."""
        information = self._camera.get_camera_information(self._sl.Resolution(*size))
        parameters = information.camera_configuration.calibration_parameters
        left, baseline_m = parameters.left_cam, float(parameters.get_camera_baseline())
        if not (left.fx > 0 and left.fy > 0 and 0 < baseline_m <= 5):
            raise NasionError(
                f"the ZED SDK gave fx = {left.fx:g}, fy = {left.fy:g}, baseline = {baseline_m:g}; expected pixels, and "
                "metres from 0 to 5"
            )
        lens = Intrinsics(*size, float(left.fx), float(left.fy), float(left.cx), float(left.cy))
        return Calibration(lens, baseline_m)

    def serial(self) -> int:
        """Number of the camera that is open, or that made the recording; 0 where it is not told."""
        return int(self._camera.get_camera_information().serial_number)

    def flags(self) -> Tuple[str, ...]:
        """What the SDK complains of, by its own names; none where it is too old to tell."""
        if not hasattr(self._camera, "get_health_status"):
            return ()
        status = self._camera.get_health_status()
        return tuple(flag for flag in _FLAGS if status.enabled and getattr(status, flag))

    def dropped(self) -> int:
        """Pictures since opening that the SDK let go because a newer one was there."""
        return int(self._camera.get_frame_dropped_count())

    def fps(self) -> float:
        """Pictures grabbed per second."""
        return float(self._camera.get_current_fps())

    def reboot(self, serial: int) -> Code:
        """Restart a camera that hangs; it is not to be open."""
        return self._code(self._sl.Camera.reboot(serial))

    def close(self) -> None:
        """Let go of the camera; no error when called twice."""
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()

    def _code(self, found: Any) -> Code:
        # Not by < and >, which older versions do not have.
        return code(found.name, found.value - self._sl.ERROR_CODE.SUCCESS.value)

    def _borrowing(self, kind: str) -> Borrow:
        sl = self._sl

        def borrow(width: int, height: int, address: int, row: int) -> Any:
            mat = sl.Mat()
            mat.init_mat_cpu(width, height, getattr(sl.MAT_TYPE, kind), address, row, sl.MEM.CPU)
            return mat

        return borrow

    def _depth_mode(self, request: ZedRequest) -> str:
        there = [name for name in (*DEPTH_MODES, "NEURAL_PLUS") if hasattr(self._sl.DEPTH_MODE, name)]
        wanted = request.depth_mode
        if wanted is None and there:
            return there[0]
        if wanted not in there:
            has = ", ".join(name.lower() for name in there) or "none of ours"
            raise InputError(f"{request.uri}: this ZED SDK has no depth={str(wanted).lower()}; it has {has}")
        return wanted

    def _parameters(self, request: ZedRequest, limits: DepthSettings, mode: str) -> Any:
        sl = self._sl
        parameters = sl.InitParameters()
        self._choose_input(parameters, request)
        if request.size is not None:
            name, _ = SIZES[request.size]
            if not hasattr(sl.RESOLUTION, name):
                raise InputError(f"{request.uri}: this ZED SDK has no size={request.size} ({name})")
            parameters.camera_resolution = getattr(sl.RESOLUTION, name)
        if request.fps is not None:
            parameters.camera_fps = request.fps
        parameters.depth_mode = getattr(sl.DEPTH_MODE, mode)
        parameters.coordinate_units = sl.UNIT.METER
        parameters.coordinate_system = sl.COORDINATE_SYSTEM.IMAGE
        parameters.depth_minimum_distance = min(SEARCH_FROM_M, limits.near_m)
        parameters.depth_maximum_distance = limits.far_m
        # Anything but 0 turns positional tracking on.
        parameters.depth_stabilization = request.stabilization
        parameters.svo_real_time_mode = False
        parameters.camera_disable_self_calib = not request.self_calibration
        parameters.sensors_required = False
        for name in ("enable_image_validity_check", "async_grab_camera_recovery"):
            # Since 4.0; without them a damaged picture is not told, and grab blocks while the camera comes back.
            if hasattr(parameters, name):
                setattr(parameters, name, True)
        return parameters

    @staticmethod
    def _choose_input(parameters: Any, request: ZedRequest) -> None:
        wanted = request.input
        if isinstance(wanted, Recording):
            parameters.set_from_svo_file(str(wanted.path))
        elif not isinstance(wanted, Camera):
            parameters.set_from_stream(wanted.host, wanted.port)
        elif wanted.serial is not None:
            parameters.set_from_serial_number(wanted.serial)
        # Without a serial number the SDK takes the first camera it finds.


def _of_size(found: "Union[NDArray[Any], Code]", size: Optional[Size]) -> "Union[NDArray[Any], Code]":
    """``found`` as it is; NasionError where it is an array of another size than was asked for."""
    if not isinstance(found, Code) and size is not None and found.shape[1::-1] != tuple(size):
        raise NasionError(
            f"the ZED SDK gave {found.shape[1]} x {found.shape[0]} pixels; expected {size[0]} x {size[1]}"
        )
    return found
