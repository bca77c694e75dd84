"""docs/faults.md says what is so: its tests are there, and its counters count."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from nasion.messages import SourceStats
from nasion.mqtt.judge import CODES
from nasion.mqtt.publishing import COUNTERS
from nasion.pipeline.flow import DROPS
from nasion.pipeline.line import SILENCE_NS

from tests.faults.soak.scenarios import SCENARIOS
from tests.faults.soak.stage import ROOT

PAGE = (ROOT / "docs/faults.md").read_text()
OF_RECEIVERS = {*CODES, "sessions", "missed"}


class Row(NamedTuple):
    fault: str
    heard: str
    counted: str
    tests: str


ROWS = [
    Row(*cells)
    for line in PAGE.splitlines()
    if line.startswith("| ") and len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 4
    if cells[0] != "fault"
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.fault)
def test_every_fault_names_tests_that_there_are(row: Row) -> None:
    for named in row.tests.split(", "):
        path, _, function = named.partition("::")
        tree = ast.parse(Path(ROOT, path).read_text())
        functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert not function or function in functions, named


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.fault)
def test_every_fault_names_counters_that_there_are(row: Row) -> None:
    ours, _, receivers = row.counted.partition("receiver: ")
    known = {*COUNTERS, *DROPS, *(f"source.{name}" for name in SourceStats.model_fields)}
    assert set(re.findall("`([^`]+)`", ours)) <= known
    assert set(re.findall("`([^`]+)`", receivers)) <= OF_RECEIVERS
    assert row.counted


def test_the_page_has_every_fault_and_every_scenario() -> None:
    assert len(ROWS) >= 24
    assert all(re.search(rf"\b{name}\b", PAGE) for name in SCENARIOS)


def test_the_page_says_when_a_camera_counts_as_silent() -> None:
    silent = next(row for row in ROWS if row.fault == "Silent")
    assert f"after {SILENCE_NS / 1e9:g} s, then every {SILENCE_NS / 1e9:g} s" in silent.heard
