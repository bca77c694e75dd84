"""Where the command ``nasion`` and ``python -m nasion`` begin."""

import os
import signal
import sys

#: Commands that run until they are told to stop; to be told so before they have begun is no failure.
UNTIL_STOPPED = ("run", "record", "demo", "listen")


def main() -> None:
    """Load the command and run it; a Ctrl-C while libraries are loaded ends it without a traceback.

    A SIGTERM or SIGHUP that comes before `stopping_signals` ends a command that runs until stopped with 0: nothing is
    open yet. A container's first process would otherwise not even hear it.
    """
    _open_closed_streams()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.argv[1:2] and sys.argv[1] in UNTIL_STOPPED:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        # nohup has it ignored.
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, lambda *_: os._exit(0))
    from nasion.cli.main import main as command

    signal.signal(signal.SIGINT, signal.default_int_handler)
    command()


def _open_closed_streams() -> None:
    """Where a stream was closed (``>&-``), what is written goes nowhere: else a camera or a file gets its number, and
    our lines.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


if __name__ == "__main__":
    main()
