"""One set of weights, a file for each view."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from nasion.core.views import INPUT_SIZES
from nasion.engine.onnx_model import HeatMapModel

from export.metadata import draft_metadata
from export.to_onnx import export_onnx, run_onnx
from export.views import fix_size
from training.network.unet import UNet, UNetConfig

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    network = UNet(UNetConfig(2)).eval()
    path = tmp_path_factory.mktemp("open") / "net.onnx"
    export_onnx(network, draft_metadata("net", "1", network, "none"), path)
    return path


def test_each_view_has_its_file_and_the_run_time_takes_it(model: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "export.views", str(model), "--out", str(tmp_path / "fixed")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    for line, (height, width) in zip(result.stdout.splitlines(), INPUT_SIZES.values(), strict=True):
        assert line.endswith(f"net-{width}x{height}.onnx")
        shape = onnx.load(line).graph.input[0].type.tensor_type.shape
        assert [d.dim_value for d in shape.dim] == [1, 3, height, width]
        assert HeatMapModel(Path(line), height=height, width=width, threads=1).metadata.name == "net"


def test_a_file_that_is_there_is_replaced_only_when_told_so(model: Path, tmp_path: Path) -> None:
    older = tmp_path / "net-224x224.onnx"
    older.write_text("older")
    command = [sys.executable, "-m", "export.views", str(model), "--out", str(tmp_path)]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (refused.returncode, older.read_text(), len(list(tmp_path.iterdir()))) == (2, "older", 1)
    done = subprocess.run([*command, "--force"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, len(list(tmp_path.iterdir()))) == (0, len(INPUT_SIZES))


@pytest.mark.parametrize("batch", [1, 2])
def test_it_computes_the_same(batch: int, model: Path, tmp_path: Path) -> None:
    fix_size(model, batch, 64, 96, tmp_path / "fixed.onnx")
    picture = np.random.default_rng(0).uniform(0, 255, (batch, 3, 64, 96)).astype(np.float32)
    assert np.array_equal(run_onnx(tmp_path / "fixed.onnx", picture), run_onnx(model, picture))


def test_what_is_no_model_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"garbage")
    command = [sys.executable, "-m", "export.views", str(tmp_path / "x.onnx"), "--out", str(tmp_path / "fixed")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "x.onnx" in result.stderr
    assert "Traceback" not in result.stderr
