"""What a command writes: messages as JSON lines, or lines for people, on stdout; everything else on stderr."""

import errno
import json
import os
import sys
import threading
import time
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Dict

from nasion.errors import InputError, NasionError
from nasion.events import fields
from nasion.messages import PersonMessage
from nasion.redaction import redacted
from nasion.show.table import message_line
from nasion.sources.frame import Clock

#: Environment variable for how lines about the run are written; the first form is the default.
LOG_FORMAT, LOG_FORMATS = "NASION_LOG", ("text", "json")
#: What writing says of a pipe that nobody reads any more, and of a terminal that was closed.
READER_GONE = (errno.EPIPE, errno.EIO)
#: People get a line of each camera at most this often.
_LINE_NS = 1_000_000_000


def write_in_any_encoding() -> None:
    """Let stdout and stderr show `?` for what their encoding lacks (Latin-1 has no ●), where they would fail.

    In the locale C Python has its stdout let bytes of file names pass (`surrogateescape`), and nothing else.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.errors in ("strict", "surrogateescape"):
            stream.reconfigure(errors="replace")


def readable(path: Path) -> str:
    """A path as text for people and JSON; bytes of a file name that are no UTF-8 become �."""
    return os.fsencode(path).decode("utf-8", "replace")


def log_format() -> str:
    """How lines about the run are written; InputError where the environment names a form that there is none of."""
    wanted = os.environ.get(LOG_FORMAT, LOG_FORMATS[0])
    if wanted not in LOG_FORMATS:
        raise InputError(f"{LOG_FORMAT}={wanted!r}: expected {' or '.join(LOG_FORMATS)}")
    return wanted


def tell(text: str) -> None:
    """A line about the run itself, on stderr: for people or, with NASION_LOG=json, one JSON object. Above a live screen
    or progress bar where there is one.

    Not through ``typer.echo``, which writes past the stand-in for stderr that keeps such a line and the screen apart.
    """
    line = f"nasion: {redacted(text)}"
    if log_format() == "json":
        said = {name: value and redacted(value) for name, value in fields(text).items()}
        line = json.dumps({"at": round(time.time(), 3), **said}, ensure_ascii=False)
    # That nobody reads stderr any more is no reason to stop.
    with suppress(OSError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()


def give_up_stdout() -> None:
    """It takes no more. The interpreter flushes it once more at its end; that must not fail."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


class Lines:
    """Lines on stdout, for as long as somebody reads them; what follows is dropped (``| head -1``)."""

    def __init__(self, *, json: bool = False) -> None:
        """``json``: always UTF-8, as JSON is, whatever the terminal speaks."""
        #: False once the reader has gone.
        self.wanted = True
        if json and isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")

    def write(self, *lines: str) -> None:
        """Write them at once; NasionError where stdout takes no more."""
        if not self.wanted:
            return
        try:
            sys.stdout.write("".join(f"{line}\n" for line in lines))
            sys.stdout.flush()
        except OSError as error:
            self._give_up()
            if error.errno in READER_GONE:
                return
            raise NasionError(f"a line cannot be written to stdout: {error.strerror}") from None

    def _give_up(self) -> None:
        self.wanted = False
        give_up_stdout()


class MessageLines:
    """Writes messages to stdout. When their reader has gone, ``stop`` is set."""

    def __init__(self, *, json: bool, clock: Clock, stop: threading.Event) -> None:
        """``json``: every message as one JSON object a line, and nothing else; else a line a second for people."""
        self._json = json
        self._lines = Lines(json=json)
        self._clock = clock
        self._stop = stop
        self._last_line_ns: Dict[str, int] = {}

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

    def _write(self, line: str) -> None:
        self._lines.write(line)
        if not self._lines.wanted:
            self._stop.set()
