"""The positions' figures of the README, in miniature: the commands run, and count what is there."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import cv2
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


def test_a_folder_without_truth_is_one_line(tmp_path: Path) -> None:
    result = measure("pairs", str(tmp_path))
    assert result.returncode == 2
    assert "truth.csv" in result.stderr
    assert "Traceback" not in result.stderr
