"""Everything that is a ratio: turns of several contestants, one after the other, round by round."""

import os
from functools import partial
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Type

from nasion.bench.bench import Bench, Figures
from nasion.bench.frames import CAMERA_FPS, SIZES, as_fast_as_taken, paced, resized_frames, scene_frames
from nasion.bench.loops import Step, Stopwatch, network_step, opencv_step, timed, yunet_step
from nasion.bench.piped import one_at_a_time, passage
from nasion.bench.turns import Round, TakeTurn, Turn, alternate, beyond, compared
from nasion.core.views import INPUT_SIZES
from nasion.engine.onnx_model import HeatMapModel
from nasion.engine.openvino_model import OpenVinoModel
from nasion.engine.threads import opencv_threads
from nasion.settings import Mode, View
from nasion.sources.frame import Frame, Source

NETWORK, PIPELINE, LOOP, YUNET = "network", "pipeline", "OpenCV loop", "YuNet"
#: As the loop works: the next frame when the one before is through, in one thread.
ONE_AT_A_TIME = "pipeline, one at a time"
_HEIGHT = 1080


def measure_bare(bench: Bench) -> Optional[Figures]:
    """The pipeline against the network alone, in each view."""
    bench.expect(2 * bench.plan.rounds * len(bench.plan.views))
    by_view: Figures = {}
    for view in bench.plan.views:
        rounds = _rounds(
            bench, {NETWORK: _network(bench, view), PIPELINE: _pipeline(bench, view, scene_frames(_HEIGHT))}
        )
        if rounds:
            by_view[view] = compared(rounds, NETWORK)
    return {"by_view": by_view} if by_view else None


def measure_peers(bench: Bench) -> Optional[Figures]:
    """The same frames by the pipeline, by an OpenCV loop with the same network, and by YuNet where there is one."""
    bench.expect((4 + (bench.yunet is not None)) * bench.plan.rounds * len(bench.plan.views))
    frames = scene_frames(_HEIGHT)
    by_view: Figures = {}
    for view in bench.plan.views:
        contestants = {
            NETWORK: _network(bench, view),
            PIPELINE: _pipeline(bench, view, frames),
            ONE_AT_A_TIME: _one_at_a_time(bench, view, frames),
            LOOP: _loop(bench, view, frames),
        }
        if bench.yunet is not None:
            contestants[YUNET] = _alone(bench, yunet_step(bench.yunet, frames, view))
        rounds = _rounds(bench, contestants)
        if rounds:
            by_view[view] = {**compared(rounds, NETWORK), "beyond_network": beyond(rounds, ONE_AT_A_TIME, LOOP)}
    return {"by_view": by_view} if by_view else None


def measure_models(bench: Bench) -> Optional[Figures]:
    """Every released network, or the one that is given, by view, engine and threads."""
    files, threads, engines = _models(bench), _threads(), _engines()
    bench.expect(len(files) * len(threads) * len(engines) * bench.plan.rounds * len(bench.plan.model_views))
    by_view: Figures = {}
    for view in bench.plan.model_views:
        contestants: Dict[str, TakeTurn] = {}
        for file, (engine, kind), count in product(files, engines.items(), threads):
            network = bench.subject.opened(file, view, count, kind)
            step = network_step(network, *INPUT_SIZES[view])
            name = f"{file.stem}, {network.metadata.precision}{engine}, {count} thread{'s' if count > 1 else ''}"
            contestants[name] = partial(timed, step, bench.plan.model_frames, bench.stop, bench.plan.model_s)
        rounds = _rounds(bench, contestants)
        if rounds:
            by_view[view] = compared(rounds, next(iter(contestants)))
    return {"by_view": by_view} if by_view else None


def measure_cameras(bench: Bench) -> Optional[Figures]:
    """Several cameras in one process; ``cost``: processor time for a frame of each, in that of one camera.

    As fast as can be, where they fight for the cores, and at a camera's own pace.
    """
    view, counts = bench.plan.views[0], bench.plan.cameras
    modes = {"every frame": _pipeline, f"live, {CAMERA_FPS} fps": _live}
    bench.expect(len(modes) * len(counts) * bench.plan.rounds)
    frames = scene_frames(_HEIGHT)
    by_mode: Figures = {}
    for mode, take in modes.items():
        rounds = _rounds(bench, {str(count): take(bench, view, frames, cameras=count) for count in counts})
        if not rounds:
            break
        figures = by_mode[mode] = compared(rounds, str(counts[0]))
        for count in counts:
            ratio = figures["figures"][str(count)]["cpu_ratio"]
            figures["figures"][str(count)]["cost"] = {name: count * value for name, value in ratio.items()}
    return {"view": view, "by_mode": by_mode} if by_mode else None


