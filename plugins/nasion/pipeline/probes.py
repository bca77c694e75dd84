"""Pad probes: how GStreamer's threads call ours."""

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
            try:
                return drop if step(info.get_buffer()) is False else ok
            except BaseException as error:
                self._failed = True
                self._on_failure(error)
                return drop

        pad.add_probe(self._gst.PadProbeType.BUFFER, on_buffer)
