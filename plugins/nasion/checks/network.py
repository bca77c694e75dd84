"""The nvinfer file, the model and TensorRT's engine: what the network is, and whether they fit together."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Sequence, Tuple

from nasion.checks.matrix import Numbers, written
from nasion.checks.subject import Subject
from nasion.checks.verdict import Verdict, fail, in_two, ok, refused, skipped, warn
from nasion.config.nvinfer import NvinferConfig
from nasion.config.nvinfer_keys import LATE_KEYS, LATE_SINCE
from nasion.engine.card import stated_digest
from nasion.engine.metadata import ModelMetadata
from nasion.engine.onnx_model import HeatMapModel
from nasion.errors import DependencyError, InputError
from nasion.tensorrt.folders import EnginePlace
from nasion.tensorrt.onnx_facts import OnnxFacts, read_onnx_facts
from nasion.tensorrt.prepare import place_for
from nasion.tensorrt.refusals import how_to_build, why_not_run

#: A folder of engines and the model they were built from; its name holds the beginning of the model's digest.
_ENGINE_FOLDER = re.compile(r".+-([0-9a-f]{12})-\d+x\d+")

_NO_NVINFER = "the nvinfer file is refused"


def nvinfer_file(subject: Subject) -> Verdict:
    """Every key and value, and the view."""
    try:
        config = subject.config
    except InputError as error:
        return refused("nvinfer file", error, "write what is expected")
    version = subject.deepstream_version if subject.deepstream else ()
    return judge_nvinfer(config, list(config.properties), version)


def judge_nvinfer(config: NvinferConfig, keys: Sequence[str], deepstream: Numbers) -> Verdict:
    """A file that passes; ``deepstream``: () where it is not used, or not known."""
    late = [key for key in keys if key in LATE_KEYS]
    if late and deepstream and deepstream < LATE_SINCE:
        return warn(
            "nvinfer file",
            f"{config.path}: DeepStream {written(deepstream)} may not know {', '.join(late)} and would ignore it",
            "remove the line" if len(late) == 1 else "remove the lines",
        )
    what = (
        f"{len(keys)} keys, input 3 x {config.height} x {config.width}, {config.precision}, batch {config.batch_size}"
    )
    return ok("nvinfer file", f"{config.path}: {what}")


def model(subject: Subject) -> Verdict:
    """The file, opened at the view's size with ONNX Runtime; without that, where TensorRT runs it, only read."""
    try:
        config = subject.config
    except InputError:
        return skipped("model", _NO_NVINFER)
    path = config.onnx_file
    how = "opened"
    try:
        network = HeatMapModel(path, height=config.height, width=config.width, threads=subject.settings.threads)
        digest, metadata = network.digest, network.metadata
    except InputError as error:
        return refused("model", error, "take a model made by `python -m export`")
    except DependencyError as error:
        if not subject.deepstream:
            return refused("model", error)
        facts = read_onnx_facts(path)
        facts.check_input(_batch(subject), config.height, config.width)
        digest, metadata = facts.digest, facts.metadata
        how = "read, but not opened without ONNX Runtime,"
    confirmed = stated_digest(path, metadata.precision) is not None
    return judge_model(path, digest, metadata, confirmed=confirmed, size=f"{config.width}x{config.height}", how=how)


def judge_model(path: Path, digest: str, metadata: ModelMetadata, *, confirmed: bool, size: str, how: str) -> Verdict:
    """A model that can be run: whether it is the one that the folder of its engines is about.

    ``confirmed``: its card states its digest; ``size``: of the view, as the metadata write it; ``how``: what was done
    with the file at that size.
    """
    in_folder = _ENGINE_FOLDER.fullmatch(path.absolute().parent.name)
    if in_folder is not None and in_folder[1] != digest[:12]:
        return fail(
            "model",
            f"{path} has the digest {digest[:12]}, but its folder is of {in_folder[1]}: engines there are another's",
            "remove the folder; it is made anew",
            InputError.exit_code,
        )
    says = " as its card says" if confirmed else " as its folder says" if in_folder else ""
    about = f"{metadata.name} {metadata.version} ({digest[:12]}{says}), {metadata.precision}"
    checked_at = re.findall(r"\d+x\d+", metadata.sizes)
    if checked_at and size not in checked_at:
        return warn(
            "model",
            f"{path}: {about}, was checked at {metadata.sizes}, and not at {size}",
            "take another view, or measure how well it does at this size",
        )
    return ok("model", f"{path}: {about}, stride {metadata.stride}, {how} at {size}")


