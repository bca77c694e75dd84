"""Folders of pictures with depth: what a ZED gives, read strictly."""

import json
import os
import pickle
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import cv2
import numpy as np
import pytest
from nasion.errors import InputError
from nasion.settings import DepthSettings
from nasion.sources.frame import Clock, CorruptFrame, End, Frame, Grab
from nasion.sources.open import open_source
from nasion.sources.rgbd import RgbdSource

Maker = Callable[..., Path]


def opened(folder: Path, clock: Clock) -> RgbdSource:
    return RgbdSource(f"rgbd:{folder}", folder, DepthSettings(), clock)


def played(source: RgbdSource) -> List[Grab]:
    grabs: List[Grab] = []
    while not grabs or not isinstance(grabs[-1], End):
        grabs.append(source.read())
    return grabs


def refused(folder: Path, clock: Clock) -> str:
    with pytest.raises(InputError) as caught:
        opened(folder, clock)
    return str(caught.value)


def test_each_frame_has_its_own_depth(make_rgbd: Maker, clock: Clock) -> None:
    source = opened(make_rgbd(count=4), clock)
    assert (source.live, source.fps) == (False, 30.0)
    *frames, end = played(source)
    assert end == End()
    for number, frame in enumerate(frames):
        assert isinstance(frame, Frame)
        assert frame.recorded_ns == round(number * 1e9 / 30)
        assert np.array_equal(frame.depth.patch(100, 50, 3), np.full((3, 3), number + 1.0, np.float32))


