"""From a checkpoint to a released model, as a person types it."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import onnx
import pytest
import torch

from export.__main__ import sizes_of
from tests.export.written import metadata_of
from training.data.augment import CropRange
from training.data.disturb import Chances
from training.data.loading import Phase
from training.data.pairs import CropRecipe
from training.data.table import read_table
from training.data.target import TargetConfig
from training.errors import WorkshopError
from training.fit.presets import PRESETS
from training.fit.run import Machine, Start, fit
from training.fit.schedule import Budget, ScheduleConfig
from training.network.unet import UNet, UNetConfig

ROOT = Path(__file__).parents[2]


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.fixture
def untrained(tmp_path: Path) -> Path:
    """An untrained network, saved as a training run saves it."""
    torch.manual_seed(0)
    config = UNetConfig(width=2)
    weights = {f"network.{key}": value for key, value in UNet(config).state_dict().items()}
    path = tmp_path / "last.ckpt"
    parameters = {"network": config, "schedule": ScheduleConfig(), "budget": Budget(minutes=1.0)}
    torch.save({"state_dict": weights, "hyper_parameters": parameters}, path)
    return path


def test_a_model_is_trained_released_judged_and_compared(make_table: Callable[..., Path], tmp_path: Path) -> None:
    """The whole way, on pictures of noise with a bright disc where a face is."""
    data, out = make_table(), tmp_path / "released" / "tiny.onnx"
    # The pictures are 128 pixels wide and searched at 320 and 480.
    reach = CropRange(own_scale=1.0, own_scale_jitter=(2.2, 4.1), negative_scale=(2.2, 4.1), scale=(1, 5), backdrop=0.0)
    crops = CropRecipe(128, TargetConfig(), reach, Chances(0, 0, 0, 0, 0))
    recipe = replace(
        PRESETS["lite"],
        network=UNetConfig(8),
        phases=(Phase(1.0, crops),),
        pairs=4,
        pairs_per_epoch=160,
        budget=Budget(epochs=4),
        average=0.9,
    )
    checkpoint = fit(recipe, read_table(data), tmp_path / "run", 1, Machine(workers=0), Start())

    result = python("export", str(checkpoint), "--data", str(data), "--out", str(out))
    assert result.returncode == 0, result.stderr
    metadata = metadata_of(out)
    figures = json.loads(out.with_suffix(".json").read_text())
    assert json.loads(metadata.metrics) == figures
    assert (metadata.name, metadata.precision) == ("tiny", "float")
    assert figures["positives"] == figures["negatives"] == 12
    assert figures["right_location_free"] > 0.9
    assert figures["recall_in_place"] > 0.9
    small = out.with_name("tiny-int8.onnx")
    integers = metadata_of(small)
    assert json.loads(integers.metrics) == json.loads(small.with_suffix(".json").read_text())
    for file in (metadata, integers):
        said = json.loads(file.metrics)
        assert (file.agreed_threshold, file.threshold) == (said["threshold"], said["one_look"]["threshold"])
    assert integers.precision == "int8"
    card = out.with_suffix(".md").read_text()
    assert card.index("Research use only") < card.index("On the validation pictures")
    assert metadata.data_digest in card

    judged = python("training.evaluate", str(out), str(data), "--json")
    one_look = figures.pop("one_look")
    assert json.loads(judged.stdout) == figures
    as_streams = python("training.evaluate", str(out), str(data), "--json", "--one-look")
    assert json.loads(as_streams.stdout) == one_look
    compared = python("training.compare", str(out), str(out), str(data), "--json")
    assert compared.returncode == 0, compared.stderr
    assert_released_again(out, small, data, tmp_path / "again.onnx")


def assert_released_again(released: Path, small: Path, data: Path, out: Path) -> None:
    """The weights of a release stay, its looks and thresholds change."""
    wanted = ("--data", str(data), "--out", str(out), "--looks", "224,320,480", "--version", "2", "--no-int8")
    result = python("export", str(released), *wanted)
    assert result.returncode == 0, result.stderr
    metadata = metadata_of(out)
    assert (metadata.name, metadata.version, metadata.looks) == ("again", "2", (224, 320, 480))
    assert onnx.load(out).graph == onnx.load(released).graph
    judged = python("training.evaluate", str(out), str(data))
    assert "at 224, 320 and 480 px of which two neighbours must agree" in " ".join(judged.stdout.split())
    figures = json.loads(python("training.evaluate", str(out), str(data), "--json").stdout)
    assert figures.items() <= json.loads(metadata.metrics).items()
    card = out.with_suffix(".md").read_text()
    assert (
        "by three looks of which two neighbours must agree, with the longest side at 224, at 320 and at 480 px" in card
    )
    assert "--no-int8 --looks 224,320,480\n" in card
    refused = python("export", str(small), *wanted, "--force")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "is int8; take the float file it was made from" in refused.stderr


def test_an_int8_file_that_loses_too_much_is_not_released(
    untrained: Path, make_table: Callable[..., Path], tmp_path: Path
) -> None:
    """An untrained network finds nobody, so nobody can say where its peaks go."""
    out = tmp_path / "released" / "tiny.onnx"
    result = python("export", str(untrained), "--data", str(make_table()), "--out", str(out))
    assert result.returncode == 2
    assert "tiny-int8.onnx: loses" in result.stderr
    assert "None" not in result.stderr
    assert list(out.parent.iterdir()) == []


def test_files_of_an_earlier_release_stay_unless_told_otherwise(untrained: Path, tmp_path: Path) -> None:
    """Refused before anything is read; an old twin never stands beside a new float file."""
    out = tmp_path / "tiny.onnx"
    for name, flags in (
        ("tiny.onnx", []),
        ("tiny.md", []),
        ("tiny-int8.onnx", []),
        ("tiny-int8.json", ["--no-int8", "--force"]),
    ):
        older = tmp_path / name
        older.write_text("older")
        result = python("export", str(untrained), "--data", "nowhere", "--out", str(out), *flags)
        assert (result.returncode, result.stderr.count("\n")) == (2, 1)
        assert f"{name} exists already" in result.stderr
        assert older.read_text() == "older"
        older.unlink()
    released = tmp_path / "same.onnx"
    released.write_text("read")
    (tmp_path / "linked.onnx").symlink_to(released)
    result = python("export", str(released), "--data", "nowhere", "--out", str(tmp_path / "linked.onnx"), "--force")
    assert (result.returncode, released.read_text()) == (2, "read")
    assert "is read by this command" in result.stderr


@pytest.mark.parametrize("looks", ["", "320", "480,320", "320,320", "320,481", "0,320", "-320", "320x480", "320,8192"])
def test_looks_that_no_network_takes_are_refused(looks: str) -> None:
    with pytest.raises(
        WorkshopError, match="--looks: expected two or more multiples of 32 up to 4096, smallest first, such"
    ):
        sizes_of(looks)


@pytest.mark.parametrize("spoil", ["checkpoint", "released", "data"])
def test_what_cannot_be_read_is_one_line(
    untrained: Path, make_table: Callable[..., Path], tmp_path: Path, spoil: str
) -> None:
    data = make_table(2)
    if spoil == "released":
        untrained = untrained.with_suffix(".onnx")
    if spoil == "data":
        (data / "labels.csv").unlink()
    else:
        untrained.write_bytes(b"garbage")
    result = python("export", str(untrained), "--data", str(data), "--out", str(tmp_path / "x.onnx"))
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert str(data if spoil == "data" else untrained) in result.stderr
    assert not (tmp_path / "x.onnx").exists()
