"""What is said of the machine that the figures are from."""

import subprocess
from pathlib import Path
from typing import Any, Dict, Optional

import pytest
from nasion.bench.machine import busy, machine_facts, processor_name, revision
from nasion.engine.precision import read_cpuinfo


@pytest.mark.parametrize(
    ("cpuinfo", "name"),
    [
        ("processor\t: 0\nmodel name\t: AMD EPYC\nflags\t: sse\n\nprocessor\t: 1\nmodel name\t: Other\n", "AMD EPYC"),
        ("processor : 0\nCPU part : 0xd42\n\nModel : Raspberry Pi 5\n", "Raspberry Pi 5"),
        ("processor : 0\nCPU part : 0xd42\n", "0xd42"),
        ("model name :\n", None),
        ("", None),
    ],
)
def test_processors_are_called_what_the_kernel_calls_them(cpuinfo: str, name: Optional[str]) -> None:
    assert processor_name(cpuinfo) == name


@pytest.mark.parametrize(("load", "warned"), [(0.2, False), (1.0, False), (6.5, True)])
def test_a_busy_machine_is_told(load: float, warned: bool) -> None:
    said = busy({"load": load, "usable_cores": 2})
    assert (said is not None) == warned
    assert not warned or f"load {load} on 2 cores" in str(said)


def test_the_facts_are_those_of_this_machine() -> None:
    facts: Dict[str, Any] = machine_facts(read_cpuinfo())
    assert facts["usable_cores"] >= 1
    assert facts["flags"]
    assert None not in facts["versions"].values()


class TestRevision:
    def git(self, folder: Path, *words: str) -> str:
        command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@t", *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def test_it_is_gits_and_says_where_files_differ(self, tmp_path: Path) -> None:
        self.git(tmp_path, "init")
        file = tmp_path / "file"
        file.write_text("1")
        self.git(tmp_path, "add", "file")
        self.git(tmp_path, "commit", "-m", "first")
        assert revision(tmp_path) == self.git(tmp_path, "rev-parse", "HEAD")[:12]
        file.write_text("2")
        assert str(revision(tmp_path)).endswith("-dirty")

    def test_there_is_none_outside_a_checkout(self, tmp_path: Path) -> None:
        assert revision(tmp_path) is None
