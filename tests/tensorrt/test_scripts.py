"""The two starters: which Python they take."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts.conftest import Clone, make_clone


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
@pytest.mark.parametrize("place", ["the image", "a clone that was set up", "an empty clone"])
def test_in_the_image_the_systems_python_and_elsewhere_its_own(
    script: str, module: str, place: str, clone: Clone
) -> None:
    clone.replace_command("python3", "exit 1" if place == "an empty clone" else "exit 0")
    if place == "a clone that was set up":
        (clone.root / "made").rename(clone.root / ".venv")

    finished = clone.run(f"scripts/{script}", "--view", "fine")

    assert finished.returncode == 0, finished.stderr
    who = "python3" if place == "the image" else "own"
    assert clone.noted_calls()[-1] == f"{who} -m nasion.tensorrt.{module} --view fine"
    assert ("setup cpu" in clone.noted_calls()) == (place != "the image")
