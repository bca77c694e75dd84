"""The pictures: one of each part that has one, and one line where they cannot be made."""

import sys
from pathlib import Path
from typing import Any, Dict

import cv2
import pytest
from nasion.bench.plots import check_plots, save_plots
from nasion.errors import DependencyError, InputError

SPREAD = {"median": 2.0, "p95": 3.0, "p99": 4.0, "min": 1.0, "max": 3.0}
CONTEST = {
    "turns": {"a": [{"frames": 10, "wall_s": 0.1, "cpu_s": 0.1}], "b": [{"frames": 10, "wall_s": 0.2, "cpu_s": 0.3}]},
    "figures": {"a": {"ms": 10.0, "cpu_ms": 10.0}, "b": {"ms": 20.0, "cpu_ms": 30.0}},
}
PARTS: Dict[str, Any] = {
    "stages": {"rows": [{"view": "full", "height": 720, "scene": "person", "stages_ms": {"network": SPREAD}}]},
    "bare": {"by_view": {"full": CONTEST, "centre": CONTEST}},
    "models": {"by_view": {"full": CONTEST}},
    "peers": {"by_view": {"full": CONTEST}},
    "paced": {
        "rows": [
            {
                "view": "full",
                "rate": 30,
                "depth": "stereo pair",
                "frames": 1200,
                "drops": {"queue": 94},
                "network_ms": SPREAD,
                "raw_ms": [{"published": 5.0}, {"published": 6.0}, {"published": 9.0}],
            }
        ]
    },
    "cameras": {
        "view": "full",
        "by_mode": {"every frame": {"figures": {"1": {"cost": SPREAD}, "2": {"cost": SPREAD}}}},
    },
    "sizes": {"view": "full", **CONTEST},
    "memory": {"view": "full", "raw": {"frames": [1, 2, 3], "mib": [100.0, 101.0, 101.0]}},
    "startup": {"view": "full", "seconds": SPREAD, "raw_s": [2.0]},
}
#: What was measured is drawn in this colour, BGR.
BLUE = (178, 114, 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pytest.importorskip("matplotlib")
    check_plots(tmp_path / "plots" / "deep")
    return tmp_path / "plots" / "deep"


def test_every_part_but_the_single_number_gets_a_picture(folder: Path) -> None:
    written = save_plots(PARTS, folder)
    assert {path.stem for path in written} == set(PARTS) - {"startup"}
    assert sorted(written) == sorted(folder.iterdir())


@pytest.mark.parametrize("part", sorted(set(PARTS) - {"startup"}))
def test_pictures_show_what_was_measured_and_are_small_enough_for_a_readme(folder: Path, part: str) -> None:
    (path,) = save_plots({part: PARTS[part]}, folder)
    picture = cv2.imread(str(path))
    assert picture is not None
    assert (picture == BLUE).all(axis=2).sum() > 50
    assert (picture[:25, -5:] == 255).all(), "the title is longer than the picture is wide"
    assert path.stat().st_size < 300_000


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be made"):
        check_plots(tmp_path / "file" / "plots")


def test_without_matplotlib_the_extra_to_install_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(DependencyError, match="scripts/setup bench"):
        check_plots(tmp_path)
