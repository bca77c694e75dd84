"""A checkpoint is whole or not there, also where the disk is full."""

import resource
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from training.errors import WorkshopError
from training.fit.saving import SafeCheckpointIO

ROOT = Path(__file__).parents[3]


def test_a_checkpoint_replaces_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "last.ckpt"
    for value in (1, 2):
        SafeCheckpointIO().save_checkpoint({"value": value}, path)
        assert torch.load(path) == {"value": value}
    assert [p.name for p in path.parent.iterdir()] == ["last.ckpt"]


def test_where_the_disk_is_full_the_last_good_one_stays(tmp_path: Path) -> None:
    """The kernel refuses to write more than 64 KiB: to the program that is a disk that fills up in the middle."""
    path = tmp_path / "last.ckpt"
    SafeCheckpointIO().save_checkpoint({"value": 1}, path)
    program = textwrap.dedent(
        f"""
        import resource, torch
        from training.errors import WorkshopError
        from training.fit.saving import SafeCheckpointIO
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, {resource.RLIM_INFINITY}))
        try:
            SafeCheckpointIO().save_checkpoint({{"value": torch.zeros(10**6)}}, {str(path)!r})
        except WorkshopError as error:
            print(error)
        """
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "could not be written" in result.stdout
    assert "last good one" in result.stdout
    assert torch.load(path) == {"value": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["last.ckpt"]


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises((WorkshopError, OSError), match="file"):
        SafeCheckpointIO().save_checkpoint({}, tmp_path / "file" / "last.ckpt")
