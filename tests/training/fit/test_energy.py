"""The estimate of energy and carbon dioxide, by hand."""

import pytest

from training.fit.energy import EnergyEstimate


def test_power_times_time_times_the_grid() -> None:
    estimate = EnergyEstimate(7200, cores=4, gpus=1, watts_per_core=10, watts_per_gpu=210, grams_per_kwh=100)
    assert estimate.kwh == pytest.approx(0.5)
    assert estimate.co2_g == pytest.approx(50)
    assert "0.5 kWh and 50 g CO2" in str(estimate)


def test_every_assumption_is_written_down() -> None:
    assumed = EnergyEstimate(60, cores=2, gpus=0).as_dict()["assumed"]
    assert {"seconds", "cores", "watts_per_core", "grams_per_kwh"} <= set(assumed)
    assert "assumed" in str(EnergyEstimate(60, cores=2, gpus=0))
