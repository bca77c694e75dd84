"""A camera at its own pace: how old a frame is when it is published, and which frames are let go."""

from itertools import product
from statistics import median
from typing import Callable, Dict, List, Optional, Sequence

from nasion.bench.bench import Bench, Figures
from nasion.bench.frames import CAMERA_FPS, DEPTH_MAP, STEREO_PAIR, mapped_frames, paced, scene_frames
from nasion.bench.piped import Passage, passage
from nasion.bench.turns import slope
from nasion.mqtt.broker import PrivateBroker
from nasion.pipeline.summary import percentiles
from nasion.settings import View
from nasion.sources.frame import Frame

_HEIGHT = 1080
_FRAMES: Dict[str, Callable[[int], List[Frame]]] = {STEREO_PAIR: scene_frames, DEPTH_MAP: mapped_frames}
#: In less than this a slope says nothing, seconds.
_GROWTH_NEEDS_S = 10.0


def measure(bench: Bench) -> Optional[Figures]:
    """A row for each view and rate with stereo pairs, and one for each view with a camera that gives depth itself."""
    combinations = [(view, rate, STEREO_PAIR) for view, rate in product(bench.plan.views, bench.plan.rates)]
    combinations += [(view, CAMERA_FPS, DEPTH_MAP) for view in bench.plan.views]
    bench.expect(len(combinations))
    rows: List[Figures] = []
    with PrivateBroker() as broker:
        for view, rate, depth in combinations:
            passed = _passed(bench, broker.url, view, rate, _FRAMES[depth](_HEIGHT))
            if bench.stop.is_set():
                break
            rows.append(row(passed, view, rate, depth))
            bench.advance()
    return {"rows": rows} if rows else None


def _passed(bench: Bench, url: str, view: View, rate: int, frames: Sequence[Frame]) -> Passage:
    count = max(round(rate * bench.plan.paced_s), 2)
    source = bench.replay(paced(frames, rate, count, bench.stop, bench.clock), frames, live=True, fps=rate)
    settings = bench.subject.settings(view, "live", sources=(source.uri,), mqtt_url=url)
    return passage(settings, [source], clock=bench.clock, stop=bench.stop)


def row(passed: Passage, view: View, rate: int, depth: str) -> Figures:
    """``latency_ms``: from capture until the message is on its way; ``longest_wait_frames``: how long a frame waited at
    most before it was searched, in frames of the camera; ``growth_ms_per_min``: of the latency, a queue's would grow.
    """
    (camera,) = passed.summary.cameras.values()
    latency = [one["published"] for one in passed.latencies_ms]
    minutes = [(arrived - passed.arrived_ns[0]) / 60e9 for arrived in passed.arrived_ns]
    turn = passed.turn()
    return {
        "view": view,
        "rate": rate,
        "depth": depth,
        "frames": camera.frames,
        "processed": camera.processed,
        "drops": camera.drops,
        "published": camera.published,
        "latency_ms": vars(percentiles({"": latency})[""]),
        "network_ms": vars(camera.latency_ms["network"]),
        "beyond_network_ms": median(one["published"] - one["network"] for one in passed.latencies_ms),
        "longest_wait_frames": max(one.get("wait", 0.0) for one in passed.latencies_ms) * rate / 1e3,
        "growth_ms_per_min": slope(minutes, latency) if 60 * minutes[-1] >= _GROWTH_NEEDS_S else None,
        "cores": turn.cpu_s / turn.wall_s,
        "raw_ms": passed.latencies_ms,
    }
