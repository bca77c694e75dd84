"""Recordings made by code, in every layout that is read, and a clock that a test can turn."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Sequence

import cv2
import numpy as np
import pytest
from nasion.sources.lenses import StereoLenses
from nasion.sources.rectify import Rectifier
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

WIDTH, HEIGHT = 320, 180
#: Of the made pairs, which show one flat textured wall.
DISPARITY = 14
RECTIFIED = {
    "width": WIDTH,
    "height": HEIGHT,
    "fx": 200.0,
    "fy": 200.0,
    "cx": 160.0,
    "cy": 90.0,
    "baseline_m": 0.12,
    "rectified": True,
}
#: The wall's distance by RECTIFIED.
WALL_M = 200.0 * 0.12 / DISPARITY


class TurnedClock:
    """Time stands still but for ``sleep`` and ``turn``."""

    def __init__(self) -> None:
        self.now_ns = 5_000_000_000
        self.slept: List[float] = []

    def utc_ns(self) -> int:
        return 1_700_000_000_000_000_000 + self.now_ns

    def monotonic_ns(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.turn(max(0.0, seconds))

    def turn(self, seconds: float) -> None:
        self.now_ns += round(seconds * 1e9)


@pytest.fixture
def clock() -> TurnedClock:
    return TurnedClock()


def wall_pair(seed: int, width: int = WIDTH, height: int = HEIGHT, disparity: int = DISPARITY) -> List[Picture]:
    """Left and right picture of a textured wall, ``disparity`` pixels apart everywhere."""
    random = np.random.default_rng(seed)
    wall = random.integers(0, 256, (height, width + disparity, 3)).astype(np.uint8)
    wall = np.asarray(cv2.GaussianBlur(wall, (0, 0), 1.5), np.uint8)
    wall = np.asarray(cv2.normalize(wall, wall, 20, 235, cv2.NORM_MINMAX), np.uint8)
    return [np.ascontiguousarray(wall[:, :width]), np.ascontiguousarray(wall[:, disparity:])]


@pytest.fixture(name="wall_pair")
def _wall_pair() -> Callable[..., List[Picture]]:
    return wall_pair


def unrectified(lenses: StereoLenses, pair: Sequence[Picture]) -> List[Picture]:
    """What two lenses see of what would look like ``pair`` once rectified: the inverse of rectification."""
    camera = Rectifier(lenses).calibration.left
    project = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]])
    turns = cv2.stereoRectify(
        lenses.left.matrix,
        lenses.left.distortion,
        lenses.right.matrix,
        lenses.right.distortion,
        (lenses.width, lenses.height),
        lenses.rotation,
        lenses.translation_m.reshape(3, 1),
        alpha=0,
    )[:2]
    pixels = np.stack(np.meshgrid(np.arange(lenses.width), np.arange(lenses.height)), axis=-1).astype(np.float64)
    raw = []
    for lens, turn, picture in zip((lenses.left, lenses.right), turns, pair):
        there = cv2.undistortPoints(pixels.reshape(-1, 1, 2), lens.matrix, lens.distortion, R=turn, P=project)
        u, v = np.moveaxis(np.asarray(there, np.float32).reshape(lenses.height, lenses.width, 2), -1, 0)
        seen = cv2.remap(picture, u, v, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
        raw.append(np.asarray(seen, np.uint8))
    return raw


@pytest.fixture(name="unrectified")
def _unrectified() -> Callable[..., List[Picture]]:
    return unrectified


Maker = Callable[..., Path]


@pytest.fixture
def make_pairs(tmp_path: Path) -> Maker:
    """A folder of rectified pairs; ``names``: of left and right, with a place for the number."""

    def make(
        count: int = 3,
        names: Sequence[str] = ("{:03d}_left.png", "{:03d}_right.png"),
        calibration: Optional[Dict[str, Any]] = RECTIFIED,
        folder: str = "pairs",
    ) -> Path:
        path = tmp_path / folder
        path.mkdir()
        for number in range(count):
            for name, picture in zip(names, wall_pair(number)):
                cv2.imwrite(str(path / name.format(number)), picture)
        if calibration is not None:
            (path / "calibration.json").write_text(json.dumps(calibration))
        return path

    return make


@pytest.fixture
def make_rgbd(tmp_path: Path) -> Maker:
    """A folder of pictures with depth: in frame i everything is i + 1 metres away."""

    def make(count: int = 3) -> Path:
        path = tmp_path / "rgbd"
        path.mkdir()
        for number in range(count):
            cv2.imwrite(str(path / f"{number:06d}_left.png"), wall_pair(number)[0])
            np.save(path / f"{number:06d}_depth.npy", np.full((HEIGHT, WIDTH), number + 1.0, np.float32))
        (path / "calibration.json").write_text(json.dumps(RECTIFIED))
        return path

    return make


@pytest.fixture
def make_video(tmp_path: Path) -> Maker:
    """A side-by-side video of walls; ``frames``: its pictures, else ``count`` walls."""

    def make(
        name: str = "walk.avi",
        codec: str = "MJPG",
        count: int = 12,
        frames: Optional[Sequence[Picture]] = None,
        calibration: Optional[Dict[str, Any]] = RECTIFIED,
    ) -> Path:
        pictures = frames if frames is not None else [np.hstack(wall_pair(number)) for number in range(count)]
        path = tmp_path / name
        height, width = pictures[0].shape[:2]
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), 30, (width, height))  # type: ignore[attr-defined]
        assert writer.isOpened()
        writer.set(cv2.VIDEOWRITER_PROP_QUALITY, 95)
        for picture in pictures:
            writer.write(picture)
        writer.release()
        if calibration is not None:
            (tmp_path / "calibration.json").write_text(json.dumps(calibration))
        return path

    return make


def packets(video: Path) -> List[int]:
    """Where the video packets of an AVI file begin (their data, after name and length)."""
    data, found, at = video.read_bytes(), [], 0
    movie = data.index(b"movi")
    at = movie + 4
    while data[at : at + 4] == b"00dc":
        found.append(at + 8)
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + length + length % 2
    return found


@pytest.fixture(name="packets")
def _packets() -> Callable[[Path], List[int]]:
    return packets


@pytest.fixture
def lenses() -> Dict[str, Any]:
    """Two lenses that see WIDTH x HEIGHT, distorted and turned: the unrectified layout of ``calibration.json``."""
    turn, _ = cv2.Rodrigues(np.array([0.006, -0.012, 0.009]))
    return {
        "image_width": WIDTH,
        "image_height": HEIGHT,
        "left": {
            "K": [[205.0, 0, 158.5], [0, 205.5, 91.0], [0, 0, 1]],
            "dist_k1k2p1p2k3": [-0.11, 0.04, 0.0006, -0.0004, 0.0],
        },
        "right": {
            "K": [[204.0, 0, 161.5], [0, 204.4, 88.5], [0, 0, 1]],
            "dist_k1k2p1p2k3": [-0.10, 0.03, -0.0003, 0.0005, 0.0],
        },
        "R_left_to_right": turn.tolist(),
        "T_left_to_right": [-0.12, 0.0006, -0.0009],
    }
