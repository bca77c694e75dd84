"""What TensorRT must not be asked for: a reason in one line, or nothing."""

import shlex
from typing import Optional

from nasion.config.nvinfer import NetworkPrecision, NvinferConfig
from nasion.tensorrt.onnx_facts import OnnxFacts

#: The command that makes a file whose 8-bit numbers TensorRT takes.
_SIGNED = "python -m export.int8 MODEL --data FOLDER --out FILE --activations int8"


def why_no_dla() -> str:
    """Why the deep-learning accelerator is never used."""
    return (
        "the DLA is refused: it takes bilinear Resize only with the newest compilers and under conditions, so parts of "
        "the network would run on the GPU with copies between, and later TensorRT 10 has no DLA at all; remove "
        "enable-dla, use-dla-core or --use-dla-core and let the GPU compute in FP16"
    )


def how_to_build(config: NvinferConfig, batch: int = 1) -> str:
    """The command that makes the engine of ``config`` for ``batch`` cameras, also of a model that is not the file's."""
    words = ["scripts/build_engine", "--config", str(config.path)]
    own = config.properties.get("onnx-file")
    if own is None or config.path.parent / own != config.onnx_file:
        words += ["--onnx", str(config.onnx_file)]
    return shlex.join([*words, "--batch", str(batch)])


def why_not_built(facts: OnnxFacts, precision: NetworkPrecision) -> Optional[str]:
    """Why no engine of ``precision`` is built from this model; None where one can be."""
    if precision == "best":
        return "network-mode=3 lets TensorRT choose, also 8 bits without scales; write network-mode=2 (FP16)"
    if facts.activations is None:
        if precision != "int8":
            return _why_not_its_norms(facts, precision)
        return (
            f"model {facts.path} has no Q/DQ nodes, and INT8 without them would be FP16 under another name; take "
            f"the INT8 file ({_SIGNED}) or fp16"
        )
    if facts.activations != "signed":
        what = "its activations are unsigned" if facts.activations == "unsigned" else facts.why_other
        return (
            f"model {facts.path}: {what}, but TensorRT takes only symmetric signed 8-bit numbers; it is meant for the "
            f"CPU, make TensorRT's with: {_SIGNED}"
        )
    if precision != "int8":
        return f"model {facts.path} has Q/DQ nodes, which TensorRT takes only as INT8; take int8, or the float model"
    return _why_not_its_norms(facts, precision)


def _why_not_its_norms(facts: OnnxFacts, precision: NetworkPrecision) -> Optional[str]:
    if "" not in facts.norms or precision == "fp32":
        return None
    return (
        f"model {facts.path} has an InstanceNormalization without a name, which could not be kept in FP32, and in half "
        "precision its sums overflow; name the node, or take fp32"
    )


def why_not_run(config: NvinferConfig, facts: OnnxFacts) -> Optional[str]:
    """Why nvinfer must not be started with ``config``, whose model ``facts`` describes; None where it may.

    Without a calibration file nvinfer builds FP16 where INT8 is configured, and says nothing of it; so an INT8 engine
    must be there already. A missing FP16 or FP32 engine is only slow: nvinfer builds it at the first start.
    """
    if config.dla:
        return f"{config.path}: {why_no_dla()}"
    refused = why_not_built(facts, config.precision)
    if refused is not None:
        return f"{config.path}: {refused}"
    if config.precision != "int8":
        return None
    build = f"{how_to_build(config, config.batch_size)} makes it, and the nvinfer file to run with"
    if config.engine_file is None:
        return f"{config.path}: network-mode=1 (INT8) without model-engine-file: nvinfer would build FP16; {build}"
    if not config.engine_file.is_file():
        return f"{config.path}: the INT8 engine {config.engine_file} is missing: nvinfer would build FP16; {build}"
    return None
