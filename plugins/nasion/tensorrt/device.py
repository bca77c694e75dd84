"""Which GPU and which TensorRT this machine has, asked of their own libraries."""

import ctypes
from typing import Any

from nasion.errors import DependencyError, HardwareError
from nasion.tensorrt.folders import gpu_slug
from nasion.tensorrt.versions import Version, from_number

#: CUdevice_attribute in cuda.h.
_MULTIPROCESSORS, _MAJOR, _MINOR = 16, 75, 76


def read_gpu(index: int) -> str:
    """The GPU as engine folders name it, e.g. ``xavier-sm72-8sm``. HardwareError where there is none."""
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        raise HardwareError(
            f"no NVIDIA GPU here ({error}); engines are made on the machine that runs them, in a container with "
            "--runtime nvidia"
        ) from None
    device, name = ctypes.c_int(), ctypes.create_string_buffer(256)
    _call(cuda, "cuInit", 0)
    _call(cuda, "cuDeviceGet", ctypes.byref(device), index)
    _call(cuda, "cuDeviceGetName", name, len(name), device)
    major, minor, count = (_attribute(cuda, device, which) for which in (_MAJOR, _MINOR, _MULTIPROCESSORS))
    return gpu_slug(name.value.decode("utf-8", "replace"), major, minor, count)


def read_tensorrt() -> Version:
    """The TensorRT that nvinfer would load, from its library. DependencyError where there is none."""
    for name in ("libnvinfer.so.10", "libnvinfer.so.8"):
        try:
            library = ctypes.CDLL(name)
        except OSError:
            continue
        return from_number(int(library.getInferLibVersion()))
    raise DependencyError(
        "TensorRT's library cannot be loaded (libnvinfer.so.10, libnvinfer.so.8); use the container of your JetPack"
    )


def _attribute(cuda: Any, device: ctypes.c_int, which: int) -> int:
    value = ctypes.c_int()
    _call(cuda, "cuDeviceGetAttribute", ctypes.byref(value), which, device)
    return value.value


def _call(cuda: Any, name: str, *arguments: Any) -> None:
    status = getattr(cuda, name)(*arguments)
    if status != 0:
        raise HardwareError(
            f"the GPU does not answer: {name} gave CUDA error {status}; check --runtime nvidia and the user's groups"
        )
