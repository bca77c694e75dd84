"""The command ``scripts/bench_trt``: how fast an engine is, layer by layer, and whether it says what the model says."""

import json
import shlex
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Dict, List, Optional

import cv2
import numpy as np
import typer
from numpy.typing import NDArray
from typing_extensions import Annotated

from nasion.config.nvinfer import NvinferConfig, read_nvinfer
from nasion.core.tensor import blank_tensor, fill_tensor
from nasion.core.views import INPUT_SIZES, view_geometry
from nasion.engine.onnx_model import HeatMapModel
from nasion.errors import InputError, NasionError
from nasion.settings import View
from nasion.sources.pictures import ENDINGS, DamagedPictureError, read_picture
from nasion.tensorrt.command import AsJson, DryRun, Trtexec, console, run, tell
from nasion.tensorrt.commands import bench_command, output_command
from nasion.tensorrt.compare import Difference, difference, summary, why_not_alike
from nasion.tensorrt.engine_facts import read_engine
from nasion.tensorrt.folders import EnginePlace, place_of
from nasion.tensorrt.onnx_facts import OnnxFacts, read_onnx_facts
from nasion.tensorrt.report import Timings, read_output, read_timings
from nasion.tensorrt.show import comparison_table, layer_table, timing_table
from nasion.tensorrt.trtexec import find_trtexec, run_trtexec

NAME = "bench_trt"
#: Names in the folder trtexec runs in: plain, because it splits at commas and colons.
_INPUT, _OUTPUT, _PROFILE, _LOG = "input.bin", "output.json", "profile.json", "trtexec.log"


