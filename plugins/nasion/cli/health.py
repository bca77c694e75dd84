"""``nasion health``: whether the program that runs here is well, by the file it keeps."""

import sys
from pathlib import Path
from typing import Optional

import typer
from typing_extensions import Annotated

from nasion.cli.output import Lines
from nasion.errors import InputError, NasionError
from nasion.health import ENVIRONMENT, MAX_AGE_S, health_path, judge
from nasion.mqtt.boot import read_boot_id
from nasion.sources.clock import SystemClock


def health(
    file: Annotated[
        Optional[Path], typer.Option(metavar="FILE", help=f"The program's state file; default: {ENVIRONMENT}.")
    ] = None,
    max_age: Annotated[
        float, typer.Option(metavar="S", min=0, help="A loop or a frame that is older is not well.")
    ] = MAX_AGE_S,
    json: Annotated[
        bool, typer.Option("--json", help="{healthy, live, ready, fresh, detail, cameras}, and nothing else.")
    ] = False,
) -> None:
    """Say whether a running `nasion run` is well: live, ready, and with young frames from every camera.

    Exit code: 0 well, 1 not.
    """
    path = health_path() if file is None else file
    if path is None:
        raise InputError(f"no state file is named; give --file FILE, the one that {ENVIRONMENT} names for the program")
    found = judge(path, now_ns=SystemClock().monotonic_ns(), boot_id=read_boot_id(), max_age_s=max_age)
    lines = Lines(json=json)
    if json:
        lines.write(found.as_json())
        sys.exit(not found.healthy)
    if not found.healthy:
        raise NasionError(f"not well: {found.detail}")
    lines.write(f"well: {found.detail}")
