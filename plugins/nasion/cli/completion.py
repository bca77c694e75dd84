"""What the shell offers at the tab key, beside the names of commands and flags."""

import os
from typing import Any, Callable, List, Sequence

from nasion.config.run_file import PATH_SCHEMES
from nasion.sources.uri import FORMS

Completer = Callable[[str], List[str]]


def one_of(values: Sequence[str]) -> Any:
    """Completer of an option that takes one of some words."""

    def complete(incomplete: str) -> List[str]:
        return [value for value in values if value.startswith(incomplete)]

    return complete


def complete_source(incomplete: str) -> List[str]:
    """Kinds of sources, and files where a path may stand; a camera's name before `=` is left as it is."""
    name, equals, uri = incomplete.rpartition("=")
    scheme, colon, path = uri.partition(":")
    if not colon:
        found = [f"{kind}:" for kind in FORMS if kind.startswith(uri)] + _files(uri)
    elif scheme in PATH_SCHEMES:
        found = [f"{scheme}:{file}" for file in _files(path)]
    else:
        found = []
    return [f"{name}{equals}{one}" for one in found]


def _files(incomplete: str) -> List[str]:
    """Files that begin so, folders with a slash behind them; hidden ones only where they are asked for."""
    folder, begun = os.path.split(incomplete)
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:
            names = sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in entries)
    except OSError:
        return []
    shown = [name for name in names if name.startswith(begun) and (begun or not name.startswith("."))]
    return [os.path.join(folder, name) for name in shown]
