"""The two commands a newcomer types: what they start, in which order, and what they hand back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.scripts.conftest import Clone


@pytest.fixture
def stages(clone: Clone) -> Clone:
    """A clone in which set-up and every stage only note that they were called."""
    note = f'echo "$(basename "$0")" "$@" >>{clone.calls}\n'
    clone.put("scripts/setup", f"#!/bin/bash\n{note}echo set-up speaks >&2\n")
    clone.put(".venv/bin/python", f'#!/bin/bash\n{note}echo "$2 speaks"\n')
    clone.put(".venv/bin/nasion", f'#!/bin/bash\n{note}echo "{{}}"; exit 5\n')
    return clone


def test_demo_sets_up_and_hands_everything_through(stages: Clone) -> None:
    finished = stages.run("scripts/demo", "--seconds", "2", "--json")
    assert stages.noted_calls() == ["setup cpu,demo", "nasion demo --seconds 2 --json"]
    assert finished.stdout == "{}\n"
    assert finished.returncode == 5


def test_test_runs_every_stage_and_pytest_speaks_last(stages: Clone) -> None:
    finished = stages.run("scripts/test", "--", "-k", "two words")
    assert finished.returncode == 0
    assert stages.noted_calls() == [
        "setup cpu,demo,test,train",
        "python -m ruff check .",
        "python -m ruff format --check .",
        "python -m mypy",
        "python -m pytest -k two words",
    ]
    assert finished.stdout.splitlines()[-1] == "pytest speaks"


def test_without_training_neither_torch_nor_its_tests(stages: Clone) -> None:
    finished = stages.run("scripts/test", "--without-training")
    calls = stages.noted_calls()
    assert calls[0] == "setup cpu,demo,test"
    assert calls[3].startswith("python -m mypy plugins tests --exclude")
    assert calls[4] == "python -m pytest --ignore=tests/training --ignore=tests/export"
    assert "leaving out training/ and export/" in finished.stderr


@pytest.mark.parametrize("failing", ["ruff check", "ruff format", "mypy", "pytest"])
def test_the_first_failure_ends_it_with_its_exit_code(stages: Clone, failing: str) -> None:
    stages.put(
        ".venv/bin/python", f'#!/bin/bash\ncase "$*" in "-m {failing}"*) exit 7 ;; esac\necho "$@" >>{stages.calls}\n'
    )
    assert stages.run("scripts/test").returncode == 7
    assert not any(failing in call for call in stages.noted_calls())


def test_set_up_that_fails_ends_it(stages: Clone) -> None:
    stages.put("scripts/setup", "#!/bin/bash\nexit 3\n")
    assert stages.run("scripts/test").returncode == 3
    assert stages.run("scripts/demo").returncode == 3
    assert stages.noted_calls() == []


@pytest.mark.parametrize(("argument", "code"), [("--help", 0), ("--fast", 2)])
def test_usage_is_told_before_anything_is_set_up(stages: Clone, argument: str, code: int) -> None:
    told = stages.run("scripts/test", argument)
    assert told.returncode == code
    assert "scripts/test [--without-training] [-- PYTEST ARGUMENTS]" in told.stdout + told.stderr
    assert stages.noted_calls() == []


def test_ci_runs_the_same_tests(stages: Clone, pytestconfig: pytest.Config) -> None:
    script: Path = pytestconfig.rootpath / ".ci/run"
    stages.put(".ci/run", script.read_text())
    assert stages.run(".ci/run", "--without-training").returncode == 0
    assert stages.noted_calls()[0] == "setup cpu,demo,test"
