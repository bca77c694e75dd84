"""A double of TensorRT's Python package, as far as it is used; the calls of versions before 8.5 are not there.

It loads what `install` was given and nothing else: a file of another version gives None, as the real one does.
"""

import enum
import json
import sys
from types import ModuleType
from typing import Any, ClassVar, Dict, List, Tuple

import pytest


class TensorIOMode(enum.Enum):
    NONE, INPUT, OUTPUT = range(3)


class LayerInformationFormat(enum.Enum):
    ONELINE, JSON = range(2)


class DataType(enum.Enum):
    FLOAT, HALF, INT8, INT32 = range(4)


class Logger:
    ERROR = 1

    def __init__(self, severity: int) -> None:
        assert severity == self.ERROR


class Inspector:
    def __init__(self, detailed: bool) -> None:
        self._detailed = detailed

    def get_engine_information(self, kind: LayerInformationFormat) -> str:
        assert kind is LayerInformationFormat.JSON
        names = ["Conv_0 + PWN(Relu_1)", "heat_map"]
        return json.dumps({"Layers": [{"Name": name, "LayerType": "x"} if self._detailed else name for name in names]})


class Engine:
    """A U-Net with open sizes."""

    TENSORS: ClassVar[Dict[str, Tuple[TensorIOMode, List[int]]]] = {
        "input": (TensorIOMode.INPUT, [-1, 3, -1, -1]),
        "heat_map": (TensorIOMode.OUTPUT, [-1, 1, -1, -1]),
    }

    def __init__(self, detailed: bool) -> None:
        self.num_io_tensors = 2
        self._detailed = detailed

    def get_tensor_name(self, index: int) -> str:
        return list(self.TENSORS)[index]

    def get_tensor_mode(self, name: str) -> TensorIOMode:
        return self.TENSORS[name][0]

    def get_tensor_shape(self, name: str) -> List[int]:
        return self.TENSORS[name][1]

    def get_tensor_dtype(self, name: str) -> DataType:
        assert name in self.TENSORS
        return DataType.FLOAT

    def get_tensor_profile_shape(self, name: str, profile: int) -> List[List[int]]:
        if self.get_tensor_mode(name) is not TensorIOMode.INPUT or profile != 0:
            raise RuntimeError("a profile is asked of an input")
        return [[1, 3, 288, 480], [2, 3, 288, 480], [2, 3, 288, 480]]

    def create_engine_inspector(self) -> Inspector:
        return Inspector(self._detailed)


def install(monkeypatch: pytest.MonkeyPatch, content: bytes, detailed: bool = True) -> None:
    """Put the package where `import tensorrt` finds it; it can load ``content``."""

    class Runtime:
        def __init__(self, logger: Logger) -> None:
            assert isinstance(logger, Logger)

        def deserialize_cuda_engine(self, given: bytes) -> Any:
            return Engine(detailed) if given == content else None

    module = ModuleType("tensorrt")
    module.__dict__.update(
        __version__="8.5.2.2",
        Runtime=Runtime,
        Logger=Logger,
        TensorIOMode=TensorIOMode,
        LayerInformationFormat=LayerInformationFormat,
    )
    monkeypatch.setitem(sys.modules, "tensorrt", module)
