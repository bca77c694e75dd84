"""How the learning rate falls, and when a run ends."""

from typing import Any

import pytest

from training.fit.schedule import Budget, ScheduleConfig


def test_the_cosine_warms_up_and_falls_to_the_end() -> None:
    schedule = ScheduleConfig()
    steps = [schedule.factor(p / 100, epoch=0) for p in range(101)]
    assert steps[2] == pytest.approx(1.0)
    assert steps[2:] == sorted(steps[2:], reverse=True)
    assert steps[-1] == pytest.approx(schedule.final)


@pytest.mark.parametrize(("epoch", "factor"), [(0, 1.0), (99, 1.0), (100, 0.5), (199, 0.5), (200, 0.25), (460, 0.0625)])
def test_the_original_halves_every_hundred_epochs_whatever_the_progress(epoch: int, factor: float) -> None:
    schedule = ScheduleConfig(shape="halving")
    assert schedule.factor(0.0, epoch) == schedule.factor(0.9, epoch) == factor


@pytest.mark.parametrize(
    ("budget", "spent_s", "epochs", "progress"),
    [
        (Budget(minutes=2), 60, 100, 0.5),
        (Budget(epochs=4), 1e9, 1, 0.25),
        (Budget(minutes=2, epochs=4), 30, 3, 0.75),
        (Budget(minutes=2, epochs=4), 90, 1, 0.75),
        (Budget(minutes=1), 90, 0, 1.0),
    ],
)
def test_a_run_is_as_far_as_the_nearer_of_its_ends(
    budget: Budget, spent_s: float, epochs: float, progress: float
) -> None:
    assert budget.progress(spent_s, epochs) == progress


@pytest.mark.parametrize("nothing", [{}, {"minutes": None}])
def test_a_run_without_an_end_is_refused(nothing: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="minutes or epochs"):
        Budget(**nothing)