def measure_sizes(bench: Bench) -> Optional[Figures]:
    """Pictures of several sizes, in the same view."""
    view = bench.plan.views[0]
    bench.expect(len(SIZES) * bench.plan.rounds)
    contestants = {
        f"{width} x {height}": _pipeline(bench, view, resized_frames(width, height)) for width, height in SIZES
    }
    rounds = _rounds(bench, contestants)
    return {"view": view, **compared(rounds, next(iter(contestants)))} if rounds else None


def _rounds(bench: Bench, contestants: Dict[str, TakeTurn]) -> List[Round]:
    return alternate(contestants, bench.plan.rounds, bench.advance)


def _network(bench: Bench, view: View) -> TakeTurn:
    step = network_step(bench.subject.network(view), *INPUT_SIZES[view])
    return partial(timed, step, bench.plan.frames, bench.stop)


def _alone(bench: Bench, step: Step) -> TakeTurn:
    def take() -> Optional[Turn]:
        with opencv_threads(1):
            return timed(step, bench.plan.frames, bench.stop)

    return take


def _loop(bench: Bench, view: View, frames: Sequence[Frame]) -> TakeTurn:
    watch = Stopwatch(bench.subject.network(view))
    take = _alone(bench, opencv_step(watch, frames, view))

    def take_and_watch() -> Optional[Turn]:
        before_s = watch.spent_s
        turn = take()
        return None if turn is None else turn._replace(network_s=watch.spent_s - before_s)

    return take_and_watch


def _one_at_a_time(bench: Bench, view: View, frames: Sequence[Frame]) -> TakeTurn:
    def take() -> Optional[Turn]:
        passed = one_at_a_time(bench, frames, bench.plan.frames, view)
        return None if bench.stop.is_set() else passed.turn()

    return take


def _pipeline(bench: Bench, view: View, frames: Sequence[Frame], cameras: int = 1) -> TakeTurn:
    def take() -> Optional[Turn]:
        sources = [
            bench.replay(as_fast_as_taken(frames, bench.plan.frames, bench.clock), frames, number=number)
            for number in range(cameras)
        ]
        return _passed(bench, view, "every-frame", sources)

    return take


def _live(bench: Bench, view: View, frames: Sequence[Frame], cameras: int) -> TakeTurn:
    def take() -> Optional[Turn]:
        sources = [
            bench.replay(
                paced(frames, CAMERA_FPS, bench.plan.frames, bench.stop, bench.clock),
                frames,
                live=True,
                fps=CAMERA_FPS,
                number=number,
            )
            for number in range(cameras)
        ]
        return _passed(bench, view, "live", sources)

    return take


def _passed(bench: Bench, view: View, mode: Mode, sources: Sequence[Source]) -> Optional[Turn]:
    settings = bench.subject.settings(view, mode, sources=tuple(source.uri for source in sources))
    passed = passage(settings, sources, clock=bench.clock, stop=bench.stop)
    return None if bench.stop.is_set() else passed.turn()


def _models(bench: Bench) -> List[Path]:
    """The given network, or all that lie beside that of the nvinfer file, those of its kind first."""
    if bench.subject.model is not None:
        return [bench.subject.model]
    used = bench.subject.config(bench.plan.views[0]).onnx_file.resolve()
    return sorted(used.parent.glob("*.onnx"), key=lambda file: (len(file.stem), file.stem))


def _engines() -> Dict[str, Type[HeatMapModel]]:
    """ONNX Runtime, and OpenVINO where it is installed; what a contestant's name says of each."""
    engines: Dict[str, Type[HeatMapModel]] = {"": HeatMapModel}
    if find_spec("openvino") is not None:
        engines[", OpenVINO"] = OpenVinoModel
    return engines


def _threads() -> List[int]:
    """1, 2, 4, … as far as there are cores."""
    cores = len(os.sched_getaffinity(0))
    return [1 << power for power in range(cores.bit_length())]
