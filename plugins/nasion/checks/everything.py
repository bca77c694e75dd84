"""All checks in their order; none of them ends the others."""

from functools import partial
from typing import Callable, Iterator, List, Tuple

from nasion.checks import inout, modules, network, versions
from nasion.checks.broker import broker
from nasion.checks.subject import Subject
from nasion.checks.verdict import Verdict, fail, refused
from nasion.errors import NasionError

Check = Callable[[Subject], Verdict]

#: Name and check. Modules are loaded before the sources: GStreamer, then pyds, then pyzed.
FIRST: Tuple[Tuple[str, Check], ...] = (
    ("Python", versions.python),
    ("GStreamer", versions.gstreamer),
    ("engine", versions.engine),
    ("L4T", versions.l4t),
    ("GPU", versions.gpu),
    ("CUDA", versions.cuda),
    ("TensorRT", versions.tensorrt),
    ("DeepStream", versions.deepstream),
    ("ZED SDK", versions.zed_sdk),
    *((module.name, partial(modules.check, module=module)) for module in modules.MODULES),
    ("nvinfer file", network.nvinfer_file),
    ("model", network.model),
    ("engine file", network.engine_file),
    ("broker", broker),
)


def plan(subject: Subject) -> List[Tuple[str, Check]]:
    """The checks of a run: two for each camera among them."""
    sources: List[Tuple[str, Check]] = [
        (f"{what} {camera.name}", partial(check, camera=camera))
        for camera in subject.cameras
        for what, check in (("source", inout.source), ("eyes", inout.eyes))
    ]
    return [*FIRST, *(sources or [("source", inout.no_source)]), ("save", inout.save)]


def verdicts(subject: Subject) -> Iterator[Verdict]:
    """One after the other, as they are found."""
    for name, check in plan(subject):
        yield one(name, check, subject)


def one(name: str, check: Check, subject: Subject) -> Verdict:
    """The verdict of ``check``; an error of its own becomes a failure of that name."""
    try:
        return check(subject)
    except NasionError as error:
        return refused(name, error)
    except Exception as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())
        return fail(name, f"the check itself failed: {what}", "tell the authors of nasion, with this line")
