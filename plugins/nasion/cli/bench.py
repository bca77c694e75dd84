"""``nasion bench``: how fast this machine is with the network, and where the time goes."""

import json as jsons
import sys
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple, get_args

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from typing_extensions import Annotated

from nasion.bench.bench import Bench
from nasion.bench.everything import Measured, measure, parts_named
from nasion.bench.machine import busy, load, machine_facts
from nasion.bench.plan import PARTS, QUICK, WHOLE, Plan
from nasion.bench.plots import check_plots, save_plots
from nasion.bench.row import grown, read_table, row
from nasion.bench.subject import Subject
from nasion.bench.tables import tables
from nasion.cli.flags import choices_of, help_of, one_of_setting
from nasion.cli.output import tell
from nasion.cli.signals import stopping_signals
from nasion.config.nearest import did_you_mean
from nasion.core.views import INPUT_SIZES
from nasion.engine.precision import read_cpuinfo
from nasion.errors import InputError, NasionError
from nasion.settings import Precision, RunSettings
from nasion.sources.clock import SystemClock

#: Of the JSON file; a key that changes its meaning raises it.
SCHEMA = 1
#: Where the tables go to a file or a pipe, which have no width of their own.
_PIPE_WIDTH = 140


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="A look in under a minute on a quiet machine.")] = False,
    only: Annotated[
        Optional[str], typer.Option(metavar="PART,...", help=f"Only these parts of {', '.join(PARTS)}.")
    ] = None,
    view: Annotated[
        Optional[List[str]],
        typer.Option(
            metavar=choices_of(RunSettings, "view"),
            help="Only this view; repeat it for several.",
            autocompletion=one_of_setting(RunSettings, "view"),
        ),
    ] = None,
    model: Annotated[Optional[Path], typer.Option(metavar="FILE.onnx", help=help_of(RunSettings, "model"))] = None,
    precision: Annotated[
        str,
        typer.Option(
            metavar=choices_of(RunSettings, "precision"),
            help=help_of(RunSettings, "precision"),
            show_default=False,
            autocompletion=one_of_setting(RunSettings, "precision"),
        ),
    ] = "auto",
    threads: Annotated[
        int, typer.Option(metavar="N", min=1, max=64, help=help_of(RunSettings, "threads"), show_default=False)
    ] = 1,
    seconds: Annotated[
        Optional[float], typer.Option(metavar="S", min=0.5, help="Length of each run of the part `paced`.")
    ] = None,
    yunet: Annotated[
        Optional[Path], typer.Option(metavar="FILE.onnx", help="OpenCV's YuNet, to compare with in the part `peers`.")
    ] = None,
    json: Annotated[
        Optional[Path],
        typer.Option("--json", metavar="FILE", help="Write every figure, raw ones too, and the machine."),
    ] = None,
    plots: Annotated[Optional[Path], typer.Option(metavar="DIR", help="Draw the figures there, as PNG.")] = None,
    append: Annotated[
        Optional[Path], typer.Option(metavar="FILE.md", help="Add this release's row to the table in this file.")
    ] = None,
) -> None:
    """Measure the CPU engine on this machine: stages, rates, latency, memory, and how others do on the same frames.

    What is compared takes turns in the same run. Ctrl-C ends it and keeps what was measured.
    """
    parts = parts_named(only)
    plan = _plan(WHOLE if not quick else QUICK, view or [], seconds)
    cpuinfo = read_cpuinfo()
    subject = Subject(
        model=None if model is None else model.absolute(),
        precision=_precision(precision),
        cpuinfo=cpuinfo,
        threads=threads,
    )
    if yunet is not None and not yunet.is_file():
        raise InputError(f"--yunet {yunet}: there is no such file; expected OpenCV's face_detection_yunet ONNX file")
    table_so_far = _outputs_checked(json, plots, append)
    report: Dict[str, Any] = {
        "schema": SCHEMA,
        "began": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "quick": quick,
        "machine": machine_facts(cpuinfo),
        "networks": {name: subject.facts(name) for name in plan.views},
    }
    warning = busy(report["machine"])
    if warning is not None:
        tell(f"bench: {warning}")
    with stopping_signals() as stop, _progress() as progress:
        begun = _Begun(progress, len(parts))
        measured = measure(
            Bench(subject, plan, SystemClock(), stop, begun.expect, begun.advance, yunet), parts, begun.part
        )
        stopped = stop.is_set()
    report.update(
        stopped=stopped,
        load_after=load(),
        parts=measured.parts,
        failures={part: str(error) for part, error in measured.failures.items()},
    )
    _written(report, json, plots, append, table_so_far)
    _ended(measured, parts, stopped=stopped)


