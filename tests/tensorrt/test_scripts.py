"""The two starters: which Python they take."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts.conftest import REPOSITORY, Clone, make_clone

DOCKERFILE = (REPOSITORY / "docker" / "Dockerfile").read_text()


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """A clone in which set-up only notes that it was called, and puts a Python in place that does the same."""
    clone = make_clone(tmp_path)
    clone.put("made/bin/python", f'#!/bin/bash\necho own "$@" >>{clone.calls}\n')
    clone.put(
        "scripts/setup",
        f'#!/bin/bash\necho setup "$@" >>{clone.calls}\ncd "${{0%/*}}/.."\n[ -e .venv ] || mv made .venv\n',
    )
    return clone


@pytest.mark.parametrize(("script", "module"), [("build_engine", "build"), ("bench_trt", "bench")])
@pytest.mark.parametrize("place", ["a clone that was set up", "an empty clone"])
def test_a_clone_is_set_up_and_its_own_python_is_taken(script: str, module: str, place: str, clone: Clone) -> None:
    if place == "a clone that was set up":
        (clone.root / "made").rename(clone.root / ".venv")

    finished = clone.run(f"scripts/{script}", "--view", "fine")

    assert finished.returncode == 0, finished.stderr
    assert clone.noted_calls() == ["setup cpu", f"own -m nasion.tensorrt.{module} --view fine"]


@pytest.mark.parametrize(("script", "module"), [("build_engine", "build"), ("bench_trt", "bench")])
def test_in_the_image_nothing_is_set_up_and_the_python_in_path_is_taken(script: str, module: str, clone: Clone) -> None:
    """The image has the two starters without `setup`, and `.venv` for the elements."""
    image = [line for line in DOCKERFILE.splitlines() if line.startswith("COPY scripts/")]
    assert image == ["COPY scripts/build_engine scripts/bench_trt /scripts/"]
    for file in (clone.root / "scripts").iterdir():
        if file.is_file() and f"scripts/{file.name}" not in image[0].split():
            file.unlink()
    (clone.root / "made").rename(clone.root / ".venv")
    clone.replace_command("python3", "exit 0")

    finished = clone.run(f"scripts/{script}", "--view", "fine")

    assert finished.returncode == 0, finished.stderr
    assert clone.noted_calls() == [f"python3 -m nasion.tensorrt.{module} --view fine"]
