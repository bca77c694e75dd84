"""Side-by-side videos: halves, rectification, calibration of either kind, and what is wrong told at opening."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import numpy as np
import pytest
from nasion.errors import InputError
from nasion.settings import DepthSettings
from nasion.sources.calibration_files import read_calibration_json
from nasion.sources.frame import Clock, CorruptFrame, End, Frame, Grab
from nasion.sources.lenses import StereoLenses
from nasion.sources.sbs import SideBySideSource
from nasion.sources.zed_conf import read_zed_conf
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Maker = Callable[..., Path]
Pair = Callable[..., List[Picture]]
WALL_M = 200.0 * 0.12 / 14
CONF = """\
[LEFT_CAM_VGA]
fx=350.1
fy=350.3
cx=338.2
cy=190.4
k1=-0.16
k2=0.02
[RIGHT_CAM_VGA]
fx=349.2
fy=349.5
cx=330.7
cy=184.9
k1=-0.17
k2=0.03
p1=0.0004
p2=-0.0003
k3=0.001
[STEREO]
Baseline=119.9
TY=0.6
TZ=-0.9
RX_VGA=0.008
CV_VGA=-0.014
RZ_VGA=0.006
"""


def opened(
    path: Path, clock: Clock, rectified: Optional[bool] = None, calibration: Optional[Path] = None
) -> SideBySideSource:
    return SideBySideSource(f"sbs:{path}", path, DepthSettings(), clock, rectified, calibration)


def played(source: SideBySideSource) -> List[Grab]:
    grabs: List[Grab] = []
    while not grabs or not isinstance(grabs[-1], End):
        grabs.append(source.read())
    source.close()
    return grabs


def refused(path: Path, clock: Clock, rectified: Optional[bool] = None, calibration: Optional[Path] = None) -> str:
    with pytest.raises(InputError) as caught:
        opened(path, clock, rectified, calibration)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("rectified", [True, None])
@pytest.mark.parametrize("codec", ["MJPG", "mp4v"])
def test_a_rectified_video_is_split_and_has_depth(
    make_video: Maker, clock: Clock, codec: str, rectified: Optional[bool]
) -> None:
    source = opened(make_video(codec=codec, count=6), clock, rectified)
    assert source.live is False
    assert source.fps == pytest.approx(30)
    *frames, end = played(source)
    assert end == End()
    assert len(frames) == 6
    for number, frame in enumerate(frames):
        assert isinstance(frame, Frame)
        assert frame.picture.shape == (180, 320, 3)
        assert frame.picture.flags.c_contiguous
        assert frame.recorded_ns == pytest.approx(number * 1e9 / 30, abs=1e6)
        assert float(np.nanmedian(frame.depth.patch(200, 90, 5))) == pytest.approx(WALL_M, rel=0.02)


def test_an_unrectified_video_of_a_zed_is_rectified_by_its_factory_calibration(
    make_video: Maker, clock: Clock, tmp_path: Path, wall_pair: Pair, unrectified: Pair
) -> None:
    conf = tmp_path / "SN4711.conf"
    conf.write_text(CONF)
    raw = unrectified(read_zed_conf(conf, 672, 376), wall_pair(7, 672, 376, disparity=20))
    source = opened(make_video(frames=[np.hstack(raw)] * 2, calibration=None), clock)
    frame = source.read()
    assert isinstance(frame, Frame)
    assert source.calibration.baseline_m == pytest.approx(0.1199, rel=1e-3)
    wall_m = source.calibration.focal_baseline / 20
    for u, v in ((90, 60), (330, 190), (600, 330), (150, 300)):
        assert float(np.nanmedian(frame.depth.patch(u, v, 5))) == pytest.approx(wall_m, rel=0.02)


def test_an_unrectified_video_is_rectified_by_calibration_json(
    make_video: Maker, clock: Clock, tmp_path: Path, lenses: Dict[str, Any], wall_pair: Pair, unrectified: Pair
) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(lenses))
    calibration = read_calibration_json(path)
    assert isinstance(calibration, StereoLenses)
    raw = unrectified(calibration, wall_pair(7))
    source = opened(make_video(frames=[np.hstack(raw)] * 2, calibration=lenses), clock)
    frame = source.read()
    assert isinstance(frame, Frame)
    wall_m = source.calibration.focal_baseline / 14
    for u, v in ((90, 60), (200, 90), (270, 150)):
        assert float(np.nanmedian(frame.depth.patch(u, v, 5))) == pytest.approx(wall_m, rel=0.02)


def test_a_damaged_frame_is_told_and_the_rest_is_played(
    make_video: Maker, clock: Clock, packets: Callable[[Path], List[int]]
) -> None:
    path = make_video(count=4)
    data = bytearray(path.read_bytes())
    # The first one, which opening looks at, and the third.
    for number in (0, 2):
        begin, end = packets(path)[number], packets(path)[number + 1] - 8
        data[begin:end] = bytes(end - begin)
    path.write_bytes(data)
    grabs = played(opened(path, clock))
    assert [type(grab) for grab in grabs] == [CorruptFrame, Frame, CorruptFrame, Frame, End]
    assert isinstance(grabs[2], CorruptFrame)
    assert grabs[2].why == "frame 2 of walk.avi: it is neither JPEG nor PNG"
    assert grabs[2].recorded_ns == pytest.approx(2e9 / 30, abs=1e6)


def test_a_video_that_was_cut_off_ends_with_a_warning(make_video: Maker, clock: Clock) -> None:
    path = make_video(count=12)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    *frames, end = played(opened(path, clock))
    assert isinstance(end, End)
    assert end.warning == f"{path} ends after {len(frames)} of 12 frames: it was cut off"


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (1920, 1080), (320, 320)])
def test_a_picture_that_is_not_two_is_refused(make_video: Maker, clock: Clock, size: "tuple[int, int]") -> None:
    path = make_video(frames=[np.zeros((size[1], size[0], 3), np.uint8)])
    message = refused(path, clock)
    assert f"is {size[0]}x{size[1]}, which is not two pictures side by side" in message


def test_the_calibration_is_looked_for_beside_the_video(make_video: Maker, clock: Clock, tmp_path: Path) -> None:
    path = make_video(calibration=None)
    assert "(none found)" in refused(path, clock)
    (tmp_path / "SN1.conf").write_text(CONF)
    # There it is, but no ZED has such a mode.
    assert "SN1.conf: no ZED has pictures of 320x180" in refused(path, clock)
    (tmp_path / "SN2.conf").write_text(CONF)
    assert "(SN1.conf and SN2.conf found), or say which: ?calibration=PATH" in refused(path, clock)
    assert "SN2.conf: no ZED" in refused(path, clock, calibration=tmp_path / "SN2.conf")
    assert "none.json is missing" in refused(path, clock, calibration=tmp_path / "none.json")


def test_what_uri_and_calibration_say_must_agree(
    make_video: Maker, clock: Clock, tmp_path: Path, lenses: Dict[str, Any]
) -> None:
    path = make_video(count=1)
    assert "is of rectified pictures, but the URI says ?rectified=0" in refused(path, clock, rectified=False)
    (tmp_path / "calibration.json").write_text(json.dumps(lenses))
    assert "unrectified pictures, but the URI says ?rectified=1" in refused(path, clock, rectified=True)
    small = json.dumps(lenses).replace('"image_width": 320', '"image_width": 336')
    (tmp_path / "calibration.json").write_text(small)
    assert "is for pictures of 336x180, but one eye of walk.avi is 320x180" in refused(path, clock)


def test_a_video_without_one_whole_frame_is_refused(
    make_video: Maker, clock: Clock, packets: Callable[[Path], List[int]]
) -> None:
    path = make_video(count=3)
    data = bytearray(path.read_bytes())
    for begin in packets(path):
        data[begin : begin + 40] = bytes(40)
    path.write_bytes(data)
    assert "holds no frame that can be decoded (frame 0 of walk.avi" in refused(path, clock)


def test_closing_twice_is_no_error(make_video: Maker, clock: Clock) -> None:
    source = opened(make_video(count=2), clock)
    source.close()
    source.close()