def _plan(plan: Plan, views: List[str], seconds: Optional[float]) -> Plan:
    for name in views:
        if name not in INPUT_SIZES:
            raise InputError(f"--view {name}: expected {', '.join(INPUT_SIZES)}{did_you_mean(name, INPUT_SIZES)}")
    chosen = tuple(name for name in INPUT_SIZES if name in views)
    if chosen:
        plan = plan._replace(views=chosen, model_views=chosen)
    return plan if seconds is None else plan._replace(paced_s=seconds)


def _precision(text: str) -> Precision:
    known: Tuple[Precision, ...] = get_args(Precision)
    found = next((one for one in known if one == text), None)
    if found is None:
        raise InputError(f"--precision {text}: expected {', '.join(known)}{did_you_mean(text, known)}")
    return found


def _outputs_checked(json: Optional[Path], plots: Optional[Path], append: Optional[Path]) -> str:
    """The table so far. Whatever cannot be written is told before anything is measured."""
    if plots is not None:
        check_plots(plots)
    for flag, file in (("--json", json), ("--append", append)):
        if file is not None:
            _open_for_appending(flag, file)
    return "" if append is None else read_table(append)


def _open_for_appending(flag: str, file: Path) -> None:
    was_there = file.exists()
    try:
        with file.open("a", encoding="utf-8"):
            pass
        if not was_there:
            file.unlink()
    except OSError as error:
        raise InputError(f"{flag} {file}: {error.strerror}; name a file that can be written") from None


def _written(
    report: Dict[str, Any], json: Optional[Path], plots: Optional[Path], append: Optional[Path], table_so_far: str
) -> None:
    screen = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    for table in tables(report["parts"]):
        screen.print(table)
    if json is not None:
        _write(json, jsons.dumps(report, allow_nan=False) + "\n")
    if plots is not None:
        for path in save_plots(report["parts"], plots):
            tell(f"bench: {path}")
    if append is not None and report["parts"]:
        _write(append, grown(table_so_far, row(report)))


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NasionError(f"{file} could not be written: {error.strerror}") from None


def _ended(measured: Measured, parts: List[str], *, stopped: bool) -> None:
    for part, error in measured.failures.items():
        tell(f"bench: {part} could not be measured: {error}")
    if stopped:
        tell(f"bench: stopped; measured are {', '.join(measured.parts) or 'none'} of {', '.join(parts)}")
    elif measured.failures:
        sys.exit(next(iter(measured.failures.values())).exit_code)


class _Begun:
    """Shows which part is being measured, and how many of its turns are through."""

    def __init__(self, progress: Progress, parts: int) -> None:
        self._progress = progress
        self._parts = parts
        self._number = 0
        self._task = progress.add_task("", total=None)

    def part(self, name: str) -> None:
        self._number += 1
        title = f"{self._number}/{self._parts} {name}"
        self._progress.reset(self._task, total=None, description=title)
        if self._progress.disable:
            tell(f"bench: {title}: {PARTS[name]}")

    def expect(self, turns: int) -> None:
        self._progress.update(self._task, total=turns)

    def advance(self) -> None:
        self._progress.advance(self._task)


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on stderr where somebody looks at it; otherwise a line for each part."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        yield progress
