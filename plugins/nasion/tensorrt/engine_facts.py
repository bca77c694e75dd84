"""What an engine file says of itself; the only module that imports TensorRT's Python package."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Dict, List, Tuple

from nasion.errors import DependencyError, InputError
from nasion.tensorrt.versions import Version, from_text


@dataclass(frozen=True)
class Binding:
    """An input or output: name, type, sizes (-1 where open)."""

    name: str
    type: str
    shape: Tuple[int, ...]


@dataclass(frozen=True)
class EngineFacts:
    """``tensorrt``: the version that loaded it, which is the one that built it: no other can load it.

    ``largest``: sizes of each input at most. ``layers``: names in the order they run; an engine built without detailed
    verbosity tells no more than that.
    """

    tensorrt: str
    inputs: List[Binding]
    outputs: List[Binding]
    largest: Dict[str, Tuple[int, ...]]
    layers: List[str]

    def as_json(self) -> Dict[str, Any]:
        """The facts for one JSON object."""
        return asdict(self)


def package_version() -> Version:
    """Of TensorRT's Python package; DependencyError where it is not there."""
    return from_text(str(_tensorrt().__version__))


def read_engine(path: Path) -> EngineFacts:
    """The facts of the engine ``path``.

    DependencyError: the package is not there. InputError: this TensorRT on this GPU cannot load the file.
    """
    trt = _tensorrt()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"engine {path}: {error.strerror}") from None
    runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
    engine = runtime.deserialize_cuda_engine(content)
    if engine is None:
        raise InputError(
            f"engine {path} cannot be loaded by TensorRT {trt.__version__} on this GPU: it is of another version or "
            "GPU, or damaged; build it anew with scripts/build_engine --force"
        )
    inputs: List[Binding] = []
    outputs: List[Binding] = []
    largest: Dict[str, Tuple[int, ...]] = {}
    for index in range(engine.num_io_tensors):
        name = engine.get_tensor_name(index)
        kind = str(engine.get_tensor_dtype(name)).rsplit(".", maxsplit=1)[-1].lower()
        binding = Binding(name, kind, tuple(engine.get_tensor_shape(name)))
        if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT:
            inputs.append(binding)
            largest[name] = tuple(engine.get_tensor_profile_shape(name, 0)[2])
        else:
            outputs.append(binding)
    told = engine.create_engine_inspector().get_engine_information(trt.LayerInformationFormat.JSON)
    return EngineFacts(str(trt.__version__), inputs, outputs, largest, _layer_names(told))


def _layer_names(told: str) -> List[str]:
    """Names in the inspector's JSON: texts, or with detailed verbosity objects with a Name."""
    try:
        layers = json.loads(told)["Layers"]
        return [layer if isinstance(layer, str) else str(layer["Name"]) for layer in layers]
    except (ValueError, KeyError, TypeError):
        return []


def _tensorrt() -> Any:
    try:
        import tensorrt
    except ImportError as error:
        raise DependencyError(
            f"TensorRT's Python package cannot be loaded ({error}); on a Jetson: apt-get install python3-libnvinfer, "
            "and start with /usr/bin/python3, which it is for; a wheel of another version cannot read the engine"
        ) from None
    if not hasattr(tensorrt, "Runtime"):
        raise DependencyError("the module tensorrt is not NVIDIA's; remove it and install python3-libnvinfer")
    return tensorrt
