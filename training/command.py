"""What every command of the workshop shares: one line where something was wrong, and the exit code of its kind."""

import functools
from collections.abc import Callable
from typing import Any, ParamSpec

import typer
from nasion.errors import NasionError

from training.errors import WorkshopError

P = ParamSpec("P")

BAD_INPUT, FAILURE, INTERRUPTED = 2, 1, 130


def guarded(function: Callable[P, Any]) -> Callable[P, None]:
    """``function`` as a command: exit code 2 for bad input, 1 for a machine's failure, 130 for Ctrl-C, no traceback."""

    @functools.wraps(function)
    def command(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
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
