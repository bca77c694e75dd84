"""Whatever a calibration file says: lenses that give finite positions, or one line that says what is wrong."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from nasion.core.calibration import Calibration
from nasion.core.position import bearing, position
from nasion.core.results import Keypoint
from nasion.sources.calibration_files import read_calibration_json
from nasion.sources.lenses import StereoLenses
from nasion.sources.rectify import Rectifier
from nasion.sources.zed_conf import read_zed_conf

from tests.fuzz.broken import as_json, damaged, outcome, spoilt
from tests.fuzz.profile import tries

RECTIFIED = {"width": 64, "height": 48, "fx": 51.0, "fy": 51.0, "cx": 32.0, "cy": 24.0, "baseline_m": 0.12}
EYE = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
LENS = {"K": [[51.0, 0.0, 32.0], [0.0, 51.0, 24.0], [0.0, 0.0, 1.0]], "dist_k1k2p1p2k3": [-0.1, 0.01, 0.0, 0.0, 0.0]}
UNRECTIFIED: dict[str, Any] = {
    "image_width": 64,
    "image_height": 48,
    "left": LENS,
    "right": LENS,
    "R_left_to_right": EYE,
    "T_left_to_right": [-0.12, 0.0, 0.0],
    "baseline_m": 0.12,
}
CAMERA = "fx=350\nfy=350\ncx=336\ncy=188\nk1=-0.17\nk2=0.02\np1=0\np2=0\nk3=0\n"
CONF = (
    f"[LEFT_CAM_VGA]\n{CAMERA}\n[RIGHT_CAM_VGA]\n{CAMERA}\n"
    "[STEREO]\nBaseline=120\nTY=0.1\nTZ=0.2\nCV_VGA=0.001\nRX_VGA=0.002\nRZ_VGA=0.001\n"
)


def check_lenses(found: Any) -> None:
    """What was accepted can be worked with."""
    if found is None:
        return
    if isinstance(found, StereoLenses):
        Rectifier(found)
        return
    assert isinstance(found, Calibration)
    left = found.left
    for u, v in ((0.0, 0.0), (left.width - 1.0, left.height - 1.0)):
        assert all(map(math.isfinite, bearing(left, u, v)))
        place = position(found, Keypoint(u, v, 0.9, 1.0, 1.0), 2.0, 0.01, 0.25)
        assert all(map(math.isfinite, (*place.xyz, *place.covariance, place.range_m)))


def check_json(content: bytes, folder: Path) -> None:
    path = folder / "calibration.json"
    path.write_bytes(content)
    check_lenses(outcome(read_calibration_json, path))


@tries(250, 8_000)
@given(tree=damaged(RECTIFIED))
@example(tree={**RECTIFIED, "fx": 5e-324})
@example(tree={**RECTIFIED, "fx": 1e308})
@example(tree={**RECTIFIED, "baseline_m": 5e-324})
def test_a_calibration_of_rectified_pictures(tree: Any, tmp_path: Path) -> None:
    check_json(as_json(tree).encode(), tmp_path)


@tries(250, 8_000)
@given(tree=damaged(UNRECTIFIED))
def test_a_calibration_of_lenses(tree: Any, tmp_path: Path) -> None:
    check_json(as_json(tree).encode(), tmp_path)


@tries(150, 5_000)
@given(content=spoilt(as_json(RECTIFIED)) | spoilt(as_json(UNRECTIFIED)) | st.binary(max_size=40))
@example(content=b"[" * 100_000)
@example(content=b'{"width": ' + b"9" * 10_000 + b"}")
def test_a_file_that_is_no_calibration(content: bytes, tmp_path: Path) -> None:
    check_json(content, tmp_path)


@tries(250, 8_000)
@given(content=spoilt(CONF) | st.binary(max_size=40))
@example(content=CONF.replace("120", "1e308").encode())
@example(content=CONF.replace("fx=350", "fx=5e-324").encode())
def test_a_zeds_own_calibration(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "SN1.conf"
    path.write_bytes(content)
    check_lenses(outcome(read_zed_conf, path, 672, 376))


def test_what_is_damaged_above_is_right_by_itself(tmp_path: Path) -> None:
    for content in (as_json(RECTIFIED), as_json(UNRECTIFIED)):
        path = tmp_path / "calibration.json"
        path.write_text(content)
        check_lenses(read_calibration_json(path))
    conf = tmp_path / "SN1.conf"
    conf.write_text(CONF)
    check_lenses(read_zed_conf(conf, 672, 376))
