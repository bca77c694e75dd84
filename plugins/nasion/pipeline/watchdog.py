"""Frames that go in while none comes out: the watchdog ends the process, or starts it again.

Nobody can stop a thread that is stuck in a library. So the process ends as it stands: what can still be said is said,
but not waited for longer than a moment.
"""

import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Callable, Dict, List, Optional, Sequence, Tuple, Type

from nasion.errors import WatchdogError
from nasion.settings import WatchdogSettings

#: How often is looked.
TICK_S = 0.1
#: How long the last words may take; the broker has a second for them.
LAST_WORDS_S = 3.0


@dataclass(frozen=True)
class Progress:
    """One camera. ``inside``: frames on their way; ``lost``: frames that were given up, since the start; ``processed``:
    frames that came out; ``running``: the steps that are running.
    """

    camera: str
    inside: int
    lost: int
    processed: int
    running: Tuple[str, ...]


#: Set in the environment of a process that the watchdog has started again.
_RESTARTED = "NASION_RESTARTED"


class Patience:
    """When a camera has stood still for ``seconds``. Time is an argument."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last: Dict[str, Progress] = {}
        self._waited_s: Dict[str, float] = {}

    def look(self, cameras: Sequence[Progress], passed_s: float) -> Optional[str]:
        """What is wrong, in one line, after ``passed_s`` more; None where frames come out, or none went in."""
        for now in cameras:
            before = self._last.get(now.camera)
            # What is given up makes room for the next frame, and that is no progress.
            nothing_in = now.inside == 0 and before is not None and now.lost == before.lost
            if before is None or now.processed != before.processed or nothing_in:
                self._last[now.camera], self._waited_s[now.camera] = now, 0.0
                continue
            if now.inside == 0:
                continue
            self._waited_s[now.camera] += passed_s
            if self._waited_s[now.camera] >= self._seconds:
                where = f"running: {', '.join(now.running)}" if now.running else "no step of ours is running"
                return (
                    f"watchdog: {now.camera}: frames went in and none came out for {self._waited_s[now.camera]:.1f} s "
                    f"({now.inside} inside, {now.lost - before.lost} given up; {where})"
                )
        return None


class Watchdog:
    """Looks while it is entered, from a thread of its own."""

    def __init__(
        self,
        settings: WatchdogSettings,
        progress: Callable[[], List[Progress]],
        *,
        on_event: Callable[[str], None],
        last_words: Callable[[], Sequence[Callable[[], None]]],
    ) -> None:
        """``last_words``: what is done before the end, all at once, and left alone where it does not return."""
        self._settings = settings
        self._progress = progress
        self._on_event = on_event
        self._last_words = last_words
        self._patience = Patience(settings.seconds)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def __enter__(self) -> "Watchdog":
        self._thread.start()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._ended.set()

    def _run(self) -> None:
        last_s = time.monotonic()
        while not self._ended.wait(TICK_S):
            now_s = time.monotonic()
            # A process that was stopped (Ctrl-Z) or starved looks late; that time was nobody's.
            wrong = self._patience.look(self._progress(), min(now_s - last_s, 2 * TICK_S))
            last_s = now_s
            if wrong is not None and not self._ended.is_set():
                self._fire(wrong)

    def _fire(self, wrong: str) -> None:
        restart = self._settings.action == "restart"
        _in_time(lambda: self._on_event(f"{wrong}; {'starting again' if restart else 'ending'}"))
        _in_time(*self._last_words())
        _in_time(_flush)
        if restart:
            with suppress(OSError):
                _start_again()
        os._exit(WatchdogError.exit_code)


def _in_time(*what: Callable[[], None]) -> None:
    """Also what they need, a pipe, say, or a lock, may be stuck."""
    doing = [threading.Thread(target=one, daemon=True) for one in what]
    for thread in doing:
        thread.start()
    deadline_s = time.monotonic() + LAST_WORDS_S
    for thread in doing:
        thread.join(max(0.0, deadline_s - time.monotonic()))


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()


def was_restarted() -> bool:
    """Whether a watchdog started this process again: what the run wrote before is then its own."""
    return _RESTARTED in os.environ


def _start_again() -> None:
    """The same command in this very process; what libraries hold open (a camera, say) is closed with it."""
    command = [os.fsdecode(word) for word in _read_command()]
    for descriptor in os.listdir("/proc/self/fd"):
        if int(descriptor) > 2:
            with suppress(OSError):
                os.set_inheritable(int(descriptor), False)
    os.environ[_RESTARTED] = "1"
    os.execv(sys.executable, command)


def _read_command() -> List[bytes]:
    with open("/proc/self/cmdline", "rb") as file:
        return file.read().split(b"\0")[:-1]
