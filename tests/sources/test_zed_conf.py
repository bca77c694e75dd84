"""A ZED's factory calibration means what Stereolabs' own tools write into it."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nasion.errors import InputError
from nasion.sources.zed_conf import MODES, read_zed_conf

CONF = """\
[LEFT_CAM_2K]
fx=1400.1
fy=1400.2
cx=1103.5
cy=620.5
k1=-0.17
k2=0.02
[LEFT_CAM_HD]
fx=700.1
fy=700.2
cx=640.5
cy=360.5
k1=-0.17
k2=0.025
p1=0.0003
p2=-0.0002
k3=0.001
[RIGHT_CAM_HD]
fx=701.1
fy=701.2
cx=641.5
cy=358.5
k1=-0.16
k2=0.024
[STEREO]
Baseline=119.98
TY=0.21
TZ=-0.35
CV_HD=0.0052
RX_HD=0.0021
RZ_HD=-0.0013
CV_2K=0.0052
"""


def written(tmp_path: Path, text: str = CONF) -> Path:
    path = tmp_path / "SN12345.conf"
    path.write_text(text)
    return path


def test_the_numbers_of_the_mode_become_two_lenses(tmp_path: Path) -> None:
    lenses = read_zed_conf(written(tmp_path), 1280, 720)
    assert (lenses.width, lenses.height) == (1280, 720)
    assert lenses.left.matrix.tolist() == [[700.1, 0, 640.5], [0, 700.2, 360.5], [0, 0, 1]]
    assert lenses.left.distortion.tolist() == [-0.17, 0.025, 0.0003, -0.0002, 0.001, 0, 0, 0]
    assert lenses.right.distortion.tolist() == [-0.16, 0.024, 0, 0, 0, 0, 0, 0]
    assert lenses.translation_m.tolist() == pytest.approx([-0.11998, 0.00021, -0.00035])
    turn, _ = cv2.Rodrigues(np.array([0.0021, 0.0052, -0.0013]))
    assert np.allclose(lenses.rotation, turn)
    assert lenses.rectification is None


def test_a_translation_of_the_mode_comes_before_the_common_one(tmp_path: Path) -> None:
    lenses = read_zed_conf(written(tmp_path, CONF + "TY_HD=0.5\nTZ_HD=0\n"), 1280, 720)
    assert lenses.translation_m.tolist() == pytest.approx([-0.11998, 0.0005, 0.0])


def test_names_in_any_case_spaces_and_comments_are_read(tmp_path: Path) -> None:
    text = "\ufeff; from the factory\n" + CONF.lower().replace("=", " = ").replace("fx = 700.1", "fx = 700.1 ; px")
    lenses = read_zed_conf(written(tmp_path, text), 1280, 720)
    assert lenses.left.matrix[0, 0] == 700.1


def test_one_distortion_for_all_modes_is_read(tmp_path: Path) -> None:
    disto = "k1=0.9\nk2=0.3\np1=1e-4\np2=2e-4\nk3=0.01\nk4=1.2\nk5=0.4\nk6=0.05\n"
    text = CONF.replace("k1=", "old1=").replace("k2=", "old2=") + f"[LEFT_DISTO]\n{disto}[RIGHT_DISTO]\n{disto}"
    lenses = read_zed_conf(written(tmp_path, text), 1280, 720)
    assert lenses.right.distortion.tolist() == [0.9, 0.3, 1e-4, 2e-4, 0.01, 1.2, 0.4, 0.05]


def test_a_fish_eye_is_refused(tmp_path: Path) -> None:
    disto = "k1=0.9\nk2=0.3\nk3=0.01\nk4=1.2\n"
    with pytest.raises(InputError, match="fish-eye"):
        read_zed_conf(written(tmp_path, CONF + f"[LEFT_DISTO]\n{disto}[RIGHT_DISTO]\n{disto}"), 1280, 720)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[LEFT_CAM_HD]", "[LEFT_CAM_XX]", "has no section [LEFT_CAM_HD]; it has LEFT_CAM_2K, LEFT_CAM_XX"),
        ("[STEREO]", "[OTHER]", "has no section [STEREO]"),
        ("Baseline=119.98", "", "[STEREO] has no Baseline"),
        ("Baseline=119.98", "Baseline=0", "[STEREO] Baseline = 0; expected millimetres"),
        ("Baseline=119.98", "Baseline=-119.98", "Baseline = -119.98; expected"),
        ("Baseline=119.98", "Baseline=119,98", "[STEREO] Baseline = '119,98' is not a number"),
        ("RX_HD=0.0021", "", "[STEREO] has no RX_HD"),
        ("fx=701.1", "fx=0", "the right camera: focal lengths are 0"),
        ("cx=641.5", "cx=1500", "the right camera: cx, cy = (1500, 358.5) lies outside the 1280x720 picture"),
        ("fy=700.2", "", "[LEFT_CAM_HD] has no fy"),
        ("k1=-0.16", "", "[RIGHT_CAM_HD] has no k1"),
        ("k1=-0.16", "k1=nan", "is not a number"),
    ],
)
def test_what_is_missing_or_impossible_is_told(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = written(tmp_path, CONF.replace(old, new))
    with pytest.raises(InputError) as caught:
        read_zed_conf(path, 1280, 720)
    assert str(path) in str(caught.value)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mode_that_no_zed_has_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no ZED has pictures of 640x480 for one eye; it has 3840x2160"):
        read_zed_conf(written(tmp_path), 640, 480)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is missing"):
        read_zed_conf(tmp_path / "SN1.conf", 1280, 720)
    with pytest.raises(InputError, match="cannot be read"):
        read_zed_conf(tmp_path, 1280, 720)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=80), size=st.sampled_from(sorted(MODES)))
def test_any_other_file_is_refused_without_a_traceback(tmp_path: Path, content: bytes, size: "tuple[int, int]") -> None:
    path = tmp_path / "SN1.conf"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_zed_conf(path, *size)
