"""``nasion check``: whether everything a run needs is there and fits together."""

import json as jsons
import os
import sys
from pathlib import Path
from typing import Iterable, List, Optional

import typer
from typing_extensions import Annotated

from nasion.checks.everything import verdicts
from nasion.checks.machine import ThisMachine
from nasion.checks.subject import Subject
from nasion.checks.verdict import Verdict, exit_code, ok, refused
from nasion.cli.flags import (
    ConfigFlag,
    EngineFlag,
    ModelFlag,
    MqttFlag,
    PrecisionFlag,
    SaveFlag,
    SourceFlag,
    ViewFlag,
    overrides,
)
from nasion.cli.output import Lines, tell
from nasion.config.run_file import Override, run_settings
from nasion.errors import InputError, NasionError
from nasion.sources.clock import SystemClock

#: Every status, and its colour on an ANSI terminal.
_COLOURS = {"ok": "32", "warn": "33", "fail": "31", "skipped": "2"}
_NAME_WIDTH = 13
#: Stands where a source has to and none is named; it is not opened.
_NO_SOURCE = "demo:"


def check(
    source: SourceFlag = None,
    config: ConfigFlag = None,
    model: ModelFlag = None,
    view: ViewFlag = None,
    engine: EngineFlag = None,
    precision: PrecisionFlag = None,
    save: SaveFlag = None,
    mqtt: MqttFlag = None,
    json: Annotated[
        bool,
        typer.Option("--json", help="One list on stdout of {name, status, found, remedy}, and nothing else."),
    ] = False,
) -> None:
    """Check whether everything a run with these flags needs is there and fits together.

    One line for each thing: ok, warn, fail or skipped, which says why it does not apply; fail and warn say what to do.

    Exit code: 0 where nothing fails, else the first of 2 (bad input), 3 (a dependency is missing), 4 (hardware is
    missing), 1 (anything else) that a failure has.
    """
    given = overrides(model=model, view=view, engine=engine, precision=precision, save=save, mqtt=mqtt)
    found: List[Verdict] = []
    lines = Lines(json=json)
    try:
        for verdict in _all(config, given, source or []):
            found.append(verdict)
            if not json:
                lines.write(_line(verdict, coloured=_in_colour()))
    except KeyboardInterrupt:
        raise NasionError(f"check was stopped after {_counts(found)}; start it again") from None
    if json:
        lines.write(jsons.dumps([verdict.as_json() for verdict in found], indent=2, ensure_ascii=False))
    tell(f"check: {_counts(found)}")
    sys.exit(exit_code(found))


def _all(config: Optional[Path], flags: List[Override], sources: List[str]) -> Iterable[Verdict]:
    """The configuration first: without it there is nothing to ask the rest for."""
    nothing_named = config is None and not sources
    try:
        settings = run_settings(config, flags, [_NO_SOURCE] if nothing_named else sources)
    except InputError as error:
        yield refused("configuration", error, "write what is expected")
        return
    yield ok("configuration", "flags and defaults" if config is None else f"{config} is read")
    yield from verdicts(Subject(settings, ThisMachine(), SystemClock(), sources_named=not nothing_named))


def _line(verdict: Verdict, *, coloured: bool) -> str:
    status = f"{verdict.status:8}"
    if coloured:
        status = f"\x1b[{_COLOURS[verdict.status]}m{status}\x1b[0m"
    remedy = f"; {verdict.remedy}" if verdict.remedy else ""
    return f"{status}{verdict.name:{_NAME_WIDTH}} {verdict.found}{remedy}"


def _in_colour() -> bool:
    """On a terminal, unless its user wants none (no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _counts(found: List[Verdict]) -> str:
    """How many of each."""
    return ", ".join(f"{sum(one.status == status for one in found)} {status}" for status in _COLOURS)
