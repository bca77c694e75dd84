"""The program as its users start it: in the process of the tests, or in one of its own."""

import contextlib
import re
import subprocess
import threading
from typing import IO, AnyStr, Callable, Iterator, Optional, Tuple

#: Words of the command line, without the program's name, to exit code, stdout and stderr.
Command = Callable[..., Tuple[int, str, str]]

#: No process of a test has so much to do.
_PATIENCE_S = 240.0


@contextlib.contextmanager
def attended(process: "subprocess.Popen[AnyStr]") -> "Iterator[subprocess.Popen[AnyStr]]":
    """The process, waited for when the body is done; killed where that fails or takes for ever.

    A `Popen` alone would be waited for then, too: for ever, and nobody would hear why.
    """
    impatience = threading.Timer(_PATIENCE_S, process.kill)
    impatience.start()
    try:
        with process:
            try:
                yield process
            except BaseException:
                process.kill()
                raise
    finally:
        impatience.cancel()
        impatience.join()


def line_with(stream: Optional[IO[str]], pattern: str) -> "re.Match[str]":
    """Read on until a line has the pattern; AssertionError with all of them where none has."""
    assert stream is not None
    lines = []
    for line in stream:
        found = re.search(pattern, line)
        if found:
            return found
        lines.append(line)
    raise AssertionError(f"no line with {pattern} in {lines}")