def engine_file(subject: Subject) -> Verdict:
    """The file nvinfer will look for; whether it is there, or can be made once."""
    name = "engine file"
    if not subject.deepstream:
        return skipped(name, "the engine is not deepstream")
    try:
        config = subject.config
    except InputError:
        return skipped(name, _NO_NVINFER)
    cameras = _batch(subject)
    own = config.engine_file is None or config.batch_size < cameras
    facts = read_onnx_facts(config.onnx_file)
    expected = _expected(subject, config, facts, cameras) if own else _saved_as(config)
    named = expected if own else config.engine_file or expected
    why_not = why_not_run(replace(config, engine_file=named), facts)
    if why_not is not None:
        return refused(name, InputError(why_not))
    folder = expected.parent
    if not subject.machine.writable(folder) and (own or not named.is_file()):
        return fail(
            name,
            f"{folder} cannot be written: nvinfer would build anew at every start, for minutes",
            "make it writable (in a container, a volume), or name another folder with NASION_ENGINES",
        )
    if not named.is_file():
        return judge_missing(named, expected, how_to_build(config, cameras))
    return judge_loaded(named, expected, *_loaded(subject, named), int8=config.precision == "int8")


def judge_missing(named: Path, expected: Path, build: str) -> Verdict:
    """nvinfer builds it, and saves it as ``expected``."""
    if named.resolve() != expected.resolve():
        return fail(
            "engine file",
            f"{named} is missing, and nvinfer saves what it builds as {expected}: it would build at every start",
            f"write model-engine-file={expected}",
            InputError.exit_code,
        )
    return warn("engine file", f"{named} is missing: nvinfer builds it at the first start, for minutes", build)


def judge_loaded(named: Path, expected: Path, loaded: bool, said: str, *, int8: bool) -> Verdict:
    """``loaded``: TensorRT takes the file, or was not asked; ``said``: what came of it."""
    if not loaded:
        found, remedy = in_two(said)
        if int8:
            found += ": nvinfer would build FP16 in its place"
            return fail("engine file", found, remedy, InputError.exit_code)
        return warn("engine file", f"{found}: nvinfer builds it anew", remedy)
    if named.resolve() != expected.resolve():
        return warn(
            "engine file",
            f"{named} ({said}): the day nvinfer cannot load it, it saves another as {expected}, at every start",
            f"build it under that name, and write model-engine-file={expected}",
        )
    return ok("engine file", f"{named} ({said})")


def _batch(subject: Subject) -> int:
    return max(1, len(subject.cameras))


def _expected(subject: Subject, config: NvinferConfig, facts: OnnxFacts, cameras: int) -> Path:
    """Where a run lays the engine out for this machine."""
    machine = subject.machine
    return place_for(
        config,
        facts,
        batch=cameras,
        precision=config.precision,
        engines=machine.engines(),
        version=machine.tensorrt(),
        gpu=machine.gpu(config.gpu_id),
    ).engine


def _saved_as(config: NvinferConfig) -> Path:
    """The name nvinfer gives to what it builds."""
    if config.precision == "best":
        # Refused by `why_not_run`; there is no such place.
        return config.onnx_file
    return EnginePlace(config.onnx_file, config.batch_size, config.gpu_id, config.precision).engine


def _loaded(subject: Subject, engine: Path) -> Tuple[bool, str]:
    try:
        facts = subject.machine.read_engine(engine)
    except DependencyError:
        return True, "not opened: TensorRT's Python package is not here"
    except InputError as error:
        return False, str(error)
    return True, f"TensorRT {facts.tensorrt} loads it, {len(facts.layers)} layers"
