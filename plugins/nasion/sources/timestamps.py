"""When the frames of a folder were taken."""

import csv
import io
import os
import re
from pathlib import Path
from statistics import median
from typing import Dict, List

from nasion.errors import InputError
from nasion.files import read_text

FILE_NAME = "timestamps.csv"
_HEADER = ["frame", "recorded_ns"]
_WHOLE = re.compile(r"-?0*(\d+)", re.ASCII)
#: A million frames have some 30 MB.
MAX_BYTES = 256 << 20
#: What 64 bits hold, from 1677 to 2262: so do the messages.
_LATEST_NS = (1 << 63) - 1
#: No camera is faster than this; where frames are nearer together, the numbers are of another unit.
_LEAST_INTERVAL_NS = 900_000
#: Where a time is one of today in another unit, frames are this far apart at most in that unit; nanoseconds since a
#: machine was started some weeks ago look like microseconds of today too, but their frames would then be farther apart.
_MOST_INTERVAL_NS = 2 * 10**9
#: Units that are taken for nanoseconds: how many nanoseconds one has.
_UNITS = {"seconds": 10**9, "milliseconds": 10**6, "microseconds": 10**3}
#: Where now, in nanoseconds, lies between: 2001 and 2100.
_EPOCH_NS = (10**18, 41 * 10**17)
#: Frames are this far apart, more or less, where no epoch tells the unit.
_LIKELY_INTERVAL_NS = 33_000_000


def read_times(folder: Path, frames: List[str], fps: float) -> List[int]:
    """The recording's own time of each frame, nanoseconds: from ``timestamps.csv``, else evenly at ``fps`` from 0.

    The file has the columns ``frame`` (its number as in the file names) and ``recorded_ns`` (any epoch, rising).
    InputError where it is malformed, lacks a frame, or goes back.
    """
    path = folder / FILE_NAME
    if not os.path.lexists(str(path)):
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
    if len(times) > 1:
        _require_nanoseconds(path, times)
    return times


def _require_nanoseconds(path: Path, times: List[int]) -> None:
    """InputError where frames are nearer together than any camera's: the gates would judge people by such times."""
    interval = median(after - before for before, after in zip(times, times[1:]))
    earliest, latest = _EPOCH_NS
    of_epoch = [unit for unit, size in _UNITS.items() if earliest <= times[0] * size <= latest]
    likely = of_epoch and interval * _UNITS[of_epoch[0]] <= _MOST_INTERVAL_NS
    if interval >= _LEAST_INTERVAL_NS and not likely:
        return
    unit = of_epoch[0] if of_epoch else min(_UNITS, key=lambda unit: abs(interval * _UNITS[unit] - _LIKELY_INTERVAL_NS))
    raise InputError(
        f"{path}: frames are {interval:g} ns apart; recorded_ns is nanoseconds, and these look like {unit}: "
        f"multiply them by {_UNITS[unit]}"
    )


def _read(path: Path) -> Dict[str, int]:
    if not path.is_file():
        raise InputError(f"{path} cannot be read: it is no regular file; remove it to count the frames evenly")
    text = read_text(path, MAX_BYTES, what="times", too_large=f"{MAX_BYTES >> 20} MiB")
    try:
        lines = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    if not lines or lines[0] != _HEADER:
        raise InputError(f"{path}: expected the first line {','.join(_HEADER)}")
    times: Dict[str, int] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not line:
            continue
        whole = _WHOLE.fullmatch(line[1]) if len(line) == len(_HEADER) else None
        if whole is None:
            found = ",".join(line)[:80]
            raise InputError(f"{path}, line {number}: expected a frame and whole nanoseconds, found {found!r}")
        # Python refuses to read thousands of digits.
        if len(whole[1]) > 19 or not -_LATEST_NS <= int(line[1]) <= _LATEST_NS:
            raise InputError(
                f"{path}, line {number}: {line[1][:24]} is past 2^63 nanoseconds; expected an earlier time"
            )
        if line[0] in times:
            raise InputError(f"{path}, line {number}: frame {line[0]} stands there twice; remove one line")
        times[line[0]] = int(line[1])
    return times
