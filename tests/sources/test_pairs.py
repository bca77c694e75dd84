"""Folders of pairs: both layouts, depth of each, and what is wrong with a folder told at opening."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import cv2
import numpy as np
import pytest
from nasion.errors import InputError
from nasion.settings import DepthSettings
from nasion.sources.calibration_files import read_calibration_json
from nasion.sources.frame import Clock, CorruptFrame, End, Frame, Grab
from nasion.sources.lenses import StereoLenses
from nasion.sources.pairs import PairsSource
from nasion.sources.pictures import read_picture
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Maker = Callable[..., Path]
WALL_M = 200.0 * 0.12 / 14


def opened(folder: Path, clock: Clock) -> PairsSource:
    return PairsSource(f"pairs:{folder}", folder, DepthSettings(), clock)


def played(source: PairsSource) -> List[Grab]:
    grabs: List[Grab] = []
    while not grabs or not isinstance(grabs[-1], End):
        grabs.append(source.read())
    return grabs


def test_a_rectified_folder_plays_in_order_with_the_depth_of_each_pair(make_pairs: Maker, clock: Clock) -> None:
    source = opened(make_pairs(count=12), clock)
    assert (source.live, source.fps) == (False, 1.0)
    *frames, end = played(source)
    assert end == End()
    assert len(frames) == 12
    for number, frame in enumerate(frames):
        assert isinstance(frame, Frame)
        assert frame.recorded_ns == number * 1_000_000_000
        assert frame.stamp.monotonic_ns == clock.monotonic_ns()
        assert frame.picture.flags.c_contiguous
        assert frame.calibration == source.calibration
        assert float(np.median(frame.depth.patch(160, 90, 5))) == pytest.approx(WALL_M, rel=0.005)


@pytest.mark.parametrize(
    "names",
    [
        ("{:03d}_left.jpg", "{:03d}_right.jpg"),
        ("left_{:02d}.png", "right_{:02d}.png"),
        ("{:d}_left.JPEG", "{:d}_right.png"),
    ],
)
def test_pictures_are_found_by_either_way_of_naming(make_pairs: Maker, clock: Clock, names: "tuple[str, str]") -> None:
    folder = make_pairs(count=11, names=names)
    (folder / "notes.txt").write_text("left_99")
    (folder / "000_disp16.png").write_bytes(b"")
    frames = [grab for grab in played(opened(folder, clock)) if isinstance(grab, Frame)]
    assert len(frames) == 11
    # By number, also where names do not sort so: 2 comes before 10.
    for number, frame in enumerate(frames):
        assert np.array_equal(frame.picture, read_picture(folder / names[0].format(number)))


def test_an_unrectified_folder_is_rectified_and_then_has_the_right_depth(
    tmp_path: Path,
    clock: Clock,
    lenses: Dict[str, Any],
    wall_pair: Callable[..., List[Picture]],
    unrectified: Callable[..., List[Picture]],
) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps(lenses))
    calibration = read_calibration_json(path)
    assert isinstance(calibration, StereoLenses)
    for eye, picture in zip(("left", "right"), unrectified(calibration, wall_pair(4))):
        cv2.imwrite(str(tmp_path / f"{eye}_01.png"), picture)
    source = opened(tmp_path, clock)
    frame = source.read()
    assert isinstance(frame, Frame)
    assert source.calibration.baseline_m == pytest.approx(0.12, rel=0.001)
    wall_m = source.calibration.focal_baseline / 14
    for u, v in ((60, 40), (160, 90), (270, 140), (100, 150)):
        assert float(np.nanmedian(frame.depth.patch(u, v, 5))) == pytest.approx(wall_m, rel=0.02)


def test_times_may_come_with_the_pictures(make_pairs: Maker, clock: Clock) -> None:
    folder = make_pairs(count=2)
    (folder / "timestamps.csv").write_text("frame,recorded_ns\n000,5\n001,77000000\n")
    assert [grab.recorded_ns for grab in played(opened(folder, clock)) if isinstance(grab, Frame)] == [5, 77_000_000]


@pytest.mark.parametrize("eye", ["left", "right"])
@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_a_damaged_picture_is_told_and_the_rest_is_played(
    make_pairs: Maker, clock: Clock, eye: str, ending: str
) -> None:
    folder = make_pairs(count=3, names=(f"{{:03d}}_left.{ending}", f"{{:03d}}_right.{ending}"))
    path = folder / f"001_{eye}.{ending}"
    path.write_bytes(path.read_bytes()[:-300])
    first, second, third, _ = played(opened(folder, clock))
    assert isinstance(first, Frame)
    assert isinstance(third, Frame)
    assert isinstance(second, CorruptFrame)
    says = "the JPEG is damaged: Premature end" if ending == "jpg" else "the PNG was cut off"
    assert second.why.startswith(f"001_{eye}.{ending}: {says}")
    assert second.recorded_ns == 1_000_000_000


def test_the_first_picture_may_be_damaged_too(make_pairs: Maker, clock: Clock) -> None:
    folder = make_pairs(count=2)
    (folder / "000_left.png").write_bytes(b"")
    damaged, frame, _ = played(opened(folder, clock))
    assert isinstance(damaged, CorruptFrame)
    assert damaged.why == "000_left.png: it is empty"
    assert isinstance(frame, Frame)


def test_closing_ends_it_and_may_be_done_twice(make_pairs: Maker, clock: Clock) -> None:
    source = opened(make_pairs(), clock)
    source.read()
    source.close()
    source.close()
    assert source.read() == End()


def refused(folder: Path, clock: Clock) -> str:
    with pytest.raises(InputError) as caught:
        opened(folder, clock)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_that_is_none_is_refused(tmp_path: Path, clock: Clock) -> None:
    assert refused(tmp_path / "none", clock) == f"{tmp_path / 'none'} does not exist"
    (tmp_path / "file").write_text("")
    assert refused(tmp_path / "file", clock) == f"{tmp_path / 'file'} is not a folder"
    assert "expected files named 000_left.jpg and 000_right.jpg" in refused(tmp_path, clock)


@pytest.mark.parametrize("eye", ["left", "right"])
def test_a_missing_partner_is_refused(make_pairs: Maker, clock: Clock, eye: str) -> None:
    folder = make_pairs()
    (folder / f"001_{eye}.png").unlink()
    other = "right" if eye == "left" else "left"
    assert refused(folder, clock) == (
        f"{folder / f'001_{other}.png'} has no {eye} file beside it; add it or remove this one"
    )


def test_two_pictures_for_one_place_are_refused(make_pairs: Maker, clock: Clock) -> None:
    folder = make_pairs()
    (folder / "left_001.jpg").write_bytes((folder / "001_left.png").read_bytes())
    assert "are both the left file of frame 001; remove one" in refused(folder, clock)


@pytest.mark.parametrize("number", [0, 2])
def test_eyes_of_different_size_are_refused(make_pairs: Maker, clock: Clock, number: int) -> None:
    folder = make_pairs()
    cv2.imwrite(str(folder / f"00{number}_right.png"), np.zeros((90, 160, 3), np.uint8))
    assert f"00{number}_left.png is 320x180 but 00{number}_right.png is 160x90" in refused(folder, clock)


def test_a_calibration_of_another_size_is_refused(make_pairs: Maker, clock: Clock) -> None:
    folder = make_pairs()
    path = folder / "calibration.json"
    path.write_text(path.read_text().replace("320", "640"))
    assert "is for pictures of 640x180, but 000_left.png is 320x180" in refused(folder, clock)


def test_a_missing_calibration_is_refused(make_pairs: Maker, clock: Clock) -> None:
    assert "calibration.json is missing" in refused(make_pairs(calibration=None), clock)


def test_a_pair_of_another_size_amid_the_others_is_told(make_pairs: Maker, clock: Clock) -> None:
    folder = make_pairs()
    for eye in ("left", "right"):
        cv2.imwrite(str(folder / f"001_{eye}.png"), np.zeros((90, 160, 3), np.uint8))
    second = played(opened(folder, clock))[1]
    assert isinstance(second, CorruptFrame)
    assert second.why == "001_left.png is 160x90, but the calibration is for 320x180"


@pytest.mark.parametrize("keep", [0, 200])
def test_a_folder_without_one_decodable_pair_is_refused(make_pairs: Maker, clock: Clock, keep: int) -> None:
    folder = make_pairs()
    for path in folder.glob("*_left.png"):
        path.write_bytes(path.read_bytes()[:keep])
    assert "can be decoded (000_left.png" in refused(folder, clock)
