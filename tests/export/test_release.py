"""From a checkpoint to a released model, as a person types it."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
import torch
from nasion.engine.metadata import ModelMetadata

from training.fit.schedule import ScheduleConfig
from training.network.unet import UNet, UNetConfig

ROOT = Path(__file__).parents[2]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """An untrained network, saved as a training run saves it."""
    torch.manual_seed(0)
    config = UNetConfig(width=2)
    weights = {f"network.{key}": value for key, value in UNet(config).state_dict().items()}
    path = tmp_path / "last.ckpt"
    parameters = {"network": config, "schedule": ScheduleConfig(), "budget_s": 1.0}
    torch.save({"state_dict": weights, "hyper_parameters": parameters}, path)
    return path


def test_a_release_is_a_model_its_figures_and_its_card(
    checkpoint: Path, make_table: Callable[..., Path], tmp_path: Path
) -> None:
    data, out = make_table(), tmp_path / "released" / "tiny.onnx"
    result = python("export", str(checkpoint), "--data", str(data), "--out", str(out))
    assert result.returncode == 0, result.stderr

    metadata = ModelMetadata.from_props({p.key: p.value for p in onnx.load(out).metadata_props})
    figures = json.loads(out.with_suffix(".json").read_text())
    assert json.loads(metadata.metrics) == figures
    assert metadata.name == "tiny"
    assert figures["positives"] == figures["negatives"] == 12
    card = out.with_suffix(".md").read_text()
    assert "Research use only" in card
    assert metadata.data_digest in card

    judged = python("training.evaluate", str(out), str(data), "--json")
    assert json.loads(judged.stdout) == figures


@pytest.mark.parametrize("spoil", ["checkpoint", "data"])
def test_what_cannot_be_read_is_one_line(
    checkpoint: Path, make_table: Callable[..., Path], tmp_path: Path, spoil: str
) -> None:
    data = make_table(2)
    if spoil == "checkpoint":
        checkpoint.write_bytes(b"garbage")
    else:
        (data / "labels.csv").unlink()
    result = python("export", str(checkpoint), "--data", str(data), "--out", str(tmp_path / "x.onnx"))
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert str(checkpoint if spoil == "checkpoint" else data) in result.stderr
    assert not (tmp_path / "x.onnx").exists()
