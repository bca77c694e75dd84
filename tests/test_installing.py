"""A missing part is installed from here or from the packages themselves, never from a project of our name elsewhere."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest
from nasion import installing
from nasion.installing import how_to_install

ROOT = Path(__file__).parents[1]


def test_in_a_checkout_set_up_does_it() -> None:
    assert how_to_install("cpu") == f"{ROOT / 'scripts' / 'setup'} cpu"


def test_elsewhere_the_packages_are_named_as_the_metadata_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installing, "_SETUP", Path("/nowhere"))
    needed = [
        "numpy>=1.24",
        'onnxruntime>=1.19 ; extra == "cpu"',
        "mypy==2; python_version >= '3.10' and extra == 'test'",
    ]
    monkeypatch.setattr(metadata, "requires", lambda _: needed)
    assert how_to_install("cpu") == "python3 -m pip install 'onnxruntime>=1.19'"
    assert how_to_install("test") == "python3 -m pip install 'mypy==2'"


def test_where_nothing_is_installed_the_list_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> list[str]:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(installing, "_SETUP", Path("/nowhere"))
    monkeypatch.setattr(metadata, "requires", missing)
    assert "pyproject.toml" in how_to_install("cpu")


def test_nobody_is_sent_to_an_index_for_this_project() -> None:
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "plugins").rglob("*.py")]
    assert [path.name for path in texts if re.search(r"pip3? install ['\"]?nasion\b", path.read_text())] == []