class Trap:
    """A pickle of this writes a file when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.write_text, (self.path, "sprung")


@pytest.mark.parametrize(
    "kind", ["pickle", "object array", "cut", "text", "archive", "float64", "shape", "missing data"]
)
def test_a_depth_file_that_is_none_is_told_and_the_rest_is_played(
    make_rgbd: Maker, clock: Clock, tmp_path: Path, kind: str
) -> None:
    folder = make_rgbd()
    path, sprung = folder / "000001_depth.npy", tmp_path / "sprung"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Trap(sprung)))
    elif kind == "object array":
        np.save(path, np.array([Trap(sprung)], dtype=object), allow_pickle=True)
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:1000])
    elif kind == "text":
        path.write_text("1.0 2.0")
    elif kind == "archive":
        with path.open("wb") as file:
            np.savez(file, np.zeros((180, 320), np.float32))
    elif kind == "missing data":
        path.write_bytes(b"")
    else:
        np.save(path, np.zeros((180, 320)) if kind == "float64" else np.zeros((320, 180), np.float32))
    first, second, third, _ = played(opened(folder, clock))
    assert isinstance(first, Frame)
    assert isinstance(third, Frame)
    assert isinstance(second, CorruptFrame)
    assert second.why.startswith("000001_depth.npy")
    assert not sprung.exists()


def test_a_damaged_picture_is_told(make_rgbd: Maker, clock: Clock) -> None:
    folder = make_rgbd()
    (folder / "000001_left.png").write_bytes(b"\x89PNG")
    second = played(opened(folder, clock))[1]
    assert isinstance(second, CorruptFrame)
    assert second.why.startswith("000001_left.png")


@pytest.mark.parametrize("gone", ["000001_left.png", "000001_depth.npy"])
def test_a_missing_partner_is_refused(make_rgbd: Maker, clock: Clock, gone: str) -> None:
    folder = make_rgbd()
    (folder / gone).unlink()
    assert "000001" in refused(folder, clock)
    assert "beside it" in refused(folder, clock)


def test_a_folder_without_frames_or_none_that_can_be_decoded_is_refused(
    make_rgbd: Maker, clock: Clock, tmp_path: Path
) -> None:
    assert "expected files named 000000_left.png and 000000_depth.npy" in refused(tmp_path, clock)
    folder = make_rgbd()
    for path in folder.glob("*.npy"):
        path.write_bytes(b"")
    assert "holds no frame that can be decoded (000000_depth.npy" in refused(folder, clock)


def test_lens_parameters_are_not_enough_and_sizes_must_fit(
    make_rgbd: Maker, clock: Clock, lenses: Dict[str, Any]
) -> None:
    folder = make_rgbd()
    path = folder / "calibration.json"
    rectified = path.read_text()
    path.write_text(json.dumps(lenses))
    assert "a depth map belongs to a rectified one" in refused(folder, clock)
    path.write_text(rectified.replace("180", "200"))
    assert "is for pictures of 320x200, but 000000_left.png is 320x180" in refused(folder, clock)


def of_pictures(folder: Path, units_a_metre: float = 1000, names: str = "{number:06d}_{kind}") -> Path:
    """The same recording with depth as 16-bit pictures, named as ``names`` says."""
    for number, path in enumerate(sorted(folder.glob("*_depth.npy"))):
        depth = (np.load(path) * units_a_metre).astype(np.uint16)
        depth[:10] = 0
        cv2.imwrite(str(folder / (names.format(number=number, kind="depth") + ".png")), depth)
        path.unlink()
        left = folder / f"{number:06d}_left.png"
        left.rename(folder / (names.format(number=number, kind="left") + ".png"))
    return folder


@pytest.mark.parametrize("names", ["{number:06d}_{kind}", "{kind}{number:06d}"])
@pytest.mark.parametrize(("scale", "given"), [(1000, None), (5000, 5000.0)])
def test_depth_may_be_pictures_of_16_bits(
    make_rgbd: Maker, clock: Clock, names: str, scale: int, given: Optional[float]
) -> None:
    folder = of_pictures(make_rgbd(), scale, names)
    told: List[str] = []
    source = RgbdSource("rgbd:x", folder, DepthSettings(), clock, depth_scale=given, on_event=told.append)
    assert [f"{scale} units a metre" in line for line in told] == [True]
    for number, frame in enumerate(played(source)[:-1]):
        assert isinstance(frame, Frame)
        assert np.array_equal(frame.depth.patch(100, 50, 3), np.full((3, 3), number + 1.0, np.float32))
        assert np.isnan(frame.depth.patch(100, 3, 3)).all()


def test_a_plain_path_to_an_export_is_recognised(make_rgbd: Maker, clock: Clock) -> None:
    folder = of_pictures(make_rgbd(), names="{kind}{number:06d}")
    assert isinstance(open_source(str(folder), depth=DepthSettings(), clock=clock), RgbdSource)


@pytest.mark.parametrize("scale", ["0", "-1", "nan", "inf", "much"])
def test_a_scale_that_is_none_is_refused(make_rgbd: Maker, clock: Clock, scale: str) -> None:
    with pytest.raises(InputError, match="depth_scale is a number"):
        open_source(f"rgbd:{of_pictures(make_rgbd())}?depth_scale={scale}", depth=DepthSettings(), clock=clock)


@pytest.mark.parametrize("kind", ["8 bits", "colours", "cut", "another size"])
def test_a_picture_that_is_no_depth_is_told_and_the_rest_is_played(make_rgbd: Maker, clock: Clock, kind: str) -> None:
    folder = of_pictures(make_rgbd())
    path = folder / "000001_depth.png"
    depth = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert depth is not None
    if kind == "8 bits":
        cv2.imwrite(str(path), (depth // 20).astype(np.uint8))
    elif kind == "colours":
        cv2.imwrite(str(path), cv2.merge([depth, depth, depth]))
    elif kind == "cut":
        path.write_bytes(path.read_bytes()[:-30])
    else:
        cv2.imwrite(str(path), depth[:-1])
    grabs = played(opened(folder, clock))
    assert [type(grab) for grab in grabs] == [Frame, CorruptFrame, Frame, End]
    assert isinstance(grabs[1], CorruptFrame)
    assert path.name in grabs[1].why


def test_pictures_beside_depth_in_metres_are_for_people(make_rgbd: Maker, clock: Clock) -> None:
    folder = make_rgbd()
    cv2.imwrite(str(folder / "000000_depth.png"), np.zeros((5, 5), np.uint8))
    assert [type(grab) for grab in played(opened(folder, clock))] == [Frame, Frame, Frame, End]


@pytest.mark.parametrize(("factor", "unit"), [(100, "centimetres"), (1000, "millimetres"), (1000_000, "millimetres")])
def test_depth_of_another_unit_is_refused(make_rgbd: Maker, clock: Clock, factor: float, unit: str) -> None:
    folder = make_rgbd()
    for path in folder.glob("*_depth.npy"):
        np.save(path, np.load(path) * np.float32(factor))
    said = refused(folder, clock)
    assert unit in said
    assert "_depth.npy" in said


def test_one_odd_map_among_others_is_no_unit(make_rgbd: Maker, clock: Clock) -> None:
    """Nor are maps that know nothing."""
    folder = make_rgbd()
    first, second = sorted(folder.glob("*_depth.npy"))[:2]
    np.save(first, np.load(first) * np.float32(1000))
    np.save(second, np.full_like(np.load(second), np.nan))
    assert len(played(opened(folder, clock))) == 4


@pytest.mark.parametrize("kind", ["pipe", "huge header", "larger"])
def test_a_depth_file_that_would_hang_or_fill_the_memory_is_told(make_rgbd: Maker, clock: Clock, kind: str) -> None:
    folder = make_rgbd()
    path = folder / "000001_depth.npy"
    header = path.read_bytes()
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "huge header":
        with path.open("wb") as file:
            np.lib.format.write_array_header_1_0(
                file, {"descr": "<f4", "fortran_order": False, "shape": (1_000_000, 1_000_000)}
            )
            file.write(b"few")
    else:
        path.write_bytes(header + bytes(1 << 20))
    grabs = played(opened(folder, clock))
    assert [type(grab) for grab in grabs] == [Frame, CorruptFrame, Frame, End]