def bench(
    engine: Annotated[Path, typer.Argument(help="The .engine file, or the .txt beside it, of scripts/build_engine.")],
    iterations: Annotated[int, typer.Option(min=1, help="Queries that are timed, at least.")] = 200,
    pictures: Annotated[
        Optional[Path], typer.Option(help="Folder of pictures to compare the heat maps on, with people in view.")
    ] = None,
    at_most: Annotated[int, typer.Option(min=1, help="Pictures compared; each starts trtexec once.")] = 16,
    shift_px: Annotated[
        float, typer.Option(min=0, help="Largest shift of a peak that is right, pixels of the network's input.")
    ] = 0.5,
    inspect: Annotated[
        bool, typer.Option("--inspect", help="Read the engine through TensorRT's Python package too.")
    ] = False,
    trtexec: Trtexec = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Time an engine, and compare its heat maps with ONNX Runtime's. Exit code 1 where they differ too much.

    Before measuring: nvpmodel -m 0 and jetson_clocks.
    """
    place = place_of(engine.with_suffix(".engine") if engine.suffix == ".txt" else engine)
    config, facts = read_nvinfer(place.nvinfer), read_onnx_facts(place.onnx)
    program = (trtexec or "trtexec") if dry_run else find_trtexec(trtexec)
    if dry_run:
        command = _bench_command(program, facts, place, config, iterations, Path(_PROFILE))
        typer.echo(json.dumps({"command": command}) if as_json else shlex.join(command))
        return
    if not place.engine.is_file():
        raise InputError(f"engine {place.engine} is missing; build it with scripts/build_engine")
    chosen = _chosen(pictures, at_most) if pictures is not None else []
    told: Dict[str, Any] = {"engine": str(place.engine), "precision": place.precision, "batch": place.batch}
    if inspect:
        told["inspected"] = read_engine(place.engine).as_json()
    with TemporaryDirectory(prefix="nasion-bench-") as name:
        folder = Path(name)
        timings = _timed(program, facts, place, config, iterations, folder)
        differences = _compared(program, facts, place, config, chosen, folder) if chosen else None
    told.update(timings.as_json(), frames_per_s=timings.queries_per_s * place.batch)
    if differences is not None:
        told["comparison"] = summary(differences)
    if as_json:
        typer.echo(json.dumps(told))
    else:
        _show(place, timings, told)
    refused = why_not_alike(told["comparison"], shift_px) if differences is not None else None
    if refused is not None:
        raise NasionError(f"{place.engine.name} does not say what the model says: {refused}")


def _show(place: EnginePlace, timings: Timings, told: Dict[str, Any]) -> None:
    screen = console()
    typer.echo(
        f"{place.engine.name}, TensorRT {timings.tensorrt}, {timings.gpu}: {timings.queries_per_s:.1f} queries/s"
    )
    screen.print(timing_table(timings))
    screen.print(layer_table(timings))
    if "comparison" in told:
        screen.print(comparison_table(told["comparison"]))
    if "inspected" in told:
        seen = told["inspected"]
        screen.print(f"inputs {seen['inputs']}, outputs {seen['outputs']}, {len(seen['layers'])} layers")


def _bench_command(
    program: str, facts: OnnxFacts, place: EnginePlace, config: NvinferConfig, iterations: int, profile: Path
) -> List[str]:
    return bench_command(
        program,
        facts,
        place,
        height=config.height,
        width=config.width,
        iterations=iterations,
        profile=profile,
    )


def _timed(
    program: str, facts: OnnxFacts, place: EnginePlace, config: NvinferConfig, iterations: int, folder: Path
) -> Timings:
    tell(NAME, f"timing {place.engine.name}")
    command = _bench_command(program, facts, _absolute(place), config, iterations, folder / _PROFILE)
    output = _kept_on_failure(command, place, folder)
    profile = folder / _PROFILE
    if not profile.is_file():
        raise NasionError("trtexec said PASSED and wrote no layer profile")
    return read_timings(output, profile.read_text(encoding="utf-8", errors="replace"))


def _compared(
    program: str, facts: OnnxFacts, place: EnginePlace, config: NvinferConfig, chosen: List[Path], folder: Path
) -> List[Difference]:
    """Each picture through ONNX Runtime and through the engine, the very same numbers into both."""
    model = HeatMapModel(place.onnx, height=config.height, width=config.width, threads=1)
    command = output_command(
        program, facts, _absolute(place), height=config.height, width=config.width, given=_INPUT, output=_OUTPUT
    )
    # A file with a fixed batch wants that many pictures: the same one each time.
    copies = facts.input_shape[0] or 1
    found = []
    for path in chosen:
        tell(NAME, f"comparing {path.name}")
        tensor = as_input(path, config)
        np.repeat(tensor, copies, axis=0).tofile(str(folder / _INPUT))
        _kept_on_failure(command, place, folder)
        text = (folder / _OUTPUT).read_text(encoding="utf-8", errors="replace")
        heat = read_output(text, facts.output_name)
        found.append(difference(path.name, model.infer(tensor), heat[0, 0], facts.metadata))
    return found


def _kept_on_failure(command: List[str], place: EnginePlace, folder: Path) -> str:
    """Run in ``folder``; what trtexec says goes beside the engine where it fails, because the folder goes away."""
    try:
        return run_trtexec(command, folder / _LOG, folder)
    except NasionError as error:
        log = place.engine.with_suffix(".bench.log")
        try:
            log.write_bytes((folder / _LOG).read_bytes())
        except OSError:
            raise error from None
        raise NasionError(str(error).replace(str(folder / _LOG), str(log))) from None


def _absolute(place: EnginePlace) -> EnginePlace:
    """The same place for a program that runs in another folder."""
    return place_of(place.engine.absolute())


def _chosen(folder: Path, at_most: int) -> List[Path]:
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS)
    except OSError as error:
        raise InputError(f"pictures {folder}: {error.strerror}") from None
    if not paths:
        raise InputError(f"pictures {folder}: no {', '.join(ENDINGS)} file in it")
    return paths[:: max(len(paths) // at_most, 1)][:at_most]


def as_input(path: Path, config: NvinferConfig) -> NDArray[np.float32]:
    """The picture as the network sees it in the view of ``config``, (1, 3, height, width). InputError."""
    try:
        picture = read_picture(path)
    except DamagedPictureError as error:
        raise InputError(f"picture {path}: {error}") from None
    geometry = view_geometry(_view(config), picture.shape[1], picture.shape[0])
    right, bottom = geometry.crop_left + geometry.crop_width, geometry.crop_top + geometry.crop_height
    crop = picture[geometry.crop_top : bottom, geometry.crop_left : right]
    scaled = cv2.resize(crop, (geometry.scaled_width, geometry.scaled_height), interpolation=cv2.INTER_LINEAR)
    if config.color_format == "RGB":
        scaled = cv2.cvtColor(scaled, cv2.COLOR_BGR2RGB)
    tensor = blank_tensor(config.height, config.width)
    fill_tensor(scaled.astype(np.uint8, copy=False), tensor)
    return tensor


def _view(config: NvinferConfig) -> View:
    for view, size in INPUT_SIZES.items():
        if size == (config.height, config.width):
            return view
    raise InputError(f"{config.path}: infer-dims=3;{config.height};{config.width} is the size of no view")


if __name__ == "__main__":
    run(NAME, bench)
