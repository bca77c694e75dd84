"""Whether the program is well: it says so in a small file; `nasion health` and a container's HEALTHCHECK judge that.

Live: its loop turns. Ready: network and sources are open. Fresh: every camera's last processed frame is young, or no
newer one was due: with `--every 400` one frame of 400 is; a source of one frame in 10 s gives none sooner; one that has
ended gives none.
The standard library only: a container asks every few seconds, on a machine that has better things to do.
"""

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from nasion.mqtt.boot import read_boot_id
from nasion.paths import expanded

#: Names the file, for the program and for those who ask.
ENVIRONMENT = "NASION_HEALTH_FILE"
#: Older than this, seconds, neither a turn of the loop nor a frame counts.
MAX_AGE_S = 5.0
#: How often the file is written at most.
PERIOD_NS = 500_000_000
#: A state has some hundred bytes.
_MAX_BYTES = 1 << 20


@dataclass(frozen=True)
class Work:
    """What a camera has done so far. ``frames``: how many its source gave, of which each ``every``-th is processed.

    ``period_s``: from one frame of the source to the next; ``done``: no more come.
    """

    processed: int
    frames: int = 0
    every: int = 1
    period_s: float = 0.0
    done: bool = False


@dataclass
class _Seen:
    """Of a camera, what was noted when. ``on_time_ns``: when it had last done all that was due."""

    work: Work
    frames_then: int = 0
    last_ns: Optional[int] = None
    on_time_ns: Optional[int] = None

    def note(self, work: Work, now_ns: int) -> None:
        if work.processed > self.work.processed:
            self.last_ns = self.on_time_ns = now_ns
            self.frames_then = work.frames
        # A frame that is left out as asked is as good as a processed one, until the next one is due.
        elif work.done or (work.frames > self.work.frames and work.frames - self.frames_then < work.every):
            self.on_time_ns = now_ns
        self.work = work


@dataclass(frozen=True)
class Health:
    """``cameras``: seconds since the last processed frame of each; None where there was none. ``detail``: one line."""

    live: bool
    ready: bool
    fresh: bool
    detail: str
    cameras: Mapping[str, Optional[float]]

    @property
    def healthy(self) -> bool:
        """All three."""
        return self.live and self.ready and self.fresh

    def as_json(self) -> str:
        """One line."""
        cameras = {name: {"frame_age_s": age} for name, age in self.cameras.items()}
        told = {"healthy": self.healthy, "live": self.live, "ready": self.ready, "fresh": self.fresh}
        return json.dumps({**told, "detail": self.detail, "cameras": cameras}, ensure_ascii=False)


class HealthFile:
    """The program's side: notes when frames were last processed, for as long as its loop turns.

    Without a ``path`` it does nothing. What an earlier run left there goes: nothing is ready yet.
    """

    def __init__(self, path: Optional[Path], *, on_event: Callable[[str], None]) -> None:
        self._path = path
        self._on_event = on_event
        self._boot_id = read_boot_id()
        self._written_ns: Optional[int] = None
        self._seen: Dict[str, _Seen] = {}
        self._failed = False
        if path is not None:
            self._attempt(lambda: path.unlink() if path.exists() else None)

    def look(self, worked: Callable[[], Mapping[str, Work]], now_ns: int) -> None:
        """To be called often, once all is open; ``worked``: what each camera has done so far, asked for when due."""
        path = self._path
        if path is None or (self._written_ns is not None and now_ns - self._written_ns < PERIOD_NS):
            return
        self._written_ns = now_ns
        for name, work in worked().items():
            self._seen.setdefault(name, _Seen(Work(0))).note(work, now_ns)
        state = {
            "boot_id": self._boot_id,
            "at_ns": now_ns,
            "cameras": {name: seen.last_ns for name, seen in self._seen.items()},
            "on_time": {name: seen.on_time_ns for name, seen in self._seen.items() if seen.on_time_ns is not None},
            "period_s": {name: seen.work.period_s for name, seen in self._seen.items()},
        }
        self._attempt(lambda: _replace(path, json.dumps(state)))

    def _attempt(self, change: Callable[[], None]) -> None:
        """A file that cannot be written is told once, and ends no run; whoever asks finds no health."""
        try:
            change()
            self._failed = False
        except OSError as error:
            if not self._failed:
                self._on_event(f"health file {self._path} cannot be written: {error.strerror}; check {ENVIRONMENT}")
            self._failed = True


def health_path(environment: Mapping[str, str] = os.environ) -> Optional[Path]:
    """The file that the environment names, if any."""
    named = environment.get(ENVIRONMENT)
    return expanded(named) if named else None


def judge(path: Path, *, now_ns: int, boot_id: Optional[str], max_age_s: float = MAX_AGE_S) -> Health:
    """What the file says at ``now_ns`` (monotonic) of this boot."""
    try:
        at_ns, cameras, on_time, period_s = _read(path, boot_id)
    except OSError as error:
        return _unwell(f"{path}: {error.strerror}; nothing runs, or it is still starting")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return _unwell(f"{path} holds no state of this boot: {error}")
    ages = {name: None if last_ns is None else (now_ns - last_ns) / 1e9 for name, last_ns in cameras.items()}
    turned_s = (now_ns - at_ns) / 1e9
    live = turned_s <= max_age_s
    late = [
        _age(name, age)
        for name, age in ages.items()
        if age is None or min(age, (now_ns - on_time.get(name, 0)) / 1e9) > max_age_s + period_s.get(name, 0.0)
    ]
    if not live:
        detail = f"the program stands still, for {turned_s:.1f} s now"
    else:
        detail = ", ".join(late or [_age(name, age) for name, age in ages.items()])
    return Health(live, True, live and bool(ages) and not late, detail, ages)


def _read(path: Path, boot_id: Optional[str]) -> Tuple[int, Dict[str, Optional[int]], Dict[str, int], Dict[str, float]]:
    """When it was written; of each camera the last processed frame, when nothing was due, and the source's period."""
    with path.open("rb") as file:
        state: Any = json.loads(file.read(_MAX_BYTES))
    if state["boot_id"] != boot_id:
        raise ValueError(f"boot_id {state['boot_id']!r}, not {boot_id!r}")
    return (
        int(state["at_ns"]),
        {str(name): None if last is None else int(last) for name, last in state["cameras"].items()},
        {str(name): int(at_ns) for name, at_ns in state.get("on_time", {}).items()},
        {str(name): float(period) for name, period in state.get("period_s", {}).items()},
    )


def _unwell(detail: str) -> Health:
    return Health(live=False, ready=False, fresh=False, detail=detail, cameras={})


def _age(name: str, age_s: Optional[float]) -> str:
    return f"{name}: no frame yet" if age_s is None else f"{name}: last frame {age_s:.1f} s ago"


def _replace(path: Path, text: str) -> None:
    """Whoever reads finds the old state or the new one, never a part."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def main() -> None:
    """``python -m nasion.health``, for HEALTHCHECK: one line; exit code 0 where all is well, else 1."""
    path = health_path()
    health = (
        _unwell(f"{ENVIRONMENT} names no file")
        if path is None
        else judge(path, now_ns=time.monotonic_ns(), boot_id=read_boot_id())
    )
    sys.stdout.write(f"{'healthy' if health.healthy else 'unhealthy'}: {health.detail}\n")
    sys.exit(not health.healthy)


if __name__ == "__main__":
    main()
