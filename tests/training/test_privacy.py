"""The workshop phones nobody either: a whole training and a judging, in a network where every look-up is seen."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sealed_network import run_sealed, unavailable

pytestmark = pytest.mark.skipif(unavailable() is not None, reason=unavailable() or "")


def test_training_and_evaluating_ask_for_nobody_and_keep_nothing(
    make_table: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory, spot_model: Path
) -> None:
    data = make_table()
    small = ["--width", "2", "--pairs", "2", "--workers", "0", "--epoch-pairs", "4", "--epochs", "1"]
    for command in (
        ["training.train", "--data", str(data), "--out", str(data / "run"), *small],
        ["training.evaluate", str(spot_model), str(data)],
    ):
        done = run_sealed([sys.executable, "-m", *command], tmp_path_factory.mktemp("sealed"))
        assert (done.code, done.asked, done.kept) == (0, frozenset(), frozenset()), done.output
