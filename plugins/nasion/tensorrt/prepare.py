"""The engine folder for a run: the nvinfer file to start nvinfer with, or the reason why it must not be started."""

from pathlib import Path

from nasion.config.nvinfer import NetworkPrecision, NvinferConfig, read_nvinfer
from nasion.errors import InputError
from nasion.tensorrt.folders import EnginePlace, engine_place, lay_out
from nasion.tensorrt.norms import nvinfer_keys
from nasion.tensorrt.onnx_facts import OnnxFacts, read_onnx_facts
from nasion.tensorrt.refusals import how_to_build, why_no_dla, why_not_built, why_not_run
from nasion.tensorrt.versions import Version


def place_for(
    config: NvinferConfig,
    facts: OnnxFacts,
    *,
    batch: int,
    precision: NetworkPrecision,
    engines: Path,
    version: Version,
    gpu: str,
) -> EnginePlace:
    """Where the engine for ``config`` lies on a machine. InputError where none may be built."""
    if config.dla:
        raise InputError(f"{config.path}: {why_no_dla()}")
    refused = why_not_built(facts, precision)
    # Only for the type checker: `best` is always refused.
    if refused is not None or precision == "best":
        raise InputError(refused or "precision best")
    if batch < 1 or config.gpu_id < 0:
        raise InputError(f"batch {batch} and gpu-id {config.gpu_id}; expected a batch from 1 and a GPU from 0 on")
    facts.check_input(batch, config.height, config.width)
    return engine_place(
        engines,
        version,
        gpu,
        facts,
        height=config.height,
        width=config.width,
        batch=batch,
        gpu_id=config.gpu_id,
        precision=precision,
    )


def nvinfer_file_for_run(config: NvinferConfig, *, batch: int, engines: Path, version: Version, gpu: str) -> Path:
    """The nvinfer file to give to nvinfer for ``config`` and ``batch`` sources.

    A file that names its engine (``model-engine-file``), such as one of scripts/build_engine, is taken as it is where
    its batch is enough. For another one the engine's folder below ``engines`` is made ready, so that nvinfer finds the
    engine there, or builds it there once. InputError where nvinfer must not be started (see `why_not_run`).
    """
    facts = read_onnx_facts(config.onnx_file)
    if config.engine_file is None or config.batch_size < batch:
        place = place_for(
            config, facts, batch=batch, precision=config.precision, engines=engines, version=version, gpu=gpu
        )
        if config.precision == "int8" and not place.engine.is_file():
            raise InputError(
                f"{config.path}: the INT8 engine {place.engine} is missing and nvinfer would build FP16; make it with: "
                f"{how_to_build(config, batch)}"
            )
        lay_out(place, config.onnx_file, nvinfer_keys(config.properties, facts.norms, place.precision))
        config = read_nvinfer(place.nvinfer)
    refused = why_not_run(config, facts)
    if refused is not None:
        raise InputError(refused)
    return config.path
