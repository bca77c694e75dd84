"""The real machine: this one, which is no Jetson."""

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from nasion.checks.machine import ThisMachine
from nasion.checks.matrix import OLDEST_GSTREAMER, OLDEST_PYTHON
from nasion.errors import DependencyError, HardwareError

HERE = ThisMachine()


def test_it_knows_its_versions() -> None:
    assert HERE.python() == tuple(sys.version_info[:3])
    assert HERE.python() >= OLDEST_PYTHON
    assert HERE.numpy() == np.__version__
    assert HERE.architecture() == os.uname().machine


def test_it_knows_its_gstreamer_and_what_that_lacks() -> None:
    pytest.importorskip("gi", reason="this Python has no GStreamer")
    assert HERE.gstreamer() >= OLDEST_GSTREAMER
    assert all("nv" in lacking or "pyds" in lacking for lacking in HERE.missing_for_deepstream())


def test_a_file_is_read_and_one_that_is_not_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "version").write_bytes(b"Version: 7.1\n\xff")
    assert (HERE.text(str(tmp_path / "version")) or "").startswith("Version: 7.1")
    assert HERE.text(str(tmp_path / "nothing")) is None
    assert HERE.text(str(tmp_path)) is None


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_it_would_be_made_in(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert HERE.writable(tmp_path)
    assert HERE.writable(tmp_path / "engines" / "deeper")
    assert not HERE.writable(tmp_path / "file")
    assert not HERE.writable(tmp_path / "file" / "engines")
    assert not HERE.writable(Path("/proc/nasion"))


def test_room_is_that_of_the_disk(tmp_path: Path) -> None:
    assert 0 <= HERE.free_bytes(tmp_path) <= shutil.disk_usage(tmp_path).total


@pytest.mark.skipif(os.path.exists("/dev/nvidiactl") or os.path.exists("/dev/nvmap"), reason="there is a GPU here")
def test_what_is_not_here_is_told_with_its_remedy(tmp_path: Path) -> None:
    for ask in (HERE.cuda, lambda: HERE.gpu(0)):
        with pytest.raises(HardwareError, match="--runtime nvidia"):
            ask()
    with pytest.raises(DependencyError, match="container of your JetPack"):
        HERE.tensorrt()
    with pytest.raises(DependencyError, match="python3-libnvinfer"):
        HERE.read_engine(tmp_path / "x.engine")
