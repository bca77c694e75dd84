"""The made scene: what both eyes see of frame i, and where the person truly is."""

from dataclasses import dataclass
from typing import Dict, Optional, Tuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nasion.core.calibration import Calibration, Intrinsics
from nasion.sources.demo.card import Card
from nasion.sources.demo.portrait import Portrait, load_portrait
from nasion.sources.demo.walk import place

Picture = NDArray[np.uint8]

#: What a ZED's left camera is like at the two sizes, by the picture's height.
CALIBRATIONS: Dict[int, Calibration] = {
    720: Calibration(Intrinsics(1280, 720, 700.0, 700.0, 641.2, 358.6), 0.12),
    1080: Calibration(Intrinsics(1920, 1080, 1060.0, 1060.0, 961.8, 537.9), 0.12),
}

WALL_M = 8.5
_FLOOR_BELOW_M = 1.2
#: The right eye is a little darker, as two real cameras never agree.
_RIGHT_GAIN = 0.97
#: Standard deviation of each eye's own noise, grey levels.
_NOISE = 2.5
#: Noise is added as bytes of 0..24, so pictures are made this much darker before.
_NOISE_OFFSET = 12
_NOISE_TILE = 1024
#: How much of the face around the keypoint must be seen to count as in view: half its width and height, metres.
_HALF_FACE = (0.08, 0.11)
#: Wall picture: metres of one of its pixels, and its size in them.
_WALL_PX_M = 0.012
_WALL_SIZE = (1460, 820)


@dataclass(frozen=True)
class Truth:
    """The point between the eyes: pixel of the left picture, column in the right one, metres in the left camera.

    ``whole_face``: whether the face around it is inside both pictures; else it is cut by an edge of one of them.
    """

    u: float
    v: float
    u_right: float
    xyz: Tuple[float, float, float]
    whole_face: bool


class DemoScene:
    """Renders any frame, always the same for the same index: pure, no clock."""

    def __init__(self, height: int, portrait: Optional[Portrait] = None) -> None:
        """``height``: 720 or 1080. DependencyError where the portrait's library is missing."""
        self.calibration = CALIBRATIONS[height]
        self._portrait = portrait or load_portrait()
        random = np.random.default_rng(20)
        wall = _wall(random)
        self._noise = _noise(random)
        self._cards = [Card(_darkened(self._portrait.picture, gain)) for gain in (1.0, _RIGHT_GAIN)]
        self._walls = [
            self._wall_seen(_darkened(wall, gain), eye_x)
            for gain, eye_x in ((1.0, 0.0), (_RIGHT_GAIN, self.calibration.baseline_m))
        ]

    def truth(self, index: int) -> Optional[Truth]:
        """Where the keypoint of frame ``index`` is; None when it is outside the left picture."""
        lens = self.calibration.left
        x, y, z = place(index)
        u, v = lens.fx * x / z + lens.cx, lens.fy * y / z + lens.cy
        if not (-0.5 <= u < lens.width - 0.5 and -0.5 <= v < lens.height - 0.5):
            return None
        u_right = u - self.calibration.focal_baseline / z
        half_u, half_v = lens.fx * _HALF_FACE[0] / z, lens.fy * _HALF_FACE[1] / z
        whole = (
            half_u <= min(u, u_right)
            and max(u, u_right) <= lens.width - 1 - half_u
            and half_v <= v <= lens.height - 1 - half_v
        )
        return Truth(u, v, u_right, (x, y, z), whole)

    def render(self, index: int) -> Tuple[Picture, Picture]:
        """Left and right picture of frame ``index``: (H, W, 3) BGR uint8, new arrays."""
        left, right = (self._eye(eye, index) for eye in (0, 1))
        return left, right

    def _eye(self, eye: int, index: int) -> Picture:
        lens = self.calibration.left
        x, y, z = place(index)
        x -= eye * self.calibration.baseline_m
        picture = self._walls[eye].copy()
        scale = lens.fx / (z * self._portrait.metre_px)
        # The portrait's outer corner lies half a pixel before the centre of its first pixel.
        left = lens.fx * x / z + lens.cx - scale * (self._portrait.keypoint[0] + 0.5)
        top = lens.fy * y / z + lens.cy - scale * (self._portrait.keypoint[1] + 0.5)
        self._cards[eye].draw(picture, scale, left, top)
        self._add_noise(picture, np.random.default_rng((eye, index)))
        return picture

    def _add_noise(self, picture: Picture, random: np.random.Generator) -> None:
        """Each tile of the picture gets another part of the prepared noise."""
        height, width = picture.shape[:2]
        for top in range(0, height, _NOISE_TILE):
            for left in range(0, width, _NOISE_TILE):
                part = picture[top : top + _NOISE_TILE, left : left + _NOISE_TILE]
                row, column = (int(at) for at in random.integers(0, _NOISE_TILE // 2, 2))
                cv2.add(part, self._noise[row : row + part.shape[0], column : column + part.shape[1]], dst=part)

    def _wall_seen(self, wall: Picture, eye_x: float) -> Picture:
        """What one eye sees of the wall: the eye at ``eye_x`` metres to the right of the left one."""
        lens = self.calibration.left
        pixel = WALL_M / (lens.fx * _WALL_PX_M)
        across, down = _WALL_SIZE
        to_wall = np.array(
            [
                [pixel, 0, (across - 1) / 2 - lens.cx * pixel + eye_x / _WALL_PX_M],
                [0, pixel, (down - 1) / 2 - lens.cy * pixel],
            ]
        )
        seen = cv2.warpAffine(
            wall,
            to_wall,
            (lens.width, lens.height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        return np.asarray(seen, np.uint8)


def _wall(random: np.random.Generator) -> Picture:
    """Plaster above a floor, hung with pictures: texture of all sizes, so that it can be matched at every window."""
    across, down = _WALL_SIZE
    wall = np.full((down, across, 3), (150.0, 168.0, 178.0), np.float32)
    floor = down // 2 + round(_FLOOR_BELOW_M / _WALL_PX_M)
    wall[floor:] = (70, 95, 125)
    wall[floor : floor + 8] = (45, 50, 55)
    for _ in range(16):
        left, top = random.integers(0, across - 90), random.integers(0, floor - 100)
        wide, high = random.integers(40, 90, 2)
        wall[top : top + high, left : left + wide] = random.uniform(30, 90)
        wall[top + 4 : top + high - 4, left + 4 : left + wide - 4] = random.uniform(60, 220, 3)
    for cell, strength in ((160, 9.0), (48, 7.0), (14, 6.0), (5, 6.0)):
        shape = (down // cell + 3, across // cell + 3)
        coarse = random.normal(0, strength, shape).astype(np.float32)
        wall += cv2.resize(coarse, (across, down), interpolation=cv2.INTER_CUBIC)[..., None]
    return np.asarray(np.clip(wall, 25, 230), np.uint8)


def _noise(random: np.random.Generator) -> Picture:
    """Noise of mean ``_NOISE_OFFSET``, half a tile larger than a tile, so that a part can be cut anywhere."""
    side = _NOISE_TILE + _NOISE_TILE // 2
    noise = random.normal(_NOISE_OFFSET, _NOISE, (side, side, 3)).astype(np.float32)
    return np.asarray(np.clip(np.rint(noise), 0, 2 * _NOISE_OFFSET), np.uint8)


def _darkened(picture: Picture, gain: float) -> Picture:
    """The picture as one eye sees it, less what the noise will add."""
    return np.asarray(np.clip(picture.astype(np.float32) * gain - _NOISE_OFFSET, 0, 255).round(), np.uint8)
