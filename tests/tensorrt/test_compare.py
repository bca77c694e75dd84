"""An engine may stand in for the model where it sees the same people at the same places."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from nasion.core.heatmap import HeatMap
from nasion.engine.metadata import ModelMetadata
from nasion.errors import NasionError
from nasion.tensorrt.compare import Difference, difference, summary, why_not_alike

METADATA = ModelMetadata(
    name="made",
    version="1",
    stride=2,
    sigma_px=4,
    threshold=0.6,
    keypoint="the blob",
    sizes="any",
    data_digest="none",
    metrics="{}",
    licence="none",
)


def blob(x: float, y: float = 20, height: float = 0.9) -> HeatMap:
    """A Gaussian as the network draws it, at a place in cells."""
    rows, columns = np.mgrid[0:48, 0:64]
    heat: HeatMap = height * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 2.0**2)).astype(np.float32)
    return heat


@pytest.mark.parametrize("cells", [0.0, 0.1, 0.5, 3.0])
def test_a_shift_is_in_pixels_of_the_networks_input(cells: float) -> None:
    found = difference("a", blob(30), blob(30 + cells), METADATA)
    assert found.shift_px == pytest.approx(2 * cells, abs=0.01)
    assert found.agree


def test_half_precision_changes_values_and_hardly_places() -> None:
    heat = blob(30.3)
    found = difference("a", heat, heat.astype(np.float16).astype(np.float32), METADATA)
    assert 0 < found.max_abs < 1e-3
    assert found.shift_px is not None
    assert found.shift_px < 0.01


@pytest.mark.parametrize(
    ("first", "second", "agree"), [(0.9, 0.5, False), (0.5, 0.9, False), (0.5, 0.4, True), (0.0, 0.0, True)]
)
def test_below_the_threshold_there_is_no_place(first: float, second: float, agree: bool) -> None:
    found = difference("a", blob(30, height=first), blob(30, height=second), METADATA)
    assert (found.shift_px, found.agree) == (None, agree)


@pytest.mark.parametrize(("heat", "said"), [(np.full((48, 64), np.nan), "NaN"), (np.zeros((48, 63)), "is .48, 63.")])
def test_a_broken_heat_map_is_told(heat: Any, said: str) -> None:
    with pytest.raises(NasionError, match=said):
        difference("a", blob(30), heat.astype(np.float32), METADATA)


@pytest.mark.parametrize(
    ("differences", "reason"),
    [
        ([Difference("a", 0.001, 0.1, True)], None),
        ([Difference("a", 0.3, 0.1, True)], None),
        ([Difference("a", 0.001, 0.1, True), Difference("b", 0.001, 0.7, True)], "0.70 px off"),
        ([Difference("a", 0.2, None, True)], "no picture shows anybody"),
        ([Difference("a", 0.2, None, False)], "in 1 of 1 pictures only one"),
        ([Difference("a", 0.01, 0.1, True)] * 19 + [Difference("b", 0.01, None, False)], None),
    ],
)
def test_the_verdict(differences: list[Difference], reason: str | None) -> None:
    told = why_not_alike(summary(differences), 0.5)
    assert told is None if reason is None else told is not None and reason in told


def test_the_summary() -> None:
    figures = summary([Difference("a", 0.1, 0.2, True), Difference("b", 0.3, None, False)])
    assert (figures["pictures"], figures["peaks"], figures["disagreements"]) == (2, 1, 1)
    assert (figures["max_abs"], figures["shift_px_max"]) == (0.3, 0.2)
    assert [one["picture"] for one in figures["each"]] == ["a", "b"]
