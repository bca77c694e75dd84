"""Judging a model, as a person types it: pictures with an orange disc where a face is, and a model that sees red."""

import csv
import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from typer.testing import CliRunner, Result

from training.command import guarded
from training.evaluate import evaluate
from training.network.unet import UNet, UNetConfig

app = typer.Typer(add_completion=False)
app.command()(guarded(evaluate))

#: The discs reach about 0.47 and the noise 0.2, so that this finds all twelve and nothing else.
RIGHT = "0.35"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def judged(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    figures: dict[str, Any] = json.loads(result.stdout)
    return figures


@pytest.fixture
def data(make_table: Callable[..., Path]) -> Path:
    return make_table()


class TestFigures:
    @pytest.mark.parametrize(
        ("threshold", "confusion"),
        [
            (RIGHT, {"tp": 12, "fp": 0, "fn": 0, "tn": 12}),
            ("0.9", {"tp": 0, "fp": 0, "fn": 12, "tn": 12}),
            ("0", {"tp": 12, "fp": 12, "fn": 0, "tn": 0}),
        ],
    )
    def test_they_follow_the_threshold(
        self, spot_model: Path, data: Path, threshold: str, confusion: dict[str, int]
    ) -> None:
        figures = judged(spot_model, data, "--threshold", threshold)
        assert figures["confusion"]["location_free"] == confusion

    def test_a_peak_somewhere_on_the_disc_is_in_place(self, spot_model: Path, data: Path) -> None:
        """The disc has a radius of 9 px, and a peak counts up to 6 px from its middle."""
        figures = judged(spot_model, data, "--threshold", RIGHT)
        assert figures["confusion"]["in_place"] == {"tp": 12, "elsewhere": 0, "fp": 0, "fn": 0, "tn": 12}
        assert figures["error_human_marked"]["pictures"] == 12
        assert 0 < figures["error_human_marked"]["p95_px"] <= 6

    def test_a_small_picture_counts_by_the_size_it_is_searched_at(self, spot_model: Path, data: Path) -> None:
        """Eyes 12 px apart in a picture of 128 px are 30 px apart at 320 px."""
        (row,) = [r for r in judged(spot_model, data)["by_eye_distance"] if r["pictures"]]
        assert row["eye_distance_px"] == [24.0, 48.0]

    def test_without_a_threshold_the_models_own_holds(self, spot_model: Path, data: Path) -> None:
        result = run(spot_model, data)
        assert result.exit_code == 0, result.stderr
        assert "threshold 0.6, the model's own; 12 positives, 12 negatives" in result.stdout

    def test_the_tables_fit_a_terminal_and_have_no_colour_when_piped(self, spot_model: Path, data: Path) -> None:
        result = run(spot_model, data, "--threshold", RIGHT)
        assert re.search(r"recall, in place +100\.0 %", result.stdout)
        assert re.search(r"24–48 +12 +100\.0 %", result.stdout)
        assert "\x1b" not in result.output
        assert "…" not in result.stdout
        assert max(map(len, result.stdout.splitlines())) <= 80


class TestCheckpoint:
    @pytest.fixture
    def checkpoint(self, tmp_path: Path) -> Path:
        """An untrained network, saved as a training run saves it."""
        torch.manual_seed(0)
        config = UNetConfig(width=2)
        weights = {f"network.{key}": value for key, value in UNet(config).state_dict().items()}
        path = tmp_path / "last.ckpt"
        torch.save({"state_dict": weights, "hyper_parameters": {"network": config}}, path)
        return path

    def test_its_threshold_is_chosen_on_the_held_out_pictures(self, checkpoint: Path, data: Path) -> None:
        result = run(checkpoint, data)
        assert result.exit_code == 0, result.stderr
        assert "chosen on the held-out pictures, because a checkpoint has none" in result.stdout

    def test_it_may_be_given_one(self, checkpoint: Path, data: Path) -> None:
        assert judged(checkpoint, data, "--threshold", "0")["confusion"]["location_free"]["tp"] == 12


class Page(HTMLParser):
    """What a page would load, and what it says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href", "srcset"}]

    def handle_data(self, data: str) -> None:
        self.text += data


class TestReport:
    def test_it_is_one_page_that_loads_nothing(self, spot_model: Path, data: Path, tmp_path: Path) -> None:
        assert run(spot_model, data, "--report", tmp_path / "r.html").exit_code == 0
        page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
        assert all(source.startswith(("data:", "#")) for source in page.sources)
        assert not {"script", "link", "iframe"} & set(page.tags)
        # Nobody reaches the model's own 0.6: twelve people are missed, and each has its picture.
        assert page.tags.count("img") == 12
        assert page.tags.count("svg") == 4
        assert "Not compared: no --yunet FILE was given." in page.text

    def test_pages_and_data_name_the_same_mistakes(self, spot_model: Path, data: Path, tmp_path: Path) -> None:
        assert run(spot_model, data, "--report", tmp_path / "r.html", "--threshold", "0.6").exit_code == 0
        summary = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
        page = Page((tmp_path / "r.html").read_text(encoding="utf-8"))
        with (data / "labels.csv").open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        people = {row["image"] for row in rows if row["split"] == "val" and row["label"] == "positive"}
        assert {row["image"] for row in summary["false_negatives"]} == people
        assert [row["probability"] for row in summary["false_negatives"]] == sorted(
            row["probability"] for row in summary["false_negatives"]
        )
        assert all(name in page.text for name in people)
        assert summary["model"]["threshold_from"] == "given"
        assert summary["model"]["sha256"] in page.text
        assert summary["data"]["tables_sha256"] in page.text
        assert len(summary["threshold_curve"]) == 101
        assert summary["figures"] == judged(spot_model, data, "--threshold", "0.6")

    def test_two_runs_write_the_same_bytes(self, spot_model: Path, data: Path, tmp_path: Path) -> None:
        pages = [tmp_path / "first.html", tmp_path / "second.html"]
        for page in pages:
            assert run(spot_model, data, "--report", page, "--threshold", "0.2").exit_code == 0
        assert pages[0].read_bytes() == pages[1].read_bytes()
        assert pages[0].with_suffix(".json").read_bytes() == pages[1].with_suffix(".json").read_bytes()

    def test_a_date_stands_in_it_only_if_it_is_given(self, spot_model: Path, data: Path, tmp_path: Path) -> None:
        page = tmp_path / "r.html"
        assert run(spot_model, data, "--report", page, "--written", "1 May <2026>").exit_code == 0
        assert "Written 1 May &lt;2026&gt;." in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        ("model", "other.onnx"),
        ("checkpoint", "other.ckpt: not a checkpoint"),
        ("no data", "not a readable table"),
        ("picture", "not a readable picture"),
        ("split", "no picture is in the split 'val'"),
        ("folder", "there is no folder"),
        ("name", "expected a name that ends in .html"),
        ("taken", "is a folder"),
        ("yunet", "other.onnx: OpenCV"),
    ],
)
def test_what_is_wrong_is_one_line(spot_model: Path, data: Path, tmp_path: Path, spoil: str, expected: str) -> None:
    model, flags = spot_model, []
    for name in ("other.onnx", "other.ckpt"):
        (tmp_path / name).write_bytes(b"neither a model nor a checkpoint")
    if spoil in ("model", "checkpoint"):
        model = tmp_path / ("other.onnx" if spoil == "model" else "other.ckpt")
    elif spoil == "no data":
        data = tmp_path / "nothing"
    elif spoil == "picture":
        next((data / "images").glob("*_095.jpg")).write_bytes(b"no picture")
    elif spoil == "split":
        table = (data / "labels.csv").read_text()
        (data / "labels.csv").write_text(table.replace(",val,", ",train,"))
    elif spoil == "yunet":
        flags = ["--yunet", tmp_path / "other.onnx"]
    else:
        (tmp_path / "taken.html").mkdir()
        flags = ["--report", tmp_path / {"folder": "no/r.html", "name": "r.pdf", "taken": "taken.html"}[spoil]]
    result = run(model, data, *flags)
    assert result.exit_code == 2
    assert expected in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    # PyTorch's own words about a file that is no checkpoint are several lines.
    assert spoil == "checkpoint" or len(result.stderr.splitlines()) == 1, result.stderr


def test_nothing_is_written_where_the_judging_failed(spot_model: Path, data: Path, tmp_path: Path) -> None:
    shutil.rmtree(data / "images")
    assert run(spot_model, data, "--report", tmp_path / "r.html").exit_code == 2
    assert not (tmp_path / "r.html").exists()
