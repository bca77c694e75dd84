"""What the tab key offers, asked as bash asks; nothing is installed without being told to."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

import pytest
from nasion.cli.completion import complete_source, one_of
from nasion.config.run_file import PATH_SCHEMES
from nasion.sources.uri import FORMS


@pytest.fixture
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "walk.avi").touch()
    (tmp_path / "pairs").mkdir()
    (tmp_path / ".hidden").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("begun", "offered"),
    [
        ("", [*(f"{kind}:" for kind in FORMS), "pairs/", "walk.avi"]),
        ("s", ["sbs:", "svo:"]),
        ("p", ["pairs:", "pairs/"]),
        ("wa", ["walk.avi"]),
        ("./w", ["./walk.avi"]),
        ("~/w", ["~/walk.avi"]),
        ("sbs:", ["sbs:pairs/", "sbs:walk.avi"]),
        ("sbs:./w", ["sbs:./walk.avi"]),
        ("front=s", ["front=sbs:", "front=svo:"]),
        ("front=sbs:w", ["front=sbs:walk.avi"]),
        (".h", [".hidden"]),
        ("demo:", []),
        ("zed:", []),
        ("nowhere/", []),
        ("http:", []),
    ],
)
def test_sources(recordings: Path, begun: str, offered: List[str]) -> None:
    assert recordings.is_dir()
    assert complete_source(begun) == offered


@pytest.mark.parametrize("scheme", PATH_SCHEMES)
def test_every_kind_of_source_that_is_a_path_offers_files(recordings: Path, scheme: str) -> None:
    assert recordings.is_dir()
    assert complete_source(f"{scheme}:w") == [f"{scheme}:walk.avi"]


def test_words() -> None:
    assert one_of(("full", "fine", "centre"))("f") == ["full", "fine"]


@pytest.fixture
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command as an installation makes it; completion goes by its name."""
    path = tmp_path_factory.mktemp("bin") / "nasion"
    path.write_text(f"#!{sys.executable}\nfrom nasion.__main__ import main\n\nmain()\n")
    path.chmod(0o755)
    return path


def asked(program: Path, home: Path, line: str) -> List[str]:
    """What bash would be offered at the end of ``line``."""
    words = line.split(" ")
    environment: Dict[str, str] = {
        **os.environ,
        "HOME": str(home),
        "_NASION_COMPLETE": "complete_bash",
        "COMP_WORDS": "\n".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    ended = subprocess.run([str(program)], env=environment, cwd=home, capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    return ended.stdout.split()


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("nasion r", ["run", "record"]),
        ("nasion run --vi", ["--view"]),
        ("nasion run --view f", ["full", "fine"]),
        ("nasion check --engine o", ["onnxruntime", "openvino"]),
        ("nasion bench --precision i", ["int8"]),
        ("nasion demo --source de", ["demo:"]),
        ("nasion schema pers", ["person"]),
        ("nasion record --source w", ["walk.avi"]),
        # Nothing: the shell then offers files of its own.
        ("nasion locate wa", []),
        ("nasion run --config wa", []),
    ],
)
def test_the_shell_is_told(program: Path, recordings: Path, line: str, offered: List[str]) -> None:
    before = sorted(recordings.rglob("*"))
    assert asked(program, recordings, line) == offered
    assert sorted(recordings.rglob("*")) == before


def test_no_command_installs_it_without_being_told_to(program: Path, tmp_path: Path) -> None:
    for words in ([], ["--help"], ["--show-completion", "bash"], ["schema", "person"]):
        environment = {**os.environ, "HOME": str(tmp_path), "SHELL": "/bin/bash"}
        subprocess.run([str(program), *words], env=environment, cwd=tmp_path, capture_output=True, check=False)
    assert list(tmp_path.iterdir()) == []
