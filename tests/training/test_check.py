"""The check as people and scripts run it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run_check(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training.check", *map(str, words)]
    environment = {**os.environ, "COLUMNS": "250"}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)


def test_a_good_folder_has_one_line_for_each_kind_and_no_colour(make_table: Callable[..., Path]) -> None:
    result = run_check(make_table())
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert len(lines) == 14
    assert {line.split()[0] for line in lines} == {"ok"}
    assert "\x1b" not in result.stdout


def test_a_bad_one_fails_with_examples_also_for_scripts(make_table: Callable[..., Path]) -> None:
    folder = make_table()
    for number in range(5):
        (folder / "images" / f"bsds_{number:03d}.jpg").write_bytes(b"\xff\xd8\xff")
    (folder / "images" / "stray.jpg").write_bytes(b"")
    result = run_check(folder)
    assert result.returncode == 2
    (line,) = (line for line in result.stdout.splitlines() if line.startswith("fail  unreadable"))
    assert "5 pictures" in line
    assert line.count("bsds_") == 3

    result = run_check(folder, "--json")
    assert result.returncode == 2
    found = {finding["kind"]: finding for finding in json.loads(result.stdout)}
    assert len(found["unreadable"]["examples"]) == found["unreadable"]["count"] == 5
    assert (found["not in the table"]["level"], found["not in the table"]["examples"]) == ("warn", ["stray.jpg"])


@pytest.mark.parametrize("spoil", ["labels.csv", "all_faces.csv"])
def test_without_its_tables_a_folder_is_refused_in_one_line(make_table: Callable[..., Path], spoil: str) -> None:
    folder = make_table(2)
    (folder / spoil).unlink()
    result = run_check(folder)
    assert (result.returncode, result.stdout) == (2, "")
    assert len(result.stderr.splitlines()) == 1
    assert spoil in result.stderr


def test_without_its_pictures_every_one_is_missing(make_table: Callable[..., Path]) -> None:
    folder = make_table(12)
    (folder / "images").rename(folder / "elsewhere")
    result = run_check(folder)
    assert result.returncode == 2
    assert "96 pictures missing or damaged" in result.stdout
    assert "Traceback" not in result.stderr
