"""What is installed is locked: locks/ holds a release of each package for each Python, with hashes, and it fits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import tomllib
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = {path.stem: path.read_text() for path in sorted((ROOT / "locks").glob("*.txt"))}
#: Jetsons (3.8, 3.10, 3.12), Debian 12 and 13, Ubuntu 22.04 and 24.04.
PYTHONS = ["3.8", "3.10", "3.11", "3.12", "3.13"]
#: Which build is right depends on the machine.
NOT_LOCKED = {"torch"}
#: Extras that exist for newer Pythons only.
NEWER = {"train": "3.11", "sbom": "3.9"}

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = {"base": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}


def environment(python: str) -> dict[str, str]:
    return {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_python_implementation": "CPython",
        "extra": "",
    }


def pins(lock: str, python: str) -> dict[str, str]:
    """Package to release, of what this Python gets of one file."""
    found: dict[str, str] = {}
    for line in re.findall(r"^[^\s#].*?(?= \\$)", LOCKS[lock], re.MULTILINE):
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(environment(python)):
            name = canonicalize_name(requirement.name)
            assert name not in found, f"{name} twice in {lock}.txt for Python {python}"
            (specifier,) = requirement.specifier
            assert specifier.operator == "=="
            found[name] = specifier.version
    return found


def older(python: str, other: str) -> bool:
    return [int(part) for part in python.split(".")] < [int(part) for part in other.split(".")]


def test_each_extra_has_its_lock() -> None:
    assert set(LOCKS) == {*EXTRAS, "build"}


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("extra", EXTRAS)
def test_what_the_project_asks_for_is_locked_and_fits(extra: str, python: str) -> None:
    if older(python, NEWER.get(extra, "3.8")):
        pytest.skip(f"extra {extra} is for Python {NEWER[extra]} and newer")
    found = {**pins("base", python), **pins(extra, python)}
    for text in EXTRAS[extra]:
        requirement = Requirement(text)
        if requirement.name in NOT_LOCKED or (
            requirement.marker is not None and not requirement.marker.evaluate(environment(python))
        ):
            continue
        assert requirement.specifier.contains(found[canonicalize_name(requirement.name)]), text


@pytest.mark.parametrize("python", PYTHONS)
def test_any_extras_go_together(python: str) -> None:
    together: dict[str, str] = {}
    for lock in LOCKS:
        for name, version in pins(lock, python).items():
            assert together.setdefault(name, version) == version, f"{name} of {lock}.txt"


@pytest.mark.parametrize("lock", LOCKS)
def test_each_release_has_hashes_and_none_an_address(lock: str) -> None:
    blocks = re.findall(r"^[^\s#].*(?:\n    .*)*", LOCKS[lock], re.MULTILINE)
    assert blocks
    for block in blocks:
        assert re.fullmatch(r"\S+==\S+( ; .*)? \\(\n    --hash=sha256:[0-9a-f]{64}( \\)?)+", block), block[:80]
    assert "://" not in LOCKS[lock]


@pytest.mark.parametrize("extra", EXTRAS)
def test_each_dependency_has_an_upper_bound(extra: str) -> None:
    """A major release may break it; nobody should meet that before us."""
    open_ended = [
        text
        for text in EXTRAS[extra]
        if not any(specifier.operator in {"<", "=="} for specifier in Requirement(text).specifier)
    ]
    assert open_ended == []


def test_every_locked_package_is_in_the_notices() -> None:
    notices = re.sub(r"[\s._-]+", "", (ROOT / "THIRD_PARTY_NOTICES.md").read_text().lower())
    names = {
        Requirement(line).name for text in LOCKS.values() for line in re.findall(r"^[\w.-]+==\S+", text, re.MULTILINE)
    }
    assert [name for name in sorted(names) if re.sub(r"[._-]+", "", name.lower()) not in notices] == []
