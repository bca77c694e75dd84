"""What every command of the workshop shares: one line where something was wrong, and the exit code of its kind."""

import functools
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

import typer
from nasion.errors import NasionError
from nasion.paths import in_home
from rich.console import Console
from rich.progress import track

from training.errors import WorkshopError

P = ParamSpec("P")
Item = TypeVar("Item")

BAD_INPUT, FAILURE, INTERRUPTED = 2, 1, 130


def guarded(function: Callable[P, Any]) -> Callable[P, None]:
    """``function`` as a command: exit code 2 for bad input, 1 for a machine's failure, 130 for Ctrl-C, no traceback."""

    @functools.wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            in_home(function)(*args, **kwargs)
        except (WorkshopError, NasionError) as error:
            _end(f"{function.__name__}: {error}", BAD_INPUT)
        except OSError as error:
            # A full disk, a folder that may not be written: the system's own message names the file.
            _end(f"{function.__name__}: {error}", FAILURE)
        except KeyboardInterrupt:
            _end(f"{function.__name__}: interrupted", INTERRUPTED)

    return command


def _end(message: str, exit_code: int) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(exit_code) from None


def run(function: Callable[..., Any]) -> None:
    """Run ``function`` as the only command of this process, with the arguments on its command line."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(guarded(function))
    app()


def progress(items: Iterable[Item], what: str, total: int | None = None) -> Iterable[Item]:
    """``items``, with a progress bar on stderr that vanishes at the end; ``total`` is for items without a length."""
    console = Console(stderr=True)
    # Where nobody looks at it, a bar that is taken away still leaves an empty line.
    return track(items, what, total, console=console, transient=True, disable=not console.is_terminal)
