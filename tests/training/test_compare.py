"""Two models on the same pictures, as a person types it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest
import typer
from nasion.engine.metadata import PREFIX
from typer.testing import CliRunner, Result

from training.command import guarded
from training.compare import compare

app = typer.Typer(add_completion=False)
app.command()(guarded(compare))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def data(make_table: Callable[..., Path]) -> Path:
    return make_table()


@pytest.fixture
def bolder(spot_model: Path, tmp_path: Path) -> Path:
    """The same model with a threshold that its discs reach and the noise does not."""
    model = onnx.load(spot_model)
    for entry in model.metadata_props:
        if entry.key == PREFIX + "threshold":
            entry.value = "0.35"
    path = tmp_path / "bolder.onnx"
    onnx.save(model, path)
    return path


def test_each_is_judged_at_its_own_threshold(spot_model: Path, bolder: Path, data: Path) -> None:
    result = run(spot_model, bolder, data, "--json")
    assert result.exit_code == 0, result.stderr
    comparison = json.loads(result.stdout)
    assert comparison["a"]["figures"]["recall"] == 0
    assert comparison["b"]["figures"]["recall"] == 1
    assert comparison["difference"]["recall_in_place"] == 1
    pairs = comparison["pairs"]["in_place"]
    assert pairs["only_a_right"] == []
    assert len(pairs["only_b_right"]) == 12
    # Twelve coins on one side: 2 / 2^12.
    assert pairs["mcnemar_p"] == pytest.approx(2 / 4096)


def test_a_model_does_not_differ_from_itself(bolder: Path, data: Path) -> None:
    comparison = json.loads(run(bolder, bolder, data, "--json").stdout)
    assert set(comparison["difference"].values()) == {0}
    assert comparison["keypoint_shift"]["pictures"] == 12
    assert comparison["keypoint_shift"]["p95_px"] == 0
    assert comparison["pairs"]["location_free"]["mcnemar_p"] == 1


def test_the_tables_name_who_is_right_alone(spot_model: Path, bolder: Path, data: Path) -> None:
    result = run(spot_model, bolder, data)
    assert result.exit_code == 0, result.stderr
    assert re.search(r"recall, in place +0\.0 % +100\.0 % +\+100\.0", result.stdout)
    assert "right in place only with A: none" in result.stdout
    assert len(re.findall(r"\S+\.jpg", result.stdout.splitlines()[-1])) == 12
    assert "\x1b" not in result.output


def test_the_report_shows_the_pictures_they_differ_on(
    spot_model: Path, bolder: Path, data: Path, tmp_path: Path
) -> None:
    page = tmp_path / "c.html"
    result = run(spot_model, bolder, data, "--report", page)
    assert result.exit_code == 0, result.stderr
    text = page.read_text(encoding="utf-8")
    assert text.count('<img alt="bsds_') == text.count('src="data:image/jpeg;base64,') == 12
    assert json.loads(page.with_suffix(".json").read_text()) == json.loads(
        run(spot_model, bolder, data, "--json").stdout
    )


def test_the_second_is_checked_before_the_first_is_judged(spot_model: Path, data: Path, tmp_path: Path) -> None:
    """So the missing pictures are not what it stumbles over."""
    other = tmp_path / "other.onnx"
    other.write_bytes(b"no model")
    for picture in (data / "images").iterdir():
        picture.unlink()
    result = run(spot_model, other, data)
    assert result.exit_code == 2
    assert "other.onnx" in result.stderr
    assert len(result.stderr.splitlines()) == 1
