"""The positions' figures of the README, in miniature: the commands run, and count what is there."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from nasion.sources.demo.scene import DemoScene

ROOT = Path(__file__).parents[2]


def measure(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(ROOT / "scripts" / "measure.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pairs of the made scene with their truth: at two metres, nearer, and with a wrong truth."""
    folder, scene = tmp_path_factory.mktemp("pairs"), DemoScene(720)
    lens, rows = scene.calibration.left, []
    for number, (index, shift) in enumerate([(0, 0.0), (60, 0.0), (0, 300.0)]):
        truth = scene.truth(index)
        assert truth is not None
        for eye, picture in zip(("left", "right"), scene.render(index)):
            cv2.imwrite(str(folder / f"{number:03d}_{eye}.jpg"), picture)
        rows.append([f"{number:03d}", truth.u + shift, truth.v, truth.xyz[2]])
    names = ("width", "height", "fx", "fy", "cx", "cy")
    calibration = {name: getattr(lens, name) for name in names}
    calibration.update(baseline_m=scene.calibration.baseline_m, rectified=True)
    (folder / "calibration.json").write_text(json.dumps(calibration))
    with (folder / "truth.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([["pair", "u_left", "v", "Z_m"], *rows])
    return folder


def test_pairs_are_held_against_their_truth(pairs: Path) -> None:
    result = measure("pairs", str(pairs), "--json")
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    assert (figures["pairs"], figures["located"], figures["asked"]) == (3, 3, 3)
    assert figures["found"] == pytest.approx(2 / 3)
    assert figures["wrong_place_of_all_pairs"] == pytest.approx(1 / 3)
    assert figures["depth_error_median"] < 0.02


def test_the_demo_is_held_against_its_own_truth() -> None:
    result = measure("demo", "--size", "720", "--frames", "4", "--json")
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    near = figures["by_distance"]["1-2.5 m"]
    assert near["frames"] == figures["frames"] == 4
    assert near["valid"] == 1
    assert near["depth_error_p95"] < 0.02


@pytest.fixture
def boards(tmp_path: Path) -> Path:
    """A chessboard of 5 x 4 inner corners, 0.75 and 1.5 m away, before a wall that does not repeat itself."""
    width, height, fx, square = 640, 240, 500.0, 24
    random = np.random.default_rng(0)
    wall = cv2.GaussianBlur(random.uniform(0, 255, (height, width + 300)).astype(np.float32), (0, 0), 2)
    wall = (128 + 5 * (wall - wall.mean())).clip(0, 255).astype(np.uint8)
    rows, columns = np.indices((5 * square, 6 * square)) // square
    board = np.pad(np.where((rows + columns) % 2, 235, 20).astype(np.uint8), square, constant_values=235)
    for number, disparity in enumerate((80, 40)):
        for eye, shift in (("left", 0), ("right", 1)):
            picture = wall[:, 10 * shift :][:, :width].copy()
            left, top = 260 - disparity * shift, 30
            picture[top : top + board.shape[0], left : left + board.shape[1]] = board
            cv2.imwrite(str(tmp_path / f"{number:03d}_{eye}.png"), cv2.GaussianBlur(picture, (0, 0), 0.7))
    calibration = {"width": width, "height": height, "fx": fx, "fy": fx, "cx": 319.5, "cy": 119.5}
    (tmp_path / "calibration.json").write_text(json.dumps({**calibration, "baseline_m": 0.12, "rectified": True}))
    return tmp_path


def test_each_corner_of_a_chessboard_is_held_against_its_truth(boards: Path) -> None:
    result = measure("chessboard", str(boards), "--columns", "5", "--rows", "4", "--json")
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)
    assert (figures["pairs"], figures["boards"], figures["corners"]) == (2, 2, 40)
    assert figures["answered_or_ambiguous"] >= 0.8
    assert figures["wrong"] == 0
    shares = [value for name, value in figures.items() if name == "answered" or name.startswith("refused_")]
    assert sum(shares) == pytest.approx(1)


def test_a_folder_without_chessboards_is_one_line(pairs: Path) -> None:
    result = measure("chessboard", str(pairs))
    assert result.returncode == 2
    assert "--columns" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_without_truth_is_one_line(tmp_path: Path) -> None:
    result = measure("pairs", str(tmp_path))
    assert result.returncode == 2
    assert "truth.csv" in result.stderr
    assert "Traceback" not in result.stderr
