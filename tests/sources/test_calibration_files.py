"""A calibration is complete and possible, or refused with file, key and what is wrong."""

import json
from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nasion.core.calibration import Calibration, Intrinsics
from nasion.errors import InputError
from nasion.sources.calibration_files import read_calibration_json, require_size
from nasion.sources.lenses import StereoLenses

RECTIFIED: Dict[str, Any] = {
    "width": 672,
    "height": 376,
    "fx": 350.0,
    "fy": 351.0,
    "cx": 335.5,
    "cy": 187.5,
    "baseline_m": 0.12,
    "rectified": True,
    "disparity_png_scale": 256,
}


def written(tmp_path: Path, content: object) -> Path:
    path = tmp_path / "calibration.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def changed(layout: Dict[str, Any], key: str, value: object) -> Dict[str, Any]:
    """``layout`` with ``key`` ("left.K") set, or without it where ``value`` is ..."""
    copy: Dict[str, Any] = json.loads(json.dumps(layout))
    *parents, last = key.split(".")
    inner = copy
    for parent in parents:
        inner = inner[parent]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return copy


def test_the_rectified_layout_is_read(tmp_path: Path) -> None:
    found = read_calibration_json(written(tmp_path, RECTIFIED))
    assert found == Calibration(Intrinsics(672, 376, 350.0, 351.0, 335.5, 187.5), 0.12)


def test_the_unrectified_layout_is_read(tmp_path: Path, lenses: Dict[str, Any]) -> None:
    found = read_calibration_json(written(tmp_path, lenses))
    assert isinstance(found, StereoLenses)
    assert (found.width, found.height) == (320, 180)
    assert found.left.matrix[0, 2] == 158.5
    assert found.right.distortion.tolist() == [-0.10, 0.03, -0.0003, 0.0005, 0.0]
    assert found.translation_m.tolist() == [-0.12, 0.0006, -0.0009]
    assert found.rectification is None


