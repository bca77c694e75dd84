"""Ctrl-C and SIGTERM end a command cleanly."""

import signal
import threading
from contextlib import contextmanager
from types import FrameType
from typing import Iterator, Optional

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stopping_signals() -> Iterator[threading.Event]:
    """The event that the first Ctrl-C or SIGTERM sets; a second one ends the process at once. Main thread only."""
    stop = threading.Event()

    def on_signal(number: int, _frame: Optional[FrameType]) -> None:
        stop.set()
        signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, on_signal) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
