"""The command that measures: it sets up what plots need, too, and hands everything through."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.scripts.conftest import Clone


def test_benchmark_sets_up_and_hands_everything_through(clone: Clone) -> None:
    note = f'echo "$(basename "$0")" "$@" >>{clone.calls}\n'
    clone.put("scripts/setup", f"#!/bin/bash\n{note}")
    clone.put(".venv/bin/nasion", f"#!/bin/bash\n{note}exit 5\n")
    finished = clone.run("scripts/benchmark", "--quick", "--json", "a file.json")
    assert clone.noted_calls() == ["setup cpu,demo,bench", "nasion bench --quick --json a file.json"]
    assert finished.returncode == 5


def test_set_up_that_fails_ends_it(clone: Clone) -> None:
    clone.put("scripts/setup", "#!/bin/bash\nexit 3\n")
    assert clone.run("scripts/benchmark").returncode == 3
