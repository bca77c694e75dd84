"""When the frames of a folder were taken."""

import csv
from pathlib import Path
from typing import Dict, List

from nasion.errors import InputError

FILE_NAME = "timestamps.csv"
_HEADER = ["frame", "recorded_ns"]


def read_times(folder: Path, frames: List[str], fps: float) -> List[int]:
    """The recording's own time of each frame, nanoseconds: from ``timestamps.csv``, else evenly at ``fps`` from 0.

    The file has the columns ``frame`` (its number as in the file names) and ``recorded_ns`` (any epoch, rising).
    InputError where it is malformed, lacks a frame, or goes back.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return [round(index * 1e9 / fps) for index in range(len(frames))]
    given = _read(path)
    times: List[int] = []
    for frame in frames:
        if frame not in given:
            raise InputError(
                f"{path} has no line for frame {frame}; add it, or remove the file to use {fps:g} per second"
            )
        if times and given[frame] <= times[-1]:
            raise InputError(f"{path}: frame {frame} is not later than the one before; recorded_ns must rise")
        times.append(given[frame])
    return times


def _read(path: Path) -> Dict[str, int]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    if not lines or lines[0] != _HEADER:
        raise InputError(f"{path}: expected the first line {','.join(_HEADER)}")
    times: Dict[str, int] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        if len(line) != len(_HEADER) or not line[1].lstrip("-").isdecimal():
            raise InputError(f"{path}, line {number}: expected a frame and whole nanoseconds, found {','.join(line)!r}")
        times[line[0]] = int(line[1])
    return times
