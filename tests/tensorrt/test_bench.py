"""`scripts/bench_trt`: the figures of an engine, and whether it says what the model says."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import cv2
import numpy as np
import pytest
from nasion.config.nvinfer import read_nvinfer
from nasion.errors import DependencyError, InputError, NasionError
from nasion.tensorrt.bench import as_input, bench
from nasion.tensorrt.build import build

from tests.tensorrt.tensorrt_double import install


@pytest.fixture
def built(
    tmp_path: Path, trtexec: Callable[[str], str], config_for: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> Callable[..., Path]:
    """The engine of a model, built on a stand-in."""

    def make(model: Path, version: str = "8.5.2", **options: Any) -> Path:
        where: dict[str, Any] = {"engines": tmp_path / "all engines", "gpu": "xavier-sm72-8sm"}
        mode = options.pop("mode", 2)
        build(config=config_for(model, mode), trtexec=trtexec(version), as_json=True, **where, **options)
        return Path(json.loads(capsys.readouterr().out)["engine"])

    return make


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Four 720p pictures, three with a red disc, which is what the spot model sees."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(4):
        picture = np.full((720, 1280, 3), 40, np.uint8)
        if number:
            cv2.circle(picture, (500 + 40 * number, 300 + 25 * number), 30, (0, 0, 255), -1)
            picture = cv2.GaussianBlur(picture, (0, 0), 9).astype(np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    return folder


@pytest.mark.parametrize("version", ["8.5.2", "8.6.1", "10.3.0"])
def test_figures_of_every_generation(
    version: str,
    built: Callable[..., Path],
    spot_model: Path,
    trtexec: Callable[[str], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    bench(built(spot_model, version, batch=2), trtexec=trtexec(version), as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["precision"], told["batch"], told["tensorrt"]) == ("fp16", 2, version)
    assert told["frames_per_s"] == 2 * told["queries_per_s"] == 1225
    assert told["times_ms"]["latency"]["p99"] == 2.5
    assert sum(layer["share"] for layer in told["layers"]) == pytest.approx(1)
    assert {layer["name"] for layer in told["layers"]} == {"Conv + PWN", "AveragePool + PWN", "Clip + PWN"}


@pytest.mark.parametrize("kind", ["float", "fixed", "int8"])
def test_heat_maps_are_compared_on_the_very_same_numbers(
    kind: str,
    built: Callable[..., Path],
    pictures: Path,
    spot_model: Path,
    fixed_model: Path,
    int8_model: Callable[..., Path],
    trtexec: Callable[[str], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = {"float": spot_model, "fixed": fixed_model}.get(kind) or int8_model("signed")
    engine = built(model, mode=1 if kind == "int8" else 2)
    bench(engine, pictures=pictures, trtexec=trtexec("8.5.2"), as_json=True)
    compared = json.loads(capsys.readouterr().out)["comparison"]
    assert (compared["pictures"], compared["peaks"], compared["disagreements"]) == (4, 3, 0)
    assert 0 < compared["max_abs"] < 1e-3
    assert compared["shift_px_max"] < 0.05


@pytest.mark.parametrize(("fault", "said"), [("shifted", r"a peak lies 4\.\d\d px off"), ("nan", "NaN")])
def test_an_engine_that_says_something_else_fails(
    fault: str,
    said: str,
    built: Callable[..., Path],
    pictures: Path,
    spot_model: Path,
    trtexec: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = built(spot_model)
    monkeypatch.setenv("NASION_TEST_TRTEXEC", fault)
    with pytest.raises(NasionError, match=said):
        bench(engine, pictures=pictures, trtexec=trtexec("8.5.2"), as_json=True)


def test_an_engine_of_another_tensorrt_is_told_and_the_log_is_kept(
    built: Callable[..., Path], spot_model: Path, trtexec: Callable[[str], str]
) -> None:
    engine = built(spot_model, "8.5.2")
    log = engine.with_suffix(".bench.log")
    with pytest.raises(NasionError, match="not compatible with this version of TensorRT") as caught:
        bench(engine, trtexec=trtexec("10.3.0"))
    assert str(log) in str(caught.value)
    assert "FAILED" in log.read_text()


def test_the_nvinfer_file_names_the_engine_too(
    built: Callable[..., Path], spot_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = built(spot_model)
    bench(engine.with_suffix(".txt"), iterations=50, dry_run=True)
    words = shlex.split(capsys.readouterr().out)
    assert {f"--loadEngine={engine}", "--iterations=50", "--shapes=input:1x3x224x224"} <= set(words)


def test_what_tensorrts_own_package_says(
    built: Callable[..., Path],
    spot_model: Path,
    trtexec: Callable[[str], str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = built(spot_model)
    install(monkeypatch, engine.read_bytes())
    bench(engine, inspect=True, trtexec=trtexec("8.5.2"), as_json=True)
    assert json.loads(capsys.readouterr().out)["inspected"]["layers"] == ["Conv_0 + PWN(Relu_1)", "heat_map"]


def test_without_that_package_the_figures_are_not_begun(
    built: Callable[..., Path], spot_model: Path, trtexec: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = built(spot_model)
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(DependencyError):
        bench(engine, inspect=True, trtexec=trtexec("8.5.2"))


@pytest.mark.parametrize("what", ["engine", "pictures", "no pictures", "damaged"])
def test_what_is_missing_gets_one_line(
    what: str, built: Callable[..., Path], spot_model: Path, trtexec: Callable[[str], str], tmp_path: Path
) -> None:
    engine = built(spot_model)
    folder = tmp_path / "some"
    said = {"engine": "is missing", "pictures": "No such file", "no pictures": "no .jpg", "damaged": "picture"}[what]
    if what == "engine":
        engine.unlink()
    if what in ("no pictures", "damaged"):
        folder.mkdir()
    if what == "damaged":
        (folder / "a.jpg").write_bytes(b"\xff\xd8 cut off")
    with pytest.raises(InputError, match=said):
        bench(engine, pictures=None if what == "engine" else folder, trtexec=trtexec("8.5.2"))


def test_a_picture_goes_in_as_the_view_sees_it(
    config_for: Callable[..., Path], spot_model: Path, tmp_path: Path
) -> None:
    picture = np.zeros((720, 1280, 3), np.uint8)
    picture[24:696, 304:976] = (10, 20, 30)
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), picture)

    tensor = as_input(path, read_nvinfer(config_for(spot_model)))

    assert tensor.shape == (1, 3, 224, 224)
    assert [(channel.min(), channel.max()) for channel in tensor[0]] == [(30, 30), (20, 20), (10, 10)]


def test_piped_tables_have_no_colour(
    built: Callable[..., Path], spot_model: Path, trtexec: Callable[[str], str]
) -> None:
    words = [sys.executable, "-m", "nasion.tensorrt.bench", str(built(spot_model)), "--trtexec", trtexec("8.5.2")]
    told = subprocess.run(words, capture_output=True, text=True, check=True)
    assert "\x1b" not in told.stdout
    assert "612.5 queries/s" in told.stdout
    assert "Conv + PWN" in told.stdout
    assert "p99" in told.stdout
