"""Which engine runs the network, and why."""

from typing import Callable, List

from typing_extensions import Literal

from nasion.deepstream.meta import why_no_pyds
from nasion.errors import DependencyError
from nasion.settings import Engine

#: Those on the CPU.
CpuEngine = Literal["onnxruntime", "openvino"]
OwnEngine = Literal["onnxruntime", "openvino", "deepstream"]

#: DeepStream's own elements that the engine uses.
ELEMENTS = ("nvvideoconvert", "nvstreammux", "nvinfer")


def choose_engine(wanted: Engine, missing: Callable[[], List[str]], on_event: Callable[[str], None]) -> OwnEngine:
    """The engine to take; `auto` takes deepstream where it can load, and says which it took and, where only a part of
    DeepStream is here, what lacks. A machine with nothing of it misses nothing.

    Not openvino, which must be asked for: whoever installs a library should not get other last digits by that.

    ``missing``: what DeepStream lacks here (see `missing_for_deepstream`). DependencyError where the engine asked for
    cannot be had.
    """
    if wanted in ("onnxruntime", "openvino"):
        return wanted
    lacking = missing()
    if not lacking:
        if wanted == "auto":
            on_event(f"engine: deepstream ({', '.join(ELEMENTS)} and pyds are here)")
        return "deepstream"
    why = f"deepstream needs {' and '.join(lacking)}"
    if wanted == "deepstream":
        raise DependencyError(f"--engine deepstream: {why}; take --engine onnxruntime")
    nothing_of_it = len(lacking) > len(ELEMENTS)
    on_event("engine: onnxruntime" if nothing_of_it else f"engine: onnxruntime ({why})")
    return "onnxruntime"


def missing_for_deepstream(has_element: Callable[[str], bool]) -> List[str]:
    """What DeepStream's engine needs and this machine has not; ``has_element`` asks GStreamer for an element."""
    lacking = [f"the GStreamer element {name}" for name in ELEMENTS if not has_element(name)]
    no_pyds = why_no_pyds()
    return lacking if no_pyds is None else [*lacking, no_pyds]
