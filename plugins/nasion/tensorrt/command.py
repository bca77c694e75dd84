"""What the two commands share: errors to one line with the exit code of their kind, and where engines lie."""

import os
from pathlib import Path
from typing import Any, Callable, Optional

import typer
from rich.console import Console
from typing_extensions import Annotated

from nasion.cli.output import write_in_any_encoding
from nasion.errors import NasionError
from nasion.paths import expanded, in_home

#: Wide enough for a layer's name where nobody says how wide the output is.
_PIPED_WIDTH = 120

Trtexec = Annotated[Optional[str], typer.Option(help="The program; default: PATH, then /usr/src/tensorrt/bin/trtexec.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the trtexec command and end.")]


def default_engines() -> Path:
    """Where engines lie unless said otherwise: NASION_ENGINES, else the user's cache."""
    named = os.environ.get("NASION_ENGINES")
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return expanded(named) if named else Path(cache) / "nasion" / "engines"


def tell(name: str, text: str) -> None:
    """A line about the command itself, on stderr."""
    typer.echo(f"{name}: {text}", err=True)


def console() -> Console:
    """For tables on stdout; without colour, and with a width of its own, where they go into a pipe."""
    screen = Console()
    return screen if screen.is_terminal else Console(width=_PIPED_WIDTH)


def run(name: str, function: Callable[..., Any]) -> None:
    """Run ``function`` as the only command of this process."""
    write_in_any_encoding()
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(in_home(function))
    try:
        app(prog_name=f"scripts/{name}")
    except NasionError as error:
        tell(name, str(error))
        raise SystemExit(error.exit_code) from None
