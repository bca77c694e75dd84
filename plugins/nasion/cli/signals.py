"""Ctrl-C, SIGTERM and a terminal that is closed (SIGHUP) end a command cleanly."""

import signal
import socket
import threading
from contextlib import contextmanager
from types import FrameType
from typing import Iterator, Optional

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def heeded(number: int) -> bool:
    """Whether the signal counts. ``nohup`` starts a program with SIGHUP ignored, and that is then meant so.

    Shells ignore SIGINT for what they start in the background, and that is no wish of anybody's.
    """
    return number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN


@contextmanager
def stopping_signals() -> Iterator[threading.Event]:
    """The event that the first Ctrl-C, SIGTERM or SIGHUP sets; a second one ends the process at once. Main thread only.

    The event is set by a thread of its own, which Python's C code wakes through a socket. A signal handler runs in the
    middle of whatever the main thread does; if that is the event's ``wait`` or ``set``, which hold its lock, a handler
    that called ``set`` would wait for that lock for ever.
    """
    stop = threading.Event()
    woken, wake = socket.socketpair()
    wake.setblocking(False)

    def set_when_woken() -> None:
        while woken.recv(1):
            stop.set()

    def on_signal(number: int, _frame: Optional[FrameType]) -> None:
        signal.signal(number, signal.SIG_DFL)

    watcher = threading.Thread(target=set_when_woken, name="signals", daemon=True)
    watcher.start()
    wake_before = signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    before = {number: signal.signal(number, on_signal) for number in _SIGNALS if heeded(number)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wake_before)
        wake.close()
        watcher.join()
        woken.close()
