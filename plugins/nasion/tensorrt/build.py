"""The command ``scripts/build_engine``: one engine, built where it will run, under the name nvinfer looks for."""

import json
import shlex
import time
from dataclasses import replace
from pathlib import Path
from typing import List, NamedTuple, Optional

import typer
from typing_extensions import Annotated

from nasion.config.nvinfer import default_nvinfer_file, read_nvinfer
from nasion.errors import DependencyError, InputError, NasionError
from nasion.settings import View
from nasion.tensorrt.command import AsJson, DryRun, Trtexec, default_engines, run, tell
from nasion.tensorrt.commands import build_command
from nasion.tensorrt.device import read_gpu
from nasion.tensorrt.engine_facts import package_version, read_engine
from nasion.tensorrt.folders import EnginePlace, Precision, lay_out, timing_cache
from nasion.tensorrt.norms import nvinfer_keys
from nasion.tensorrt.onnx_facts import read_onnx_facts
from nasion.tensorrt.prepare import place_for
from nasion.tensorrt.refusals import why_no_dla
from nasion.tensorrt.trtexec import ask_version, find_trtexec, run_trtexec
from nasion.tensorrt.versions import Version, check_known, from_text

NAME = "build_engine"


def build(
    view: Annotated[View, typer.Option(help="The repository's nvinfer file of this view.")] = "full",
    config: Annotated[Optional[Path], typer.Option(help="An nvinfer file instead of --view.")] = None,
    onnx: Annotated[Optional[Path], typer.Option(help="The model, instead of the one in the nvinfer file.")] = None,
    precision: Annotated[
        Optional[Precision], typer.Option(help="Default: the nvinfer file's. int8 needs a model with Q/DQ nodes.")
    ] = None,
    batch: Annotated[Optional[int], typer.Option(min=1, help="Most cameras at a time; default: the file's.")] = None,
    engines: Annotated[
        Optional[Path],
        typer.Option(help="Folder of all engines; default: NASION_ENGINES, else ~/.cache/nasion/engines."),
    ] = None,
    workspace_mib: Annotated[int, typer.Option(min=16, help="Memory TensorRT may use while it builds.")] = 2048,
    force: Annotated[bool, typer.Option("--force", help="Build also where the engine is there.")] = False,
    trtexec: Trtexec = None,
    tensorrt: Annotated[
        Optional[str], typer.Option(help="Its version, e.g. 8.5.2, for --dry-run on another machine.")
    ] = None,
    gpu: Annotated[
        Optional[str], typer.Option(help="The GPU's name in the folder, e.g. orin-sm87-16sm; default: asked of CUDA.")
    ] = None,
    use_dla_core: Annotated[Optional[int], typer.Option(help="Always refused; the reason is told.")] = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Build an engine for this machine and print the path of the nvinfer file that loads it."""
    if use_dla_core is not None:
        raise InputError(why_no_dla())
    if tensorrt is not None and not dry_run:
        raise InputError("--tensorrt is for --dry-run; a build asks trtexec which version it is")
    nvinfer = read_nvinfer(config if config is not None else default_nvinfer_file(view))
    if onnx is not None:
        nvinfer = replace(nvinfer, onnx_file=onnx)
    facts = read_onnx_facts(nvinfer.onnx_file)
    tools = _tools(trtexec, tensorrt)
    version = tools.version
    check_known(version)
    root = (engines or default_engines()).expanduser().absolute()
    named = gpu if gpu is not None else read_gpu(nvinfer.gpu_id)
    place = place_for(
        nvinfer,
        facts,
        batch=batch or nvinfer.batch_size,
        precision=precision or nvinfer.precision,
        engines=root,
        version=version,
        gpu=named,
    )
    command = build_command(
        tools.program,
        version,
        facts,
        place,
        height=nvinfer.height,
        width=nvinfer.width,
        workspace_mib=workspace_mib,
        cache=timing_cache(root, version, named),
    )
    if dry_run:
        typer.echo(json.dumps({"command": command, "engine": str(place.engine)}) if as_json else shlex.join(command))
        return
    if tools.missing is not None:
        _require_engine(place, tools.missing, force=force)
    lay_out(place, nvinfer.onnx_file, nvinfer_keys(nvinfer.properties, facts.norms, place.precision))
    seconds = _built(place, command, force=force)
    if as_json:
        told = {
            "engine": str(place.engine),
            "nvinfer": str(place.nvinfer),
            "precision": place.precision,
            "batch": place.batch,
            "tensorrt": str(version),
            "gpu": named,
            "model_digest": facts.digest,
            "seconds": seconds,
            "command": command,
        }
        typer.echo(json.dumps(told))
    else:
        typer.echo(str(place.nvinfer))


class _Tools(NamedTuple):
    """``program``: trtexec; ``missing``: why there is none, where only TensorRT's Python package tells the version."""

    program: str
    version: Version
    missing: Optional[DependencyError]


def _tools(named: Optional[str], version: Optional[str]) -> _Tools:
    """``named``: of --trtexec; ``version``: of --tensorrt. DependencyError: neither trtexec nor the package."""
    if version is not None:
        return _Tools(named or "trtexec", from_text(version), None)
    try:
        program = find_trtexec(named)
    except DependencyError as missing:
        # NVIDIA's images hold no trtexec; an engine that was built before can be told all the same.
        if named is not None or (known := _package_version()) is None:
            raise
        return _Tools("trtexec", known, missing)
    return _Tools(program, ask_version(program), None)


def _package_version() -> Optional[Version]:
    try:
        return package_version()
    except DependencyError:
        return None


def _require_engine(place: EnginePlace, missing: DependencyError, *, force: bool) -> None:
    """``missing`` where something is to be built; InputError where this TensorRT cannot load the engine."""
    if force or not place.engine.is_file():
        raise missing
    read_engine(place.engine)


def _built(place: EnginePlace, command: List[str], *, force: bool) -> Optional[float]:
    """Build where that is asked for or needed; seconds it took, None where the engine was there."""
    if place.engine.is_file() and not force:
        tell(NAME, f"{place.engine} is there; --force builds it anew")
        return None
    tell(NAME, f"building {place.engine}; minutes on a Jetson; what trtexec says is in {place.log}")
    begin, done = time.monotonic(), False
    try:
        run_trtexec(command, place.log)
        done = place.engine.is_file() and place.engine.stat().st_size > 0
    finally:
        # Half an engine under the right name would be tried at every start; nvinfer would then build FP16 in its place.
        if not done and place.engine.exists():
            place.engine.unlink()
    if not done:
        raise NasionError(f"trtexec said PASSED and wrote no engine; all it said is in {place.log}")
    seconds = time.monotonic() - begin
    tell(NAME, f"built in {seconds:.0f} s")
    return seconds


if __name__ == "__main__":
    run(NAME, build)
