"""What libraries of C and C++ print, kept from the terminal and read: some say only there what went wrong."""

import os
import tempfile
from contextlib import contextmanager
from typing import Iterator, List


@contextmanager
def captured_stderr() -> Iterator[List[str]]:
    """The list holds, after the block, the lines that were written to file descriptor 2 within it.

    For commands that work on one file after the other: what another thread writes meanwhile is caught as well.
    """
    lines: List[str] = []
    try:
        before = os.dup(2)
    except OSError:
        # It is closed: nothing is printed.
        yield lines
        return
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield lines
        finally:
            os.dup2(before, 2)
            os.close(before)
            kept.seek(0)
            lines.extend(kept.read().decode("utf-8", "replace").splitlines())
