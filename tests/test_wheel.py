"""The built wheel, in an environment that knows nothing of the checkout, finds a person: it brings its network."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: object, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    return subprocess.run(
        words, cwd=folder, env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of a copy, so that nothing is left in the checkout."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    for name in ("plugins", "deepstream_configs", "weights"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--no-deps", "--no-build-isolation")
    built = run(*pip, "--wheel-dir", out, copy, folder=copy)
    assert built.returncode == 0, built.stderr
    [path] = out.glob("*.whl")
    return path


def test_it_holds_the_default_network_and_no_other(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "nasion/deepstream_configs/nasion_full.txt" in names
    assert {name for name in names if name.endswith(".onnx")} == {
        "nasion/weights/nasion-lite.onnx",
        "nasion/weights/nasion-lite-int8.onnx",
    }
    assert not [name for name in names if "unet" in Path(name).name and name.endswith((".onnx", ".txt"))]


def test_it_locates_a_person_where_there_is_no_checkout(wheel: Path, tmp_path: Path) -> None:
    found_at = importlib.util.find_spec("skimage")
    assert found_at is not None
    assert found_at.origin is not None
    shutil.copy(Path(found_at.origin).parent / "data" / "astronaut.png", tmp_path / "person.png")
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    # What it needs is taken from the environment of the tests, but not this checkout.
    needed = next(entry for entry in sys.path if entry.endswith("site-packages"))
    start = f"import sys; sys.path[:0] = [{str(installed)!r}]; sys.path.append({needed!r}); "
    python = (sys.executable, "-S", "-c")
    found = run(*python, start + "import nasion; print(nasion.__file__)", folder=tmp_path)
    assert found.stdout.startswith(str(installed)), found.stderr
    command = "sys.argv[1:] = ['locate', 'person.png', '--json']; from nasion.__main__ import main; main()"
    done = run(*python, start + command, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["reason"] is None
    assert said["probability"] > 0.8
