"""Pad probes: how GStreamer's threads call ours."""

import ctypes
import threading
from typing import Any, Callable, Optional

from nasion.pipeline.gst import load_gst


class Probes:
    """The probes of one pipeline.

    An exception would vanish in GStreamer's thread: it is handed on to ``on_failure``, and nothing passes any more.
    """

    def __init__(self, on_failure: Callable[[BaseException], None]) -> None:
        self._gst = load_gst()
        self._on_failure = on_failure
        self._failed = False

    def add(self, pad: Any, step: Callable[[Any], Optional[bool]]) -> None:
        """Call ``step`` with every buffer that passes ``pad``; the buffer goes no further where it says False."""
        drop, ok = self._gst.PadProbeReturn.DROP, self._gst.PadProbeReturn.OK

        def on_buffer(_pad: Any, info: Any) -> Any:
            if self._failed:
                return drop
            _remember_this_thread()
            try:
                return drop if step(info.get_buffer()) is False else ok
            except BaseException as error:
                self._failed = True
                self._on_failure(error)
                return drop

        pad.add_probe(self._gst.PadProbeType.BUFFER, on_buffer)


_known = threading.local()


def _remember_this_thread() -> None:
    """Let Python keep what it has made for GStreamer's thread, until the program ends.

    Else it makes its state of the thread for each call and throws it away after it: six probes of a frame took 106 µs
    so, and 29 µs with this. A call of PyGILState_Ensure that no release follows does that. The few pages that are never
    given back belong to threads, of which a camera has four at most.
    """
    if not hasattr(_known, "thread"):
        ctypes.pythonapi.PyGILState_Ensure()
        _known.thread = True
