"""``python -m nasion`` is the command ``nasion``."""

from nasion.cli.main import main

main()
