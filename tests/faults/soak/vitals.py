"""What a process holds, as the kernel tells it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple


class Vitals(NamedTuple):
    """Resident memory in MB, open descriptors, threads."""

    memory_mb: float
    descriptors: int
    threads: int


def vitals(pid: int) -> Vitals | None:
    """Of a process of ours; None where it has ended."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
        descriptors = len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return None
    memory, threads = re.search(r"VmRSS:\s+(\d+) kB", text), re.search(r"Threads:\s+(\d+)", text)
    if memory is None or threads is None:
        return None
    return Vitals(int(memory[1]) / 1024, descriptors, int(threads[1]))
