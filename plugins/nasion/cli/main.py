"""The command ``nasion``: what every sub-command shares — errors to one line, exit codes, clean Ctrl-C."""

import errno
import os
import sys
from typing import Type

import typer

from nasion import __version__
from nasion.cli import bench, check, demo, health, listen, locate, record, run, schema
from nasion.cli.examples import epilog
from nasion.cli.output import LOG_FORMAT, READER_GONE, give_up_stdout, log_format, tell, write_in_any_encoding
from nasion.errors import InputError, NasionError
from nasion.paths import in_home
from nasion.redaction import hide_password

#: Wrong usage, as click says it; newer releases of typer bring a click of their own.
UsageError: Type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="nasion",
    help="Tells a robot where the person in front of it is.",
    add_completion=True,
    pretty_exceptions_enable=False,
    # Its paragraphs are set anew for the width of the terminal; otherwise only the first one is.
    rich_markup_mode="markdown",
)

for name, command in (
    ("run", run.run),
    ("demo", demo.demo),
    ("locate", locate.locate),
    ("listen", listen.listen),
    ("check", check.check),
    ("health", health.health),
    ("record", record.record),
    ("schema", schema.schema),
    ("bench", bench.bench),
):
    app.command(name, epilog=epilog(name))(in_home(command))


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nasion {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _common(
    context: typer.Context,
    _: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main() -> None:
    """Entry point; errors become one line on stderr and the exit code of their kind."""
    write_in_any_encoding()
    try:
        log_format()
    except InputError as error:
        del os.environ[LOG_FORMAT]
        _fail(str(error), error.exit_code)
    try:
        app(standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        pass
    except NasionError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        # Help and version are written by typer; only writing knows these errors without a file's name.
        if error.filename is not None or error.errno not in (*READER_GONE, errno.ENOSPC):
            raise
        give_up_stdout()
        if error.errno not in READER_GONE:
            _fail(f"stdout takes no more: {error.strerror}", NasionError.exit_code)
    except UsageError as error:
        _fail(f"{_usage_message(error)}; see: nasion --help", InputError.exit_code)


def _usage_message(error: Exception) -> str:
    """click's own wording, e.g. "No such option: --sauce", without the closing full stop."""
    message: str = getattr(error, "format_message", error.__str__)()
    return hide_password(" ".join(message.split()).rstrip("."))


def _fail(message: str, exit_code: int) -> None:
    tell(message)
    sys.exit(exit_code)
