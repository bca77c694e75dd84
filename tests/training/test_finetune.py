"""From a released file, on one's own pictures, to a better one: as a person types it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from export.metadata import draft_metadata
from export.to_onnx import export_onnx
from training.data.table import read_table
from training.network.checkpoint import load_network
from training.network.unet import UNet, UNetConfig
from training.network.weights import load_weights

ROOT = Path(__file__).parents[2]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = UNet(UNetConfig(4)).eval()
    path = tmp_path / "released.onnx"
    export_onnx(network, draft_metadata("tiny", "1", network, "none"), path)
    return path


def finetune(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "training.finetune", *map(str, arguments), "--workers", "0", "--pairs", "4"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("frozen", [False, True])
def test_it_goes_on_from_the_weights_and_leaves_a_frozen_encoder_alone(
    frozen: bool, weights: Path, make_table: Callable[..., Path], tmp_path: Path
) -> None:
    data, out = make_table(6), tmp_path / "run"
    flags = ["--freeze-encoder"] if frozen else []
    result = finetune(weights, "--data", data, "--out", out, "--epochs", "2", *flags)
    assert result.returncode == 0, result.stderr
    start, end = load_weights(weights, read_table(data)), load_network(out / "last.ckpt")
    before, after = start.state_dict(), end.state_dict()
    same = torch.allclose(before["stem.0.0.weight"], after["stem.0.0.weight"], atol=1e-6)
    assert same is frozen
    assert not torch.equal(before["head.1.weight"], after["head.1.weight"])
    assert json.loads((out / "run.json").read_text())["epochs"] == 2


def test_without_weights_it_says_so(make_table: Callable[..., Path], tmp_path: Path) -> None:
    result = finetune(tmp_path / "none.onnx", "--data", make_table(2), "--out", tmp_path / "run")
    assert result.returncode == 2
    assert "none.onnx" in result.stderr
    assert "Traceback" not in result.stderr
