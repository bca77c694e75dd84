"""A calibration that no stereo camera can have is refused when its file is read."""

from __future__ import annotations

import copy
import json
import math
import os
from pathlib import Path
from typing import Any, Callable, Dict

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.errors import InputError
from nasion.sources.calibration_files import check_lenses, read_calibration_json
from nasion.sources.lenses import Lens, StereoLenses
from nasion.sources.rectify import Rectifier
from nasion.sources.stereo_checks import MOST_TURNED_DEGREES
from nasion.sources.zed_conf import read_zed_conf

Change = Callable[[Dict[str, Any]], object]

GOOD = {
    "image_width": 1280,
    "image_height": 720,
    "left": {"K": [[700, 0, 640], [0, 700, 360], [0, 0, 1]], "dist_k1k2p1p2k3": [-0.17, 0.025, 0, 0, 0]},
    "right": {"K": [[701, 0, 642], [0, 701, 358], [0, 0, 1]], "dist_k1k2p1p2k3": [-0.17, 0.025, 0, 0, 0]},
    "R_left_to_right": np.eye(3).tolist(),
    "T_left_to_right": [-0.12, 0.0002, 0.0001],
}


def turned(*degrees: float) -> list[list[float]]:
    matrix: list[list[float]] = cv2.Rodrigues(np.radians(degrees))[0].tolist()
    return matrix


def distorted(*numbers: float) -> Change:
    return lambda file: file["left"].update(dist_k1k2p1p2k3=list(numbers))


def camera(*rows: list[float]) -> Change:
    return lambda file: file["left"].update(K=[*rows, [0, 0, 1]])


def rectify(projection: list[list[float]]) -> Change:
    eye = np.eye(3).tolist()
    return lambda file: file.update(rectify={"R1": eye, "R2": eye, "P1": projection})


ABSURD: dict[str, tuple[Change, str]] = {
    "turned": (lambda file: file.update(R_left_to_right=turned(3, 15, -2)), "turned by 15"),
    "turned half round": (lambda file: file.update(R_left_to_right=turned(0, 0, 180)), "turned by 180"),
    "turned a quarter": (lambda file: file.update(R_left_to_right=turned(0, 90, 0)), "turned by 90"),
    "turned just too far": (
        lambda file: file.update(R_left_to_right=turned(0, MOST_TURNED_DEGREES + 0.1, 0)),
        "turned",
    ),
    "not beside": (lambda file: file.update(T_left_to_right=[-2.5, 4.3, 0]), "expected it beside it"),
    "one above the other": (lambda file: file.update(T_left_to_right=[-0.09, 0.06, 0]), "expected it beside it"),
    "swapped": (lambda file: file.update(T_left_to_right=[0.12, 0, 0]), "swapped"),
    "baseline in millimetres": (lambda file: file.update(T_left_to_right=[-120.0, 0, 0]), "metres"),
    "distortion of 1e300": (distorted(*[1e300] * 5), "rectified"),
    "distortion of 1e30": (distorted(1e30, -1e30, 0, 0, 1e30), ""),
    "distortion that folds over": (distorted(-50, 0, 0, 0, 0), "rectified"),
    "skew": (camera([700, 1e300, 640], [0, 700, 360]), "skew"),
    "skew below": (camera([700, 0, 640], [1e300, 700, 360]), "skew"),
    "oblong pixels": (camera([700, 0, 640], [0, 1400, 360]), "nearly the same"),
    "a lens without a centre": (camera([700, 0, -640], [0, 700, 360]), "outside"),
    "skew of the projection": (rectify([[700, 1e300, 640, 0], [0, 700, 360, 0], [0, 0, 1, 0]]), "skew"),
    "a projection that shows nothing": (rectify([[90000, 0, 640, 0], [0, 90000, 360, 0], [0, 0, 1, 0]]), "scaled"),
}


def read(folder: Path, text: str) -> Any:
    path = folder / "calibration.json"
    path.write_text(text, encoding="utf-8")
    return read_calibration_json(path)


@pytest.mark.parametrize("name", ABSURD)
def test_what_no_stereo_camera_has_is_refused(tmp_path: Path, name: str) -> None:
    change, said = ABSURD[name]
    file = copy.deepcopy(GOOD)
    change(file)
    with pytest.raises(InputError, match=f"calibration.json: .*{said}"):
        read(tmp_path, json.dumps(file))


