"""What only a process of its own shows: how soon `nasion run` says its first word, and how much memory it takes."""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List, Optional

import cv2

from nasion.bench.bench import Bench, Figures
from nasion.bench.frames import SCENES
from nasion.bench.turns import slope, spread
from nasion.errors import NasionError
from nasion.settings import RunSettings
from nasion.sources.demo.scene import DemoScene

_HEIGHT = 1080
_MIB = 1 << 20
#: Memory is looked at so often in a run, and counts as settled after this share of it.
_LOOKS = 120
_SETTLED = 1 / 3
#: In fewer settled frames than this a slope says nothing.
_GROWTH_NEEDS = 500
#: How long a process may take to end when it is told to, seconds.
_END_S = 20.0


def measure_startup(bench: Bench) -> Optional[Figures]:
    """Seconds from the start of the process to its first message, which is about one stereo pair."""
    bench.expect(bench.plan.starts)
    view = bench.plan.views[0]
    seconds: List[float] = []
    with tempfile.TemporaryDirectory(prefix="nasion-bench-") as name:
        folder = Path(name)
        _write_pair(folder)
        settings = bench.subject.settings(view, "every-frame", sources=(f"pairs:{folder}",))
        for _ in range(bench.plan.starts):
            began_ns = bench.clock.monotonic_ns()
            with _running(settings) as process:
                _first_line(process)
                took_s = (bench.clock.monotonic_ns() - began_ns) / 1e9
            if bench.stop.is_set():
                break
            seconds.append(took_s)
            bench.advance()
    return {"view": view, "seconds": spread(seconds), "raw_s": seconds} if seconds else None


def measure_memory(bench: Bench) -> Optional[Figures]:
    """Resident memory while every frame of the demo goes through; what the demo itself takes is in it."""
    every = max(bench.plan.memory_frames // _LOOKS, 1)
    bench.expect((bench.plan.memory_frames - 1) // every)
    view = bench.plan.views[0]
    settings = bench.subject.settings(view, "every-frame", sources=(f"demo:?size={_HEIGHT}",))
    frames: List[int] = []
    mib: List[float] = []
    with _running(settings.model_copy(update={"frames": bench.plan.memory_frames})) as process:
        assert process.stdout is not None
        number = 0
        for number, _ in enumerate(process.stdout, 1):
            if bench.stop.is_set():
                break
            # After the last message the process lets go of everything.
            resident = resident_mib(process.pid) if number % every == 0 and number < bench.plan.memory_frames else None
            if resident is not None:
                frames.append(number)
                mib.append(resident)
                bench.advance()
        if number < bench.plan.memory_frames and not bench.stop.is_set():
            raise _EndedError(number)
    return None if len(frames) < 4 else memory_figures(view, frames, mib)


def memory_figures(view: str, frames: List[int], mib: List[float]) -> Figures:
    """``growth_mib``: in 1000 frames, once the memory has settled; None where too few came after that."""
    settled = int(len(frames) * _SETTLED)
    growth = slope(frames[settled:], mib[settled:]) if frames[-1] - frames[settled] >= _GROWTH_NEEDS else None
    return {
        "view": view,
        "mib": spread(mib[settled:]),
        "growth_mib": None if growth is None else 1000 * growth,
        "raw": {"frames": frames, "mib": mib},
    }


def resident_mib(pid: int) -> Optional[float]:
    """The process's resident memory, MiB; None where it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return None
    # A process that has ended but was not waited for has no pages.
    return pages * os.sysconf("SC_PAGE_SIZE") / _MIB or None


def _write_pair(folder: Path) -> None:
    """One stereo pair with somebody in it, as `pairs:` reads it."""
    scene = DemoScene(_HEIGHT)
    for eye, picture in zip(("left", "right"), scene.render(SCENES["person"][0])):
        cv2.imwrite(str(folder / f"000_{eye}.png"), picture)
    lens = vars(scene.calibration.left)
    calibration = {**lens, "baseline_m": scene.calibration.baseline_m, "rectified": True}
    (folder / "calibration.json").write_text(json.dumps(calibration))


@contextmanager
def _running(settings: RunSettings) -> Iterator["subprocess.Popen[str]"]:
    """`nasion run --json` with these settings; ended, if it has not, afterwards."""
    with tempfile.TemporaryDirectory(prefix="nasion-bench-") as name:
        # JSON is YAML.
        config, log = Path(name, "run.yaml"), Path(name, "stderr")
        config.write_text(settings.model_dump_json(exclude_none=True))
        command = [sys.executable, "-m", "nasion", "run", "--config", str(config), "--json"]
        with log.open("wb") as stderr:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True
            )
        try:
            yield process
        except _EndedError as error:
            code = process.wait(_END_S)
            last = log.read_text(errors="replace").strip().splitlines()[-1:]
            raise NasionError(f"`nasion run` ended with code {code} after {error} messages: {''.join(last)}") from None
        finally:
            process.terminate()
            try:
                process.communicate(timeout=_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()


class _EndedError(Exception):
    """The process ended after so many messages, too early."""


def _first_line(process: "subprocess.Popen[str]") -> None:
    assert process.stdout is not None
    if not process.stdout.readline():
        raise _EndedError(0)
