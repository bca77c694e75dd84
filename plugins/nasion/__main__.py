"""Where the command ``nasion`` and ``python -m nasion`` begin."""

import signal


def main() -> None:
    """Load the command and run it; a Ctrl-C while libraries are loaded ends it without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from nasion.cli.main import main as command

    signal.signal(signal.SIGINT, signal.default_int_handler)
    command()


if __name__ == "__main__":
    main()
