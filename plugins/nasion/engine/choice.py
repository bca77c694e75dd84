"""Which engine runs the network, and why."""

from importlib import import_module
from typing import Callable, List

from typing_extensions import Literal

from nasion.errors import DependencyError
from nasion.settings import Engine

OwnEngine = Literal["onnxruntime"]


def choose_engine(wanted: Engine, missing: Callable[[], List[str]], on_event: Callable[[str], None]) -> OwnEngine:
    """The engine to take; `auto` says which and why.

    ``missing``: what DeepStream lacks here (see `missing_for_deepstream`). DependencyError where the engine asked for
    cannot be had.
    """
    if wanted == "onnxruntime":
        return wanted
    lacking = missing()
    why = f"deepstream needs {' and '.join(lacking)}" if lacking else "this version does not drive deepstream yet"
    if wanted == "deepstream":
        raise DependencyError(f"--engine deepstream: {why}; take --engine onnxruntime")
    on_event(f"engine: onnxruntime ({why})")
    return "onnxruntime"


def missing_for_deepstream(has_element: Callable[[str], bool]) -> List[str]:
    """What DeepStream's engine needs and this machine has not; ``has_element`` asks GStreamer for an element."""
    lacking = [f"the GStreamer element {name}" for name in ("nvstreammux", "nvinfer") if not has_element(name)]
    try:
        # A package of the same name on the Python package index is an unrelated library.
        genuine = hasattr(import_module("pyds"), "gst_buffer_get_nvds_batch_meta")
    except ImportError:
        genuine = False
    return lacking if genuine else [*lacking, "DeepStream's Python module pyds"]