def test_a_good_file_is_taken_with_or_without_a_mark_of_its_coding(tmp_path: Path) -> None:
    for mark in ("", "\ufeff"):
        assert isinstance(read(tmp_path, mark + json.dumps(GOOD)), StereoLenses)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"width":1280,"height":720,"fx":700,"fy":700,"cx":640,"cy":360,"baseline_m":0.12,"baseline_m":4.9}', "twice"),
        (json.dumps(GOOD).replace('"K":', '"K": [], "K":', 1), "twice"),
        (json.dumps(GOOD).replace("-0.12", "NaN"), "finite"),
        (json.dumps(GOOD).replace("-0.12", "-1e999"), "finite"),
        ('{"width":' + "9" * 5000 + "}", ""),
        ("[" * 100_000, "not JSON"),
        ('{"a":"' + "x" * (1 << 20) + '"}', "larger than 1 MiB"),
    ],
)
def test_a_file_that_is_spoilt_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(tmp_path, text)


@pytest.mark.parametrize("reader", [read_calibration_json, lambda path: read_zed_conf(path, 1280, 720)])
def test_a_named_pipe_is_refused_instead_of_waiting_for_ever(tmp_path: Path, reader: Callable[[Path], object]) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="no plain file"):
        reader(tmp_path / "pipe")


CONF = """[LEFT_CAM_HD]
fx=700.1
fy=700.2
cx=640.5
cy=360.5
{lens}
[RIGHT_CAM_HD]
fx=701.1
fy=701.2
cx=641.5
cy=358.5
{lens}
[STEREO]
Baseline=119.98
CV_HD={cv}
RX_HD=0.0021
RZ_HD=-0.0013
"""


@pytest.mark.parametrize(
    ("lens", "cv", "said"),
    [
        ("k1=-0.17\nk2=0.02", -0.2655, "turned by 15"),
        ("k1=-0.17\nk2=0.02", 0.3, "turned by 17"),
        ("k1=0.07\nk2=0.0061\nk3=-0.0018\nk4=-0.00037", 0.005, "fish-eye"),
        ("k1=0.07\nk2=0.0061\nk3=-0.0018\nk4=-0.00037\nk5=0\nk6=0\np1=0\np2=0", 0.005, "fish-eye"),
        ("k1=0.07\nk2=0.0061\nk3=-0.0018\nk4=-0.00037\np1=0\np2=0", 0.005, "fish-eye"),
        ("k1=-0.17\nk2=0.02\nk1=0.9", 0.005, "k1"),
    ],
)
def test_a_factory_file_is_judged_alike(tmp_path: Path, lens: str, cv: float, said: str) -> None:
    path = tmp_path / "SN1.conf"
    path.write_text(CONF.format(lens=lens, cv=cv))
    with pytest.raises(InputError, match=said):
        read_zed_conf(path, 1280, 720)


@pytest.mark.parametrize(
    "lens", ["k1=-0.17\nk2=0.02", "k1=0.5\nk2=-0.1\np1=0.0001\np2=0.0002\nk3=0.003\nk4=0.83\nk5=-0.08\nk6=0.01"]
)
def test_lenses_of_both_generations_are_taken(tmp_path: Path, lens: str) -> None:
    path = tmp_path / "SN1.conf"
    path.write_text(CONF.format(lens=lens, cv=0.0052))
    assert read_zed_conf(path, 1280, 720).width == 1280


@given(
    turn=st.lists(st.floats(-2.5, 2.5), min_size=3, max_size=3),
    k1=st.floats(-0.3, 0.2),
    k2=st.floats(0.03, 0.1),
    focal=st.floats(0.6, 2.0),
    beside=st.floats(-0.2, 0.2),
)
def test_cameras_as_they_are_built_are_taken_and_can_be_rectified(
    turn: list[float], k1: float, k2: float, focal: float, beside: float
) -> None:
    """Turned by up to 4 degrees, from wide to long lenses, mounted a little askew."""
    matrix = np.array([[focal * 640, 0, 322.0], [0, focal * 642, 181.0], [0, 0, 1]])
    lens = Lens(matrix, np.array([k1, k2, 0.0003, -0.0002, 0]))
    rotation = np.array(turned(*turn))
    assert math.degrees(float(np.linalg.norm(cv2.Rodrigues(rotation)[0]))) < MOST_TURNED_DEGREES
    pair = StereoLenses(640, 360, lens, lens, rotation, np.array([-0.1, 0.1 * beside, 0.05 * beside]))
    check_lenses(pair)
    assert Rectifier(pair).calibration.left.fx > 0
