"""How much is measured: the whole, in a quarter of an hour, or the quick look, in under a minute."""

from typing import NamedTuple, Tuple

from nasion.settings import View

#: Every part by name, in the order in which they are measured.
PARTS = {
    "stages": "where a frame's time goes: one frame at a time, to a private broker",
    "bare": "the pipeline against the bare network on tensors that are there",
    "models": "the released networks by view and threads",
    "paced": "latency and drops of a camera at its own pace",
    "cameras": "several cameras in one process",
    "sizes": "pictures from VGA to 2.2K",
    "memory": "resident memory of `nasion run` and its growth",
    "startup": "from the start of `nasion run` to its first message",
    "peers": "the same frames by an OpenCV loop, and by YuNet where its file is given",
}


class Plan(NamedTuple):
    """Frames, turns and seconds of each part."""

    views: Tuple[View, ...]
    model_views: Tuple[View, ...]
    frames: int
    rounds: int
    stage_frames: int
    model_frames: int
    #: A turn of a network ends after so many seconds, whether it had its frames or not.
    model_s: float
    paced_s: float
    rates: Tuple[int, ...]
    cameras: Tuple[int, ...]
    memory_frames: int
    starts: int


WHOLE = Plan(
    views=("centre", "full"),
    model_views=("centre", "full", "fine"),
    frames=150,
    rounds=7,
    stage_frames=300,
    model_frames=30,
    model_s=2.0,
    paced_s=20.0,
    rates=(15, 30, 60),
    cameras=(1, 2, 4),
    memory_frames=3000,
    starts=5,
)
QUICK = Plan(
    views=("centre",),
    model_views=("centre", "full"),
    frames=30,
    rounds=2,
    stage_frames=40,
    model_frames=10,
    model_s=0.2,
    paced_s=2.0,
    rates=(15, 30, 60),
    cameras=(1, 2, 4),
    memory_frames=160,
    starts=3,
)
