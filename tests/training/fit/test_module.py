"""The training loop as Lightning runs it: several processes, a clock that can be told, a rate that does not jump."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from training.data.table import Picture, read_table
from training.data.target import gaussian
from training.errors import WorkshopError
from training.fit.module import LONGEST_STEP_S, HeatMapRegression
from training.fit.presets import PRESETS, Preset
from training.fit.run import Machine, Start, fit
from training.fit.saving import SafeCheckpointIO
from training.fit.schedule import Budget, ScheduleConfig
from training.network.checkpoint import load_network
from training.network.unet import UNetConfig

ROOT = Path(__file__).parents[3]
TINY = replace(PRESETS["lite"], network=UNetConfig(2), pairs=2, pairs_per_epoch=8, budget=Budget(epochs=2), average=0.9)


@pytest.fixture
def pictures(make_table: Callable[..., Path]) -> list[Picture]:
    return read_table(make_table(6))


def run(preset: Preset, pictures: list[Picture], out: Path, start: Start = Start()) -> Path:  # noqa: B008 - frozen
    return fit(preset, pictures, out, 1, Machine(workers=0), start)


def logged(out: Path, name: str) -> list[tuple[int, float]]:
    """What TensorBoard has of ``name``: steps and values."""
    events = EventAccumulator(str(out))
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars(name)]


def losses(processes: int, pairs: int, out: Path) -> list[float]:
    program = Path(__file__).with_name("several_processes.py")
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'plugins'}"}
    command = [sys.executable, str(program), str(processes), str(pairs), str(out)]
    result = subprocess.run(command, cwd=out.parent, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    numbers: list[float] = json.loads(out.read_text())
    return numbers


def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    """Instance normalisation looks at no other picture, so two halves of a batch are the batch."""
    one, two = losses(1, 4, tmp_path / "one.json"), losses(2, 2, tmp_path / "two.json")
    assert len(one) == len(two) == 8
    assert two == pytest.approx(one, rel=1e-3)
    assert one[-1] < one[0]


def test_a_pause_is_not_training(monkeypatch: pytest.MonkeyPatch) -> None:
    times: Iterator[float] = iter([100.0, 101.5, 1000.0])
    module = HeatMapRegression(UNetConfig(2), ScheduleConfig(), [], budget=Budget(minutes=1), clock=lambda: next(times))
    monkeypatch.setattr(HeatMapRegression, "trainer", type("OneProcess", (), {"world_size": 1})())
    for _ in range(3):
        module._count_time()
    assert module.spent_s == pytest.approx(1.5 + LONGEST_STEP_S)


@pytest.mark.parametrize("restart", [False, True])
def test_only_the_original_s_mistake_lets_the_rate_jump_back(
    restart: bool, pictures: list[Picture], tmp_path: Path
) -> None:
    out = tmp_path / "run"
    half = replace(TINY, pairs_per_epoch=40, budget=Budget(epochs=1))
    run(half, pictures, out)
    run(replace(half, budget=Budget(epochs=2)), pictures, out, Start(resume=True, restart_rate=restart))
    # Twenty steps each, noted every tenth. Begun anew, the second half falls just as the first did; else it goes on.
    rates = dict(logged(out, "lr-AdamW"))
    assert list(rates) == [9, 19, 29, 39]
    if restart:
        assert rates[29] == pytest.approx(rates[9])
    else:
        assert rates[29] == pytest.approx(half.schedule.learning_rate * half.schedule.factor(0.7, 0), rel=0.05)


def test_a_run_that_is_seldom_judged_still_keeps_each_epoch(
    pictures: list[Picture], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[str] = []
    save = SafeCheckpointIO.save_checkpoint

    def noted(self: SafeCheckpointIO, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        kept.append(Path(path).stem)
        save(self, checkpoint, path, storage_options)

    monkeypatch.setattr(SafeCheckpointIO, "save_checkpoint", noted)
    run(replace(TINY, budget=Budget(epochs=4), judge_every=2), pictures, tmp_path / "run")
    assert kept.count("last") == 4
    assert 1 <= kept.count("best") <= 2


def test_a_checkpoint_of_another_network_is_refused_and_kept(pictures: list[Picture], tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(TINY, pictures, out)
    kept = (out / "last.ckpt").read_bytes()
    with pytest.raises(WorkshopError, match="another network"):
        run(replace(TINY, network=UNetConfig(3)), pictures, out, Start(resume=True))
    assert (out / "last.ckpt").read_bytes() == kept


def test_a_run_writes_down_what_it_was_and_cost(pictures: list[Picture], tmp_path: Path) -> None:
    best = run(TINY, pictures, tmp_path / "run")
    assert load_network(best).config == TINY.network
    summary = json.loads((tmp_path / "run" / "run.json").read_text())
    assert summary["steps"] == 8
    assert summary["pairs"] == 16
    assert summary["energy"]["kwh"] > 0
    assert {"hold_out/right", "hold_out/right_in_place", "train/loss"} <= set(summary["figures"])


def test_tensorboard_shows_curves_pictures_and_settings(pictures: list[Picture], tmp_path: Path) -> None:
    out = tmp_path / "run"
    # Scalars are written every ten steps.
    run(replace(TINY, pairs_per_epoch=24), pictures, out)
    events = EventAccumulator(str(out))
    events.Reload()
    tags = events.Tags()
    for kind in ("train", "hold_out"):
        assert {f"{kind}/positive", f"{kind}/negative", f"{kind}/loss"} <= set(tags["scalars"])
        assert {f"{kind}/pictures", f"{kind}/heat_maps"} <= set(tags["images"])
    assert {"train/accuracy", "lr-AdamW"} <= set(tags["scalars"])
    assert "hold_out/precision_recall" in tags["tensors"]
    assert "learning_rate" in (out / "hparams.yaml").read_text()


def test_without_held_out_pictures_a_run_says_so(pictures: list[Picture], tmp_path: Path) -> None:
    with pytest.raises(WorkshopError, match="held out"):
        run(TINY, [p for p in pictures if p.split != "hold_out"], tmp_path / "run")


def test_a_teacher_draws_where_the_label_is_silent(pictures: list[Picture], tmp_path: Path) -> None:
    run(TINY, pictures, tmp_path / "teacher")
    teacher = load_network(tmp_path / "teacher" / "best.ckpt")
    fit(TINY, pictures, tmp_path / "pupil", 1, Machine(workers=0), Start(teacher=teacher))
    alone = json.loads((tmp_path / "teacher" / "run.json").read_text())["figures"]["train/loss"]
    taught = json.loads((tmp_path / "pupil" / "run.json").read_text())["figures"]["train/loss"]
    assert taught != alone
    weights = torch.load(tmp_path / "pupil" / "last.ckpt", weights_only=False)["state_dict"]
    assert not [name for name in weights if "teacher" in name]


def test_checkpoints_are_chosen_by_the_map_that_is_released(monkeypatch: pytest.MonkeyPatch) -> None:
    """Smoothed by a Gaussian that keeps the height of what is taught, and lowers what is one cell wide."""
    module = HeatMapRegression(UNetConfig(2), ScheduleConfig(), [], budget=Budget(minutes=1), sigma_px=8.0)
    taught, lone = gaussian((64, 64), 4, 29.5, 29.5, 8.0), np.zeros((16, 16), np.float32)
    lone[7, 7] = 1
    heat = torch.from_numpy(np.stack((taught, lone)))[:, None]
    monkeypatch.setattr(module, "_step", lambda *_: (heat, torch.zeros(())))
    module.hold_out = [Picture(Path(f"bsds_{n}.jpg"), "bsds", "hold_out") for n in range(2)]
    heights = module.validation_step({"index": torch.tensor([0, 1]), "positive": torch.tensor([True, False])}, 0)
    assert heights[0] == pytest.approx(1, abs=0.01)
    assert heights[1] < 0.5
