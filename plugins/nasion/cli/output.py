"""What a running command shows: messages as JSON lines, or lines for people; everything else goes to stderr."""

import os
import sys
import threading
from contextlib import suppress
from typing import Dict

from nasion.errors import NasionError
from nasion.messages import PersonMessage
from nasion.show.table import message_line
from nasion.sources.frame import Clock

#: People get a line of each camera at most this often.
_LINE_NS = 1_000_000_000


def tell(text: str) -> None:
    """A line about the run itself, on stderr; above a live screen or progress bar where there is one.

    Not through ``typer.echo``, which writes past the stand-in for stderr that keeps such a line and the screen apart.
    """
    # That nobody reads stderr any more is no reason to stop.
    with suppress(OSError):
        sys.stderr.write(f"nasion: {text}\n")
        sys.stderr.flush()


class MessageLines:
    """Writes messages to stdout. When the reader has gone (``| head -1``), ``stop`` is set and the rest is dropped."""

    def __init__(self, *, json: bool, clock: Clock, stop: threading.Event) -> None:
        """``json``: every message as one JSON object a line, and nothing else; else a line a second for people."""
        self._json = json
        self._clock = clock
        self._stop = stop
        self._last_line_ns: Dict[str, int] = {}
        self._closed = False

    def __call__(self, message: PersonMessage) -> None:
        """Write it, or not; NasionError where stdout takes no more."""
        if self._json:
            self._write(message.to_json())
            return
        now_ns = self._clock.monotonic_ns()
        last_ns = self._last_line_ns.get(message.camera)
        if last_ns is None or now_ns - last_ns >= _LINE_NS:
            self._last_line_ns[message.camera] = now_ns
            self._write(message_line(message))

    def close(self) -> None:
        """Keep the interpreter from complaining at its end about what it cannot write any more."""
        if self._closed:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _write(self, line: str) -> None:
        if self._closed:
            return
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            self._closed = True
            self._stop.set()
        except OSError as error:
            self._closed = True
            raise NasionError(f"a message cannot be written to stdout: {error.strerror}") from None
