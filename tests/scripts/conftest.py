"""A clone in miniature: the real scripts around a package without dependencies, and no network."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterator, List

import pytest

REPOSITORY = Path(__file__).parents[2]

PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "nasion"
version = "1"
"""

#: Builds an editable wheel of the folder `plugins` with the standard library alone; real pip installs it.
BACKEND = """\
import pathlib, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    extras = "".join(f"Provides-Extra: {name}\\n" for name in ("cpu", "demo", "test"))
    info = "nasion-1.dist-info/"
    files = {
        "nasion.pth": str(pathlib.Path("plugins").resolve()) + "\\n",
        info + "METADATA": "Metadata-Version: 2.1\\nName: nasion\\nVersion: 1\\n" + extras,
        info + "WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    files[info + "RECORD"] = "".join(f"{name},,\\n" for name in [*files, info + "RECORD"])
    name = "nasion-1-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder, name), "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return name
"""


@dataclass
class Clone:
    """A repository folder, and what stands before the system's commands in PATH when its scripts run."""

    root: Path
    commands: Path
    calls: Path
    environment: Dict[str, str] = field(default_factory=dict)

    def run(self, script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a script from another working directory, without a terminal."""
        return subprocess.run(
            [str(self.root / script), *arguments],
            cwd="/",
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def put(self, path: str, text: str) -> None:
        """Write an executable file below the repository folder."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(0o755)

    def replace_command(self, name: str, body: str) -> None:
        """Let ``name`` be a shell script with this body; every call is noted first."""
        command = self.commands / name
        command.write_text(f'#!/bin/bash\necho {name} "$@" >>{self.calls}\n{body}\n')
        command.chmod(0o755)

    def noted_calls(self) -> List[str]:
        """The calls of replaced commands so far, one line each."""
        return self.calls.read_text().splitlines() if self.calls.exists() else []


def make_clone(folder: Path) -> Clone:
    root = folder / "a clone"
    shutil.copytree(REPOSITORY / "scripts", root / "scripts")
    (root / "pyproject.toml").write_text(PYPROJECT)
    (root / "backend.py").write_text(BACKEND)
    (root / "locks").mkdir()
    for lock in ("base", "build", "cpu", "demo", "test"):
        (root / f"locks/{lock}.txt").touch()
    (root / "plugins/nasion").mkdir(parents=True)
    (root / "plugins/nasion/__init__.py").touch()
    commands = folder / "commands"
    commands.mkdir()
    environment = {"PATH": f"{commands}:/usr/bin:/bin", "HOME": str(folder), "PIP_NO_INDEX": "1"}
    environment.update({"PIP_CONFIG_FILE": os.devnull, "LC_ALL": "C.UTF-8", "TMPDIR": str(folder)})
    return Clone(root, commands, folder / "calls", environment)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """An empty clone: nothing was set up."""
    return make_clone(tmp_path)


@pytest.fixture(scope="module")
def set_up_once(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone whose first set-up has run."""
    clone = make_clone(tmp_path_factory.mktemp("set_up"))
    finished = clone.run("scripts/setup")
    assert finished.returncode == 0, finished.stderr
    return clone


@pytest.fixture
def ready_clone(set_up_once: Clone) -> Iterator[Clone]:
    """The same for every test, with its small files put back afterwards."""
    clone = set_up_once
    stamp = clone.root / ".venv/.nasion-ready"
    before, environment = stamp.read_text(), dict(clone.environment)
    yield clone
    (clone.root / "pyproject.toml").write_text(PYPROJECT)
    (clone.root / "backend.py").write_text(BACKEND)
    stamp.write_text(before)
    clone.environment.update(environment)
    clone.calls.unlink(missing_ok=True)
    for command in clone.commands.iterdir():
        command.unlink()
