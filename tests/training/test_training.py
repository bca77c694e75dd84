"""A whole run in miniature: it learns, it ends by its budget, it resumes where it was."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from training.data.augment import CropRange
from training.data.loading import PairDataset, Phase, phase_at, read_rgb
from training.data.table import TableError, read_table
from training.data.target import TargetConfig
from training.fit.module import ScheduleConfig
from training.network.checkpoint import load_network
from training.train import PHASES

ROOT = Path(__file__).parents[2]


def run_training(data: Path, out: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training.train", "--data", str(data), "--out", str(out)]
    small = ["--width", "2", "--pairs", "2", "--workers", "0", "--epoch", "4"]
    return subprocess.run([*command, *small, *flags], cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_run_ends_by_its_budget_and_resumes_without_the_rate_jumping_back(
    make_table: Callable[..., Path], tmp_path: Path
) -> None:
    data, out = make_table(), tmp_path / "run"
    first = run_training(data, out, "--minutes", "0.03")
    assert first.returncode == 0, first.stderr
    checkpoint = torch.load(out / "last.ckpt", weights_only=False)
    spent = checkpoint["spent_s"]
    assert spent >= 0.03 * 60
    low = checkpoint["optimizer_states"][0]["param_groups"][0]["lr"]
    assert low < 0.5 * ScheduleConfig().learning_rate

    second = run_training(data, out, "--minutes", "0.06", "--resume")
    assert second.returncode == 0, second.stderr
    resumed = torch.load(out / "last.ckpt", weights_only=False)
    assert resumed["spent_s"] >= 0.06 * 60
    assert resumed["global_step"] > checkpoint["global_step"]
    assert load_network(out / "last.ckpt").config.width == 2


def test_without_a_checkpoint_resume_says_so(make_table: Callable[..., Path], tmp_path: Path) -> None:
    result = run_training(make_table(2), tmp_path / "none", "--resume")
    assert result.returncode == 2
    assert "--resume needs" in result.stderr
    assert "Traceback" not in result.stderr


def test_something_else_is_not_taken_for_a_checkpoint(tmp_path: Path) -> None:
    garbage = tmp_path / "last.ckpt"
    garbage.write_bytes(b"not a checkpoint")
    with pytest.raises(TableError, match=r"last\.ckpt: not a checkpoint"):
        load_network(garbage)


def test_a_pair_is_one_positive_and_one_negative(make_table: Callable[..., Path]) -> None:
    pictures = read_table(make_table(6))
    pixels = [read_rgb(p.path) for p in pictures]
    dataset = PairDataset(
        pictures, pixels, size=64, stride=2, pairs=8, target=TargetConfig(), reach=CropRange(backdrop=0.5)
    )
    for index in range(8):
        item = dataset[index]
        assert item["picture"].shape == (2, 3, 64, 64)
        assert item["target"].shape == item["weight"].shape == (2, 1, 32, 32)
        assert item["target"][0].max() > 0.8
        assert item["target"][1].max() == 0


def test_a_class_without_pictures_is_refused(make_table: Callable[..., Path]) -> None:
    pictures = [p for p in read_table(make_table(2)) if p.positive]
    with pytest.raises(TableError, match="no negative picture"):
        PairDataset(pictures, [], size=64, stride=2, pairs=1, target=TargetConfig(), reach=CropRange())


def test_an_unreadable_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"no picture")
    with pytest.raises(TableError, match=r"x\.jpg: not a readable picture"):
        read_rgb(tmp_path / "x.jpg")


@pytest.mark.parametrize(("progress", "crop"), [(0.0, 32), (0.49, 32), (0.5, 64), (0.99, 64), (1.0, 64)])
def test_a_run_goes_through_its_phases(progress: float, crop: int) -> None:
    phases = [Phase(until, size, TargetConfig(), CropRange()) for until, size in ((0.5, 32), (1.0, 64))]
    assert phase_at(phases, progress).crop == crop


def test_the_phases_of_a_run_reach_to_its_end_in_order() -> None:
    ends = [phase.until for phase in PHASES]
    assert ends == sorted(ends)
    assert ends[-1] == 1.0


def test_the_learning_rate_warms_up_and_falls_to_the_end() -> None:
    schedule = ScheduleConfig()
    steps = [schedule.factor(p / 100) for p in range(101)]
    assert steps[2] == pytest.approx(1.0)
    assert steps[2:] == sorted(steps[2:], reverse=True)
    assert steps[-1] == pytest.approx(schedule.final)
