"""Paths as people write them."""

import getpass
import os
from pathlib import Path
from typing import Any, List, Optional

import pytest
from nasion.errors import InputError
from nasion.paths import expanded, in_home


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("written", "meant"),
    [("~/a b.avi", "{home}/a b.avi"), ("~", "{home}"), ("/x/~/y", "/x/~/y"), ("./~/y", "~/y"), ("a~", "a~"), ("", ".")],
)
def test_the_users_own_folder(home: Path, written: str, meant: str) -> None:
    assert expanded(written) == Path(meant.format(home=home))


def test_another_users_folder() -> None:
    assert expanded(f"~{getpass.getuser()}/x").parent == Path(os.path.expanduser(f"~{getpass.getuser()}"))
    with pytest.raises(InputError, match="nobody here is called so"):
        expanded("~nobody-of-that-name/x")


def test_a_command_gets_its_paths_expanded_and_nothing_else(home: Path) -> None:
    @in_home
    def command(one: Path, several: List[Path], none: Optional[Path], text: str) -> Any:
        """What it is for."""
        return one, several, none, text

    found = command(Path("~/a"), several=[Path("~/b"), Path("c")], none=None, text="~/d")
    assert found == (home / "a", [home / "b", Path("c")], None, "~/d")
    assert (command.__name__, command.__doc__) == ("command", "What it is for.")
