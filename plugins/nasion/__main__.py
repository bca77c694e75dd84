"""Where the command ``nasion`` and ``python -m nasion`` begin."""

import os
import signal
import sys

#: Commands that run until they are told to stop; to be told so before they have begun is no failure.
UNTIL_STOPPED = ("run", "record", "demo", "listen")


def main() -> None:
    """Load the command and run it; a Ctrl-C while libraries are loaded ends it without a traceback.

    A SIGTERM that comes before `stopping_signals` ends a command that runs until stopped with 0: nothing is open yet.
    A container's first process would otherwise not even hear it.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.argv[1:2] and sys.argv[1] in UNTIL_STOPPED:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    from nasion.cli.main import main as command

    signal.signal(signal.SIGINT, signal.default_int_handler)
    command()


if __name__ == "__main__":
    main()
