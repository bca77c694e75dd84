"""How a missing part is installed: one answer for all messages. The project is on no package index."""

import re
from importlib import metadata
from pathlib import Path
from typing import List

#: In a checkout, what installs the extras of pyproject.toml.
_SETUP = Path(__file__).resolve().parents[2] / "scripts" / "setup"


def how_to_install(extra: str) -> str:
    """The command that installs what the extra ``extra`` of pyproject.toml needs."""
    if _SETUP.is_file():
        return f"{_SETUP} {extra}"
    needed = _requirements(extra)
    if needed:
        return "python3 -m pip install " + " ".join(f"'{one}'" for one in needed)
    return f"install what the extra {extra!r} of Nasion's pyproject.toml lists"


def _requirements(extra: str) -> List[str]:
    """What the installed package says that the extra needs; nothing where it is not installed as one."""
    try:
        told = metadata.requires("nasion") or []
    except metadata.PackageNotFoundError:
        return []
    of_extra = re.compile(rf"(.*?)\s*;.*\bextra\s*==\s*['\"]{re.escape(extra)}['\"]")
    return [match[1] for match in map(of_extra.fullmatch, told) if match]
