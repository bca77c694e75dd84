"""The named recipes: the original's eight as it ran them, and ours."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from training.data.loading import Phase, phase_at
from training.data.pairs import CropRecipe
from training.data.table import read_table
from training.fit.presets import PRESETS
from training.fit.run import Machine, Start, fit
from training.fit.schedule import Budget
from training.network.unet import THESIS

ORIGINALS = [f"M{number}" for number in range(1, 9)]


def test_the_original_s_runs_are_eight_different_ones() -> None:
    assert [name for name in PRESETS if name.startswith("M")] == ORIGINALS
    recipes = {(PRESETS[name].phases[0].crops.size, PRESETS[name].sampling) for name in ORIGINALS}
    assert len(recipes) == 8


@pytest.mark.parametrize("name", ORIGINALS)
def test_each_of_the_original_s_runs_has_its_figures(name: str) -> None:
    preset = PRESETS[name]
    crops = preset.phases[0].crops
    assert preset.network == THESIS
    found = (
        crops.size,
        round(crops.reach.margin * crops.size),
        preset.pairs,
        preset.schedule.learning_rate,
        preset.budget.epochs,
        preset.threshold,
    )
    assert found in {(128, 20, 64, 2e-3, 461, 0.7), (224, 40, 32, 2e-4, 261, 0.8)}
    assert crops.target.sigma_px == pytest.approx(0.05 * crops.size / 2)
    assert crops.target.peak_weight == 0
    assert preset.loss.hard_cells == 0
    assert preset.average is None


@pytest.mark.parametrize("name", PRESETS)
def test_every_recipe_starts(name: str, make_table: Callable[..., Path], tmp_path: Path) -> None:
    """Its own crops, sampling, loss and schedule; a narrower network and one small batch, for the time it takes."""
    preset = PRESETS[name]
    small = replace(
        preset, network=replace(preset.network, width=1), pairs=1, pairs_per_epoch=1, budget=Budget(epochs=1)
    )
    best = fit(small, read_table(make_table(6)), tmp_path / "run", 1, Machine(workers=0), Start())
    assert best.exists()


@pytest.mark.parametrize(
    ("budget", "judged"),
    [
        (Budget(epochs=8), [4, 8]),
        (Budget(epochs=6), [1, 2, 3, 4, 5, 6]),
        (Budget(minutes=1, epochs=8), [1, 2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_the_end_of_a_run_is_always_judged(budget: Budget, judged: list[int]) -> None:
    every = replace(PRESETS["lite"], judge_every=4, budget=budget).epochs_between_judgements
    assert [epoch for epoch in range(1, (budget.epochs or 0) + 1) if epoch % every == 0] == judged


@pytest.mark.parametrize("name", PRESETS)
def test_the_phases_of_a_run_reach_to_its_end_in_order(name: str) -> None:
    ends = [phase.until for phase in PRESETS[name].phases]
    assert ends == sorted(ends)
    assert ends[-1] == 1.0


@pytest.mark.parametrize(("progress", "crop"), [(0.0, 32), (0.49, 32), (0.5, 64), (0.99, 64), (1.0, 64)])
def test_a_run_goes_through_its_phases(progress: float, crop: int) -> None:
    phases = [Phase(until, CropRecipe(size)) for until, size in ((0.5, 32), (1.0, 64))]
    assert phase_at(phases, progress).crops.size == crop
