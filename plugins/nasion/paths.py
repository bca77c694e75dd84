"""Paths as people write them: `~` is the user's own folder also where no shell said so."""

import functools
import os
from pathlib import Path
from typing import Any, Callable, Union

from nasion.errors import InputError


def expanded(path: Union[str, Path]) -> Path:
    """The path with ``~`` as the user's own folder and ``~NAME`` as another's; InputError where there is no NAME."""
    found = os.path.expanduser(path)
    if found.startswith("~"):
        raise InputError(f"{path}: nobody here is called so; write the whole path, from / on")
    return Path(found)


def in_home(command: Callable[..., Any]) -> Callable[..., Any]:
    """``command`` with every path among its arguments expanded: `~` is meant also where no shell said so, as in
    ``--save=~/seen.avi`` or in a unit file."""

    @functools.wraps(command)
    def expanding(*values: Any, **arguments: Any) -> Any:
        return command(
            *map(_each_expanded, values), **{name: _each_expanded(value) for name, value in arguments.items()}
        )

    return expanding


def _each_expanded(value: Any) -> Any:
    if isinstance(value, list):
        return [_each_expanded(one) for one in value]
    return expanded(value) if isinstance(value, Path) else value
