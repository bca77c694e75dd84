"""Training as a person types it: it ends by its budget, resumes where it was, and says what is wrong in one line."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from training.errors import WorkshopError
from training.fit.presets import PRESETS
from training.network.checkpoint import load_network

ROOT = Path(__file__).parents[2]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def run_training(data: Path, out: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    small = ["--width", "2", "--pairs", "2", "--workers", "0", "--epoch-pairs", "8"]
    return python("training.train", "--data", str(data), "--out", str(out), *small, *flags)


def test_a_run_ends_by_its_budget_and_resumes_without_the_rate_jumping_back(
    make_table: Callable[..., Path], tmp_path: Path
) -> None:
    data, out = make_table(), tmp_path / "run"
    first = run_training(data, out, "--minutes", "0.03")
    assert first.returncode == 0, first.stderr
    assert "kWh" in first.stdout
    checkpoint = torch.load(out / "last.ckpt", weights_only=False)
    spent = checkpoint["spent_s"]
    assert spent >= 0.03 * 60
    low = checkpoint["optimizer_states"][0]["param_groups"][0]["lr"]
    assert low < 0.5 * PRESETS["lite"].schedule.learning_rate

    second = run_training(data, out, "--minutes", "0.06", "--resume")
    assert second.returncode == 0, second.stderr
    resumed = torch.load(out / "last.ckpt", weights_only=False)
    assert resumed["spent_s"] >= 0.06 * 60
    assert resumed["global_step"] > checkpoint["global_step"]
    assert load_network(out / "best.ckpt").config.width == 2


def test_a_run_that_is_there_is_not_begun_anew(make_table: Callable[..., Path], tmp_path: Path) -> None:
    out = tmp_path / "run"
    out.mkdir()
    (out / "best.ckpt").write_bytes(b"weeks of work")
    refused = run_training(make_table(), out, "--epochs", "1")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "holds a run already (best.ckpt)" in refused.stderr
    assert [path.name for path in out.iterdir()] == ["best.ckpt"]
    assert (out / "best.ckpt").read_bytes() == b"weeks of work"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--resume",), "--resume needs"),
        (("--preset", "M9"), "preset M9 is not known; there are lite, unet, unet-2, M1"),
        (("--network", "resnet"), "network resnet is not known; there are thesis"),
        (("--teacher", "README.md"), "README.md: not a checkpoint"),
        (("--data", "nowhere"), "nowhere"),
    ],
)
def test_what_is_wrong_is_one_line(
    make_table: Callable[..., Path], tmp_path: Path, flags: tuple[str, ...], said: str
) -> None:
    result = run_training(make_table(2), tmp_path / "none", *flags)
    assert result.returncode == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "none").exists()


def test_the_recipes_are_listed() -> None:
    result = python("training.train", "--presets")
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(PRESETS)


def test_something_else_is_not_taken_for_a_checkpoint(tmp_path: Path) -> None:
    garbage = tmp_path / "last.ckpt"
    garbage.write_bytes(b"not a checkpoint")
    with pytest.raises(WorkshopError, match=r"last\.ckpt: not a checkpoint"):
        load_network(garbage)


def test_data_that_fail_their_check_are_not_trained_on_unless_told(
    make_table: Callable[..., Path], tmp_path: Path
) -> None:
    data, out = make_table(), tmp_path / "run"
    broken = sorted((data / "images").iterdir())[0]
    broken.write_bytes(broken.read_bytes()[:200])
    refused = run_training(data, out, "--epochs", "1")
    assert refused.returncode == 2
    assert broken.name in refused.stdout
    assert "--skip-check" in refused.stderr
    assert not out.exists()