def test_a_rectification_that_is_given_is_kept(tmp_path: Path, lenses: Dict[str, Any]) -> None:
    lenses["rectify"] = {
        "R1": np.eye(3).tolist(),
        "R2": np.eye(3).tolist(),
        "P1": [[200, 0, 160, 0], [0, 200, 90, 0], [0, 0, 1, 0]],
        "P2": "not looked at",
    }
    found = read_calibration_json(written(tmp_path, lenses))
    assert isinstance(found, StereoLenses)
    assert found.rectification is not None
    assert found.rectification[2][0].tolist() == [200, 0, 160, 0]


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        *[(key, ..., f"{key} is missing") for key in ("width", "height", "fx", "fy", "cx", "cy", "baseline_m")],
        ("fx", 0, "fx: Input should be greater than 0, found 0"),
        ("fy", -350, "fy: Input should be greater than 0"),
        ("fx", "wide", "fx: Input should be a valid number"),
        ("fx", None, "fx: Input should be a valid number"),
        ("baseline_m", 0, "baseline_m: Input should be greater than 0"),
        ("baseline_m", 120, "baseline_m: Input should be less than or equal to 5, found 120"),
        ("width", 0, "width: Input should be greater than or equal to 16"),
        ("width", 671.5, "width: Input should be a valid integer"),
        ("cx", 900, "cx, cy = (900, 187.5) lies outside the 672x376 picture"),
        ("cy", -1, "lies outside"),
        ("rectified", False, "rectified is false, but lens parameters are missing"),
    ],
)
def test_a_rectified_layout_that_cannot_be_is_refused(tmp_path: Path, key: str, value: object, says: str) -> None:
    path = written(tmp_path, changed(RECTIFIED, key, value))
    with pytest.raises(InputError) as caught:
        read_calibration_json(path)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("left", ..., "left is missing"),
        ("right", ..., "right is missing"),
        ("left.K", ..., "left.K is missing"),
        ("right.dist_k1k2p1p2k3", ..., "right.dist_k1k2p1p2k3 is missing"),
        ("right.dist_k1k2p1p2k3", [0.1, 0.2], "at least 5 items"),
        ("left.K", [[1, 2], [3, 4]], "left.K"),
        ("left.K", [[0, 0, 160], [0, 200, 90], [0, 0, 1]], "left.K: focal lengths are 0 and 200 pixels"),
        ("left.K", [[200, 0, 160], [0, 200, 90], [0, 0, 2]], "left.K: the last row"),
        ("right.K", [[200, 0, 700], [0, 200, 90], [0, 0, 1]], "right.K: cx, cy = (700, 90) lies outside"),
        ("R_left_to_right", [[1, 0, 0], [0, 1, 0], [0, 0, 2]], "R_left_to_right is no rotation"),
        ("R_left_to_right", [[1, 0, 0], [0, 1, 0], [0, 0, -1]], "R_left_to_right is no rotation"),
        ("T_left_to_right", [0, 0, 0], "0 m apart"),
        ("T_left_to_right", [-120, 0, 0], "120 m apart"),
        ("T_left_to_right", [0.12, 0, 0], "are left and right swapped?"),
        ("T_left_to_right", [0, -0.12, 0], "points 0 m along x"),
        ("T_left_to_right", [-0.12, 0], "T_left_to_right"),
        ("baseline_m", 0.2, "baseline_m is 0.2, but T_left_to_right is 0.1200 m long"),
        ("image_width", ..., "image_width is missing"),
        ("rectify", {"R1": 1}, "rectify.R1"),
        (
            "rectify",
            {"R1": np.zeros((3, 3)).tolist(), "R2": np.eye(3).tolist(), "P1": np.eye(3, 4).tolist()},
            "rectify.R1 is no rotation",
        ),
        (
            "rectify",
            {"R1": np.eye(3).tolist(), "R2": np.eye(3).tolist(), "P1": np.eye(3, 4).tolist()},
            "rectify.P1: cx, cy = (0, 0)",
        ),
    ],
)
def test_an_unrectified_layout_that_cannot_be_is_refused(
    tmp_path: Path, lenses: Dict[str, Any], key: str, value: object, says: str
) -> None:
    path = written(tmp_path, changed(lenses, key, value))
    with pytest.raises(InputError) as caught:
        read_calibration_json(path)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "is not JSON"),
        ("[1]", "expected a JSON object, found a list"),
        ("", "is not JSON"),
        ("NaN", "found a float"),
    ],
)
def test_a_file_that_is_no_object_is_refused(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_calibration_json(written(tmp_path, content))


def test_a_number_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"fx: .* of rectified pictures it needs width, height, fx, fy, cx, cy, baseline_m"
    ):
        read_calibration_json(written(tmp_path, json.dumps(RECTIFIED).replace("350.0", "NaN")))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is missing; it says where the lenses look"):
        read_calibration_json(tmp_path / "calibration.json")
    with pytest.raises(InputError, match="cannot be read"):
        read_calibration_json(tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["K", "R1", "P1", "x"]), inner),
    max_leaves=6,
)
KEYS = sorted({*RECTIFIED, "left", "right", "R_left_to_right", "T_left_to_right", "rectify", "image_width"})


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS), JSON))
def test_whatever_stands_in_it_there_is_an_input_error_and_never_a_traceback(
    tmp_path: Path, content: Dict[str, Any]
) -> None:
    with pytest.raises(InputError):
        read_calibration_json(written(tmp_path, content))


def test_a_calibration_of_another_size_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, RECTIFIED)
    calibration = read_calibration_json(path)
    require_size(path, calibration, 672, 376, "000_left.png")
    with pytest.raises(InputError, match=r"is for pictures of 672x376, but 000_left\.png is 1280x720"):
        require_size(path, calibration, 1280, 720, "000_left.png")
