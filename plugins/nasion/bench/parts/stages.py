"""Where a frame's time goes, one frame at a time, so that none waits for another."""

from itertools import product
from typing import List, Optional

from nasion.bench.bench import Bench, Figures
from nasion.bench.frames import SCENES, scene_frames
from nasion.bench.piped import Passage, one_at_a_time
from nasion.mqtt.broker import PrivateBroker
from nasion.settings import View

#: Lines of the pictures.
HEIGHTS = (720, 1080)


def measure(bench: Bench) -> Optional[Figures]:
    """A row for each view, picture size and scene."""
    combinations = list(product(bench.plan.views, HEIGHTS, SCENES))
    bench.expect(len(combinations))
    rows: List[Figures] = []
    with PrivateBroker() as broker:
        for view, height, scene in combinations:
            frames = scene_frames(height, scene)
            passed = one_at_a_time(bench, frames, bench.plan.stage_frames, view, broker.url)
            if bench.stop.is_set():
                break
            rows.append(_row(passed, view, height, scene))
            bench.advance()
    return {"rows": rows} if rows else None


def _row(passed: Passage, view: View, height: int, scene: str) -> Figures:
    (camera,) = passed.summary.cameras.values()
    return {
        "view": view,
        "height": height,
        "scene": scene,
        "frames": len(passed.arrived_ns),
        "located": passed.located,
        "cpu_ms": passed.turn().cpu_ms,
        "stages_ms": {stage: vars(spread) for stage, spread in camera.latency_ms.items()},
        "raw_ms": passed.latencies_ms,
    }
