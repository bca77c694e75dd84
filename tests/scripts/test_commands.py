"""The two commands a newcomer types: what they start, in which order, and what they hand back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.scripts.conftest import Clone

PYTEST = "python -m pytest -n auto --maxprocesses 4 --dist loadfile"


@pytest.fixture
def stages(clone: Clone) -> Clone:
    """A clone in which set-up and every stage only note that they were called."""
    note = f'echo "$(basename "$0")" "$@" >>{clone.calls}\n'
    clone.put("scripts/setup", f"#!/bin/bash\n{note}echo set-up speaks >&2\n")
    clone.put(".venv/bin/python", f'#!/bin/bash\n{note}echo "$2 speaks"\n')
    for further in ("pythons", "sbom", "containers"):
        clone.put(f"scripts/{further}", f"#!/bin/bash\n{note}")
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
        f"{PYTEST} -k two words",
    ]
    assert finished.stdout.splitlines()[-1] == "pytest speaks"


def test_without_training_neither_torch_nor_its_tests(stages: Clone) -> None:
    finished = stages.run("scripts/test", "--without-training")
    calls = stages.noted_calls()
    assert calls[0] == "setup cpu,demo,test"
    assert calls[3].startswith("python -m mypy plugins tests --exclude")
    assert calls[4] == f"{PYTEST} --ignore=tests/training --ignore=tests/export"
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
    assert "scripts/test [--without-training] [--pythons]" in told.stdout + told.stderr
    assert stages.noted_calls() == []


def test_other_pythons_and_containers_come_last_and_only_when_asked_for(stages: Clone) -> None:
    assert stages.run("scripts/test", "--containers", "--pythons").returncode == 0
    assert [call.split()[0] for call in stages.noted_calls()[-4:]] == ["python", "pythons", "sbom", "containers"]


@pytest.mark.parametrize("failing", ["pythons", "sbom", "containers"])
def test_their_failure_is_a_failure(stages: Clone, failing: str) -> None:
    stages.put(f"scripts/{failing}", "#!/bin/bash\nexit 7\n")
    assert stages.run("scripts/test", "--pythons", "--containers").returncode == 7


def test_data_lies_beside_the_repository_unless_said_otherwise(stages: Clone) -> None:
    stages.put(".venv/bin/python", f'#!/bin/bash\necho "${{NASION_TEST_DATA:-none}}" >>{stages.calls}\n')
    stages.run("scripts/test")
    stages.run("scripts/test", "--data")
    stages.environment["NASION_TEST_DATA"] = "/elsewhere"
    stages.run("scripts/test", "--data")
    said = [call for call in stages.noted_calls() if not call.startswith("setup")]
    assert list(dict.fromkeys(said)) == ["none", f"{stages.root}/../shared/data", "/elsewhere"]


def test_ci_runs_the_same_tests(stages: Clone, pytestconfig: pytest.Config) -> None:
    script: Path = pytestconfig.rootpath / ".ci/run"
    stages.put(".ci/run", script.read_text())
    assert stages.run(".ci/run", "--without-training").returncode == 0
    calls = [call.split()[0] for call in stages.noted_calls()]
    assert calls == ["setup", "python", "python", "python", "python", "pythons", "sbom", "containers"]


def test_pythons_that_are_not_here_are_skipped_and_that_is_said(clone: Clone) -> None:
    """Nor is anything installed for them: the replaced apt-get would note it."""
    ours = ".".join(map(str, sys.version_info[:2]))
    for version in {"3.8", "3.10", "3.11"} - {ours}:
        if Path(f"/usr/bin/python{version}").exists():
            pytest.skip(f"/usr/bin/python{version} is here")
    clone.put(".venv/bin/python", f'#!/bin/bash\nexec {sys.executable} "$@"\n')
    clone.replace_command("apt-get", "exit 1")
    told = clone.run("scripts/pythons")
    assert told.returncode == 0, told.stderr
    lines = told.stdout.splitlines()
    assert f"== Python {ours}: that of .venv; scripts/test tests with it" in lines
    assert "== Python 3.8: SKIPPED: not on this machine" in lines
    assert clone.noted_calls() == []
