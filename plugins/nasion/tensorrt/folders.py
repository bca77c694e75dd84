"""Where an engine lies and what it is called: exactly where nvinfer looks, and never where another one lay.

nvinfer saves what it built as ``<onnx file>_b<batch>_gpu<id>_<precision>.engine`` beside the ONNX file and loads it
again only under that name. An engine fits one TensorRT, one GPU, one model and one input size; the name says none of
these, so the folder does:

    <engines>/trt8.5.2_xavier-sm72-8sm/timing.cache
    <engines>/trt8.5.2_xavier-sm72-8sm/nasion-lite-0123456789ab-480x288/nasion-lite.onnx
                                                                       /nasion-lite.onnx_b1_gpu0_fp16.engine
                                                                       /nasion-lite.onnx_b1_gpu0_fp16.txt

The text file is the nvinfer file that loads the engine.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Mapping

from typing_extensions import Literal, get_args

from nasion.config.nvinfer import PRECISIONS
from nasion.engine.card import card_of
from nasion.errors import InputError, NasionError
from nasion.tensorrt.onnx_facts import OnnxFacts
from nasion.tensorrt.versions import Version

Precision = Literal["fp32", "fp16", "int8"]
#: nvinfer's network-mode of each precision.
NETWORK_MODES: Dict[str, int] = {precision: mode for mode, precision in PRECISIONS.items()}

_ENGINE_NAME = re.compile(r"(?P<onnx>.+\.onnx)_b(?P<batch>\d+)_gpu(?P<gpu>\d+)_(?P<precision>[a-z0-9]+)\.engine")


@dataclass(frozen=True)
class EnginePlace:
    """An engine file by what its name says; ``onnx`` is the model beside it."""

    onnx: Path
    batch: int
    gpu_id: int
    precision: Precision

    @property
    def engine(self) -> Path:
        """The file nvinfer looks for."""
        name = f"{self.onnx.name}_b{self.batch}_gpu{self.gpu_id}_{self.precision}.engine"
        return self.onnx.with_name(name)

    @property
    def nvinfer(self) -> Path:
        """The nvinfer file that loads the engine."""
        return self.engine.with_suffix(".txt")

    @property
    def log(self) -> Path:
        """What `trtexec` said while it built the engine."""
        return self.engine.with_suffix(".log")


def place_of(engine: Path) -> EnginePlace:
    """The parts of an engine file's name. InputError where it is not one that nvinfer would look for."""
    match = _ENGINE_NAME.fullmatch(engine.name)
    if match is None or match["precision"] not in get_args(Precision):
        raise InputError(
            f"{engine}: expected a name as nvinfer gives it, e.g. nasion-lite.onnx_b1_gpu0_fp16.engine; "
            "scripts/build_engine makes such files"
        )
    precision: Precision = match["precision"]  # type: ignore[assignment]
    return EnginePlace(engine.with_name(match["onnx"]), int(match["batch"]), int(match["gpu"]), precision)


def machine_folder(engines: Path, version: Version, gpu: str) -> Path:
    """The folder of one TensorRT on one GPU; its timing cache fits all models."""
    return engines / f"trt{version}_{gpu}"


def timing_cache(engines: Path, version: Version, gpu: str) -> Path:
    """What TensorRT learnt of this GPU's kernels; makes the next build faster."""
    return machine_folder(engines, version, gpu) / "timing.cache"


def engine_place(
    engines: Path,
    version: Version,
    gpu: str,
    facts: OnnxFacts,
    *,
    height: int,
    width: int,
    batch: int,
    gpu_id: int,
    precision: Precision,
) -> EnginePlace:
    """Where the engine of this model for this machine and input size lies below ``engines``."""
    model = f"{facts.path.stem}-{facts.digest[:12]}-{width}x{height}"
    onnx = machine_folder(engines, version, gpu) / model / facts.path.name
    return EnginePlace(onnx, batch, gpu_id, precision)


def gpu_slug(name: str, major: int, minor: int, multiprocessors: int) -> str:
    """``xavier-sm72-8sm``: boards of one name differ in how many multiprocessors they have, and engines with them."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return f"{plain}-sm{major}{minor}-{multiprocessors}sm"


def nvinfer_text(place: EnginePlace, properties: Mapping[str, str]) -> str:
    """``properties``, the keys of an nvinfer file, with those that name files, batch and precision made to fit.

    Both files are named relative to the nvinfer file, which lies beside them.
    """
    keys = {
        **properties,
        "onnx-file": place.onnx.name,
        "model-engine-file": place.engine.name,
        "batch-size": str(place.batch),
        "gpu-id": str(place.gpu_id),
        "network-mode": str(NETWORK_MODES[place.precision]),
    }
    head = (
        "# Made for the engine beside it; the file it was made from says how the network is fed, and why.\n[property]\n"
    )
    return head + "".join(f"{key}={value}\n" for key, value in keys.items())


def lay_out(place: EnginePlace, model: Path, properties: Mapping[str, str]) -> None:
    """Make the folder with the model and the nvinfer file in it. NasionError where that cannot be written."""
    try:
        place.onnx.parent.mkdir(parents=True, exist_ok=True)
        # The folder's name holds the digest, so a file of that size is that file.
        if not place.onnx.exists() or place.onnx.stat().st_size != model.stat().st_size:
            shutil.copyfile(str(model), str(place.onnx))
        # By it the model is known to be whole.
        if card_of(model).is_file() and card_of(model) != card_of(place.onnx):
            shutil.copyfile(str(card_of(model)), str(card_of(place.onnx)))
        place.nvinfer.write_text(nvinfer_text(place, properties), encoding="utf-8")
    except OSError as error:
        raise NasionError(
            f"engine folder {place.onnx.parent}: {error.strerror}; it must be writable: nvinfer would build anew at "
            "every start; name another with --engines or NASION_ENGINES"
        ) from None
