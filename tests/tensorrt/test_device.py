"""The GPU and the TensorRT of a machine, asked through C libraries; here stand-ins with the same C conventions."""

from __future__ import annotations

import ctypes
from typing import Any, Callable, ClassVar

import pytest
from nasion.errors import DependencyError, HardwareError
from nasion.tensorrt.device import read_gpu, read_tensorrt


class Cuda:
    """An Orin behind libcuda's functions: a status is returned, results go through pointers, cuInit comes first."""

    ATTRIBUTES: ClassVar[dict[int, int]] = {16: 16, 75: 8, 76: 7}

    def __init__(self, status: int = 0) -> None:
        self.status, self.ready = status, False

    def cuInit(self, flags: int) -> int:  # noqa: N802
        assert flags == 0
        self.ready = self.status == 0
        return self.status

    def cuDeviceGet(self, device: Any, index: int) -> int:  # noqa: N802
        if not self.ready:
            return 3
        device._obj.value = index
        return 0 if index == 0 else 101

    def cuDeviceGetName(self, name: Any, length: int, device: Any) -> int:  # noqa: N802
        assert (length, device.value) == (256, 0)
        name.value = b"Orin"
        return 0

    def cuDeviceGetAttribute(self, value: Any, which: int, device: Any) -> int:  # noqa: N802
        assert device.value == 0
        value._obj.value = self.ATTRIBUTES[which]
        return 0


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The machine's libraries; all others are missing."""

    def put(**there: Any) -> None:
        def load(name: str) -> Any:
            key = name.replace(".", "_")
            if key not in there:
                raise OSError(f"{name}: cannot open shared object file")
            return there[key]

        monkeypatch.setattr(ctypes, "CDLL", load)

    return put


def test_a_gpu_is_named_with_its_generation_and_size(libraries: Callable[..., None]) -> None:
    libraries(libcuda_so_1=Cuda())
    assert read_gpu(0) == "orin-sm87-16sm"


@pytest.mark.parametrize(("there", "index", "said"), [({}, 0, "--runtime nvidia"), ({"status": 801}, 0, "error 801")])
def test_without_a_gpu_the_remedy_is_told(
    there: dict[str, int], index: int, said: str, libraries: Callable[..., None]
) -> None:
    libraries(**({"libcuda_so_1": Cuda(**there)} if there else {}))
    with pytest.raises(HardwareError, match=said):
        read_gpu(index)


def test_a_second_gpu_that_is_not_there(libraries: Callable[..., None]) -> None:
    libraries(libcuda_so_1=Cuda())
    with pytest.raises(HardwareError, match="cuDeviceGet gave CUDA error 101"):
        read_gpu(1)


class Nvinfer:
    """libnvinfer's one function that counts here."""

    def __init__(self, number: int) -> None:
        self.number = number

    def getInferLibVersion(self) -> int:  # noqa: N802
        return self.number


@pytest.mark.parametrize(
    ("library", "number", "version"), [("libnvinfer_so_8", 8502, "8.5.2"), ("libnvinfer_so_10", 100300, "10.3.0")]
)
def test_tensorrt_tells_its_version(library: str, number: int, version: str, libraries: Callable[..., None]) -> None:
    libraries(**{library: Nvinfer(number)})
    assert str(read_tensorrt()) == version


def test_no_tensorrt(libraries: Callable[..., None]) -> None:
    libraries()
    with pytest.raises(DependencyError, match="container of your JetPack"):
        read_tensorrt()
