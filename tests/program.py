"""The program as its users start it, in the process of the tests."""

from typing import Callable, Tuple

#: Words of the command line, without the program's name, to exit code, stdout and stderr.
Command = Callable[..., Tuple[int, str, str]]
