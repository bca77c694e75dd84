"""A bench in miniature: a model that costs nothing, a few frames, and everything else real."""

import threading
from pathlib import Path
from typing import Any, Callable

import pytest
from nasion.bench.bench import Bench
from nasion.bench.plan import QUICK, Plan
from nasion.bench.subject import Subject
from nasion.sources.clock import SystemClock

TINY: Plan = QUICK._replace(
    model_views=("centre",),
    frames=8,
    rounds=2,
    stage_frames=8,
    model_frames=2,
    model_s=0.2,
    paced_s=0.5,
    rates=(30,),
    cameras=(1, 2),
    memory_frames=12,
    starts=1,
)

MakeBench = Callable[..., Bench]


@pytest.fixture
def make_bench(spot_model: Path) -> MakeBench:
    """A bench of the model that sees red, unless ``model`` is another or None; other words replace those of Bench."""

    def make(plan: Plan = TINY, **words: Any) -> Bench:
        model = words.pop("model", spot_model)
        subject = Subject(model=model, precision="float", cpuinfo="", threads=1)
        return Bench(subject, plan, SystemClock(), words.pop("stop", threading.Event()), **words)

    return make
