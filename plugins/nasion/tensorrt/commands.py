"""The words of `trtexec`'s command lines; what differs between TensorRT 8.5, 8.6 and 10.x stands in `versions`."""

from pathlib import Path
from typing import List

from nasion.tensorrt.folders import EnginePlace
from nasion.tensorrt.norms import trtexec_flags
from nasion.tensorrt.onnx_facts import OnnxFacts
from nasion.tensorrt.versions import Version

#: Iterations before those that count, milliseconds.
WARM_UP_MS = 500


def build_command(
    trtexec: str,
    version: Version,
    facts: OnnxFacts,
    place: EnginePlace,
    *,
    height: int,
    width: int,
    workspace_mib: int,
    cache: Path,
) -> List[str]:
    """Build the engine at ``place`` from the model beside it.

    The batch is open from 1 to ``place.batch`` and the size pinned, as in nvinfer's own builds. Layer names are kept
    (detailed verbosity), so that a profile can name them; this costs no time.
    """
    command = [
        trtexec,
        f"--onnx={place.onnx}",
        f"--saveEngine={place.engine}",
        *_precision_flags(place),
        *trtexec_flags(facts.norms, place.precision),
        f"--memPoolSize=workspace:{workspace_mib}",
        f"--timingCacheFile={cache}",
        "--profilingVerbosity=detailed",
        *_device_flags(place),
        version.only_build,
    ]
    if None in facts.input_shape:
        least = facts.input_shape[0] or 1
        sizes = {"min": least, "opt": place.batch, "max": place.batch}
        command += [f"--{end}Shapes={facts.input_name}:{n}x3x{height}x{width}" for end, n in sizes.items()]
    return command


def bench_command(
    trtexec: str, facts: OnnxFacts, place: EnginePlace, *, height: int, width: int, iterations: int, profile: Path
) -> List[str]:
    """Time the engine; the layers are timed in a run of their own, because that slows the others down."""
    return [
        trtexec,
        f"--loadEngine={place.engine}",
        *_shape_flags(facts, place.batch, height, width),
        f"--iterations={iterations}",
        f"--warmUp={WARM_UP_MS}",
        "--useSpinWait",
        "--dumpProfile",
        "--separateProfileRun",
        "--profilingVerbosity=detailed",
        f"--exportProfile={profile}",
        *_device_flags(place),
    ]


def output_command(
    trtexec: str, facts: OnnxFacts, place: EnginePlace, *, height: int, width: int, given: str, output: str
) -> List[str]:
    """Run the engine once on the file ``given`` (float32, N x 3 x H x W) and write its outputs to ``output`` (JSON).

    ``given``: a plain name without comma or colon, which `trtexec` would split at.
    """
    return [
        trtexec,
        f"--loadEngine={place.engine}",
        *_shape_flags(facts, facts.input_shape[0] or 1, height, width),
        f"--loadInputs={facts.input_name}:{given}",
        f"--exportOutput={output}",
        "--iterations=1",
        "--warmUp=0",
        "--duration=0",
        *_device_flags(place),
    ]


def _precision_flags(place: EnginePlace) -> List[str]:
    # Layers without Q/DQ nodes around them run in FP16 beside INT8, not in FP32.
    return {"fp32": [], "fp16": ["--fp16"], "int8": ["--int8", "--fp16"]}[place.precision]


def _shape_flags(facts: OnnxFacts, batch: int, height: int, width: int) -> List[str]:
    return [f"--shapes={facts.input_name}:{batch}x3x{height}x{width}"] if None in facts.input_shape else []


def _device_flags(place: EnginePlace) -> List[str]:
    return [f"--device={place.gpu_id}"] if place.gpu_id else []
