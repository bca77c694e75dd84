"""What a newcomer meets: an empty clone, a second start, a moved folder, a machine where something is missing."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.program import attended

if TYPE_CHECKING:
    from tests.scripts.conftest import Clone

IMPORTS_ALL = """
import gi, nasion
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
print(Gst.version_string())
"""


def python(clone: Clone, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([clone.root / ".venv/bin/python", "-c", code], capture_output=True, text=True, check=False)


def test_an_empty_clone_gets_the_package_and_the_distributions_gstreamer(ready_clone: Clone) -> None:
    imported = python(ready_clone, IMPORTS_ALL)
    assert imported.returncode == 0, imported.stderr
    assert imported.stdout.startswith("GStreamer 1.")


def test_a_second_start_says_nothing_and_asks_pip_nothing(ready_clone: Clone) -> None:
    (ready_clone.root / "backend.py").unlink()  # pip could not install anything now
    again = ready_clone.run("scripts/setup")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_fewer_extras_are_already_there_and_more_are_installed_beside_them(ready_clone: Clone) -> None:
    assert ready_clone.run("scripts/setup", "cpu").stderr == ""
    more = ready_clone.run("scripts/setup", "cpu,test")
    assert more.returncode == 0
    assert "cpu,test" in more.stderr
    assert more.stdout == ""
    assert ready_clone.run("scripts/setup", "cpu,demo,test").stderr == ""


def test_when_a_change_cannot_be_fetched_what_worked_still_works(ready_clone: Clone) -> None:
    with (ready_clone.root / "pyproject.toml").open("a") as project:
        project.write("# something changed\n")
    (ready_clone.root / "backend.py").write_text("raise SystemExit('no route to host')\n")
    failed = ready_clone.run("scripts/setup")
    assert failed.returncode == 1
    assert "no route to host" in failed.stderr
    assert failed.stderr.splitlines()[-1].startswith("setup: pip failed (above)")
    assert python(ready_clone, IMPORTS_ALL).returncode == 0
    assert "anew" not in ready_clone.run("scripts/setup").stderr


def test_a_file_that_is_not_the_one_locked_is_refused(clone: Clone) -> None:
    """Somebody put another file at the place of the release that was locked."""
    wheels = clone.root.parent / "wheels"
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "toy-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("toy.py", "")
        wheel.writestr("toy-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy\nVersion: 1\n")
        wheel.writestr("toy-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("toy-1.dist-info/RECORD", "")
    clone.environment["PIP_FIND_LINKS"] = str(wheels)
    lock = clone.root / "locks/cpu.txt"
    lock.write_text(f"toy==1 --hash=sha256:{'0' * 64}\n")
    refused = clone.run("scripts/setup", "cpu")
    assert refused.returncode == 1
    assert "DO NOT MATCH THE HASHES" in refused.stderr
    right = hashlib.sha256((wheels / "toy-1-py3-none-any.whl").read_bytes()).hexdigest()
    lock.write_text(f"toy==1 --hash=sha256:{right}\n")
    assert clone.run("scripts/setup", "cpu").returncode == 0
    assert python(clone, "import toy, nasion").returncode == 0


def test_changed_locks_are_installed(ready_clone: Clone) -> None:
    lock = ready_clone.root / "locks/base.txt"
    lock.write_text("# another release\n")
    assert "installing Python packages" in ready_clone.run("scripts/setup").stderr
    lock.write_text("")


def test_an_unknown_extra_is_named(clone: Clone) -> None:
    refused = clone.run("scripts/setup", "cpu,base,tpu")
    assert refused.returncode == 2
    assert "there is no extra base" in refused.stderr
    assert "cpu demo test" in refused.stderr


def test_a_second_start_waits_for_the_first(ready_clone: Clone) -> None:
    folder = os.open(ready_clone.root, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    with attended(
        subprocess.Popen(
            [ready_clone.root / "scripts/setup"], env=ready_clone.environment, stderr=subprocess.PIPE, text=True
        )
    ) as second:
        assert second.stderr is not None
        assert second.stderr.readline() == "setup: waiting for another set-up to finish\n"
        assert second.poll() is None
        os.close(folder)
        assert second.wait(30) == 0


@pytest.mark.parametrize("harm", ["interrupted", "moved", "other python"])
def test_an_environment_that_cannot_be_trusted_is_made_anew(set_up_once: Clone, tmp_path: Path, harm: str) -> None:
    clone = set_up_once
    if harm == "moved":
        shutil.copytree(clone.root, tmp_path / "copy", symlinks=True)
        clone = type(clone)(tmp_path / "copy", clone.commands, clone.calls, clone.environment)
    venv = clone.root / ".venv"
    (venv / "left-over").touch()
    if harm == "interrupted":
        (venv / ".nasion-broken").touch()
    if harm == "other python":
        (venv / "bin/python").unlink()
        clone.put(".venv/bin/python", "#!/bin/sh\necho '(3, 6) /usr/local'\n")
    started = clone.run("scripts/setup")
    assert started.returncode == 0, started.stderr
    assert "making .venv anew" in started.stderr
    assert not (venv / "left-over").exists()
    assert python(clone, IMPORTS_ALL).returncode == 0


class TestMissingPackages:
    """The system's package tools are replaced: a test may not change the machine it runs on."""

    COMMAND = "apt-get install --no-install-recommends mosquitto"

    @pytest.fixture
    def without_mosquitto(self, ready_clone: Clone) -> Clone:
        ready_clone.replace_command("dpkg-query", 'case "$*" in *mosquitto) exit 1 ;; *) printf installed ;; esac')
        return ready_clone

    @pytest.mark.parametrize(
        ("sudo", "hint"),
        [
            pytest.param(True, f"    sudo {COMMAND}", id="sudo asks for a password and there is no terminal"),
            pytest.param(False, f"    {COMMAND}", id="there is no sudo"),
        ],
    )
    def test_without_root_the_command_to_type_is_the_last_line(
        self, without_mosquitto: Clone, tmp_path: Path, sudo: bool, hint: str
    ) -> None:
        clone = without_mosquitto
        clone.replace_command("id", "echo 1000")
        clone.replace_command("apt-get", "exit 0")
        clone.environment["PATH"] = only_these(tmp_path / "few", clone.commands, hidden="sudo")
        if sudo:
            clone.replace_command("sudo", "exit 1")
        refused = clone.run("scripts/setup")
        assert refused.returncode == 3
        assert refused.stderr.splitlines()[-1] == hint
        assert refused.stdout == ""
        assert not any(call.startswith("apt-get") for call in clone.noted_calls())

    @pytest.mark.parametrize("root", [True, False], ids=["root", "sudo without a password"])
    def test_only_what_is_missing_is_installed_and_lists_are_fetched_only_if_needed(
        self, without_mosquitto: Clone, tmp_path: Path, root: bool
    ) -> None:
        clone, lists = without_mosquitto, tmp_path / "lists"
        clone.replace_command("id", f"echo {0 if root else 1000}")
        clone.replace_command("sudo", '[ "$2" = true ] || { shift && "$@"; }')
        clone.replace_command("apt-get", f'case "$*" in *update*) touch {lists} ;; esac; [ -e {lists} ]')
        finished = clone.run("scripts/setup")
        assert finished.returncode == 0, finished.stderr
        apt = [call.split() for call in clone.noted_calls() if call.startswith("apt-get")]
        assert [call[4] for call in apt] == ["install", "update", "install"]
        assert all(call[5:] == ["--no-install-recommends", "mosquitto"] for call in apt if call[4] == "install")

    def test_when_apt_fails_its_words_are_shown(self, without_mosquitto: Clone) -> None:
        without_mosquitto.replace_command("id", "echo 0")
        without_mosquitto.replace_command("apt-get", "echo E: the disk is full >&2; exit 100")
        failed = without_mosquitto.run("scripts/setup")
        assert failed.returncode == 1
        assert "E: the disk is full" in failed.stderr

    def test_another_distribution_is_told_what_is_needed(self, clone: Clone, tmp_path: Path) -> None:
        clone.environment["PATH"] = only_these(tmp_path / "few", clone.commands, hidden="apt-get")
        refused = clone.run("scripts/setup")
        assert refused.returncode == 3
        assert "Debian and Ubuntu" in refused.stderr
        assert "gstreamer1.0-plugins-good" in refused.stderr
        assert not (clone.root / ".venv").exists()

    def test_packages_alone_can_be_asked_for(self, without_mosquitto: Clone) -> None:
        without_mosquitto.replace_command("apt-get", "exit 0")
        told = without_mosquitto.run("scripts/setup", "--packages", "bash", "mosquitto")
        assert told.returncode == 0
        assert "installing system packages: mosquitto" in told.stderr
        assert "Python packages" not in told.stderr


def only_these(folder: Path, first: Path, hidden: str) -> str:
    """A PATH with all of the system's commands but one."""
    folder.mkdir()
    for command in Path("/usr/bin").iterdir():
        if command.name != hidden:
            (folder / command.name).symlink_to(command)
    return f"{first}:{folder}"


@pytest.mark.parametrize("arguments", [["cpu; rm"], ["--packages"], ["cpu", "demo"]])
def test_a_wrong_argument_is_refused(clone: Clone, arguments: list[str]) -> None:
    refused = clone.run("scripts/setup", *arguments)
    assert refused.returncode == 2
    assert refused.stderr.startswith("setup: usage:")
