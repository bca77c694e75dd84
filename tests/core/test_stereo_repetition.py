"""What repeats itself has the true depth or none: most of the places where it fits are farther or nearer than it is."""

from typing import Callable, Dict, List, NamedTuple, Optional, Tuple

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nasion.core.calibration import Calibration, Intrinsics
from nasion.core.stereo import ambiguous, depth_patch
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Floats = NDArray[np.float64]
#: Of a pattern: how bright (-1..1) it is at columns and rows, counted in periods.
Pattern = Callable[[Floats, Floats], Floats]

HEIGHT = 160
NEAR, FAR = 0.3, 100.0
#: Farther than it is by more than this is wrong; nearer as well.
WRONG = 0.05


def camera(fx: float, baseline_m: float, width: int) -> Calibration:
    return Calibration(Intrinsics(width, HEIGHT, fx, fx, (width - 1) / 2, (HEIGHT - 1) / 2), baseline_m)


CAMERAS = [camera(350, 0.12, 672), camera(320, 0.06, 480), camera(700, 0.12, 1280), camera(530, 0.05, 960)]


def square(phase: Floats, share: float = 0.5) -> Floats:
    return np.where(phase % 1 < share, 1.0, -1.0)


def bricks(x: Floats, y: Floats) -> Floats:
    course = np.floor(2 * y)
    return np.where(((x + 0.5 * (course % 2)) % 1 < 0.12) | (2 * y % 1 < 0.2), 1.0, -1.0)


def keyboard(x: Floats, y: Floats) -> Floats:
    rows = np.floor(y)
    return np.where(((x + 0.25 * rows) % 1 < 0.8) & (y % 1 < 0.8), 1.0, -1.0)


PATTERNS: Dict[str, Pattern] = {
    "stripes": lambda x, y: square(x + 0 * y),
    "soft stripes": lambda x, y: np.sin(2 * np.pi * x) + 0 * y,
    "fence": lambda x, y: square(x, 0.2) + 0 * y,
    "slanted blinds": lambda x, y: square(x + y),
    "chessboard": lambda x, y: square(x) * square(y),
    "bricks": bricks,
    "keyboard": keyboard,
    "columns": lambda x, y: np.cos(np.pi * (x % 1 - 0.5)) + 0 * y,
}


class Waves:
    """A texture that does not repeat itself, with values between the pixels too."""

    def __init__(self, seed: int, shortest: float = 5, longest: float = 40) -> None:
        random = np.random.default_rng(seed)
        turn, length = random.uniform(0, np.pi, 60), random.uniform(shortest, longest, 60)
        self._across, self._down = 2 * np.pi / length * np.cos(turn), 2 * np.pi / length * np.sin(turn)
        self._heights = np.sqrt(2 / 60) * np.exp(1j * random.uniform(0, 2 * np.pi, 60))

    def at(self, x: Floats, y: Floats) -> Floats:
        down, across = np.exp(1j * np.outer(y, self._down)) * self._heights, np.exp(1j * np.outer(self._across, x))
        return np.real(down @ across)


class Scene(NamedTuple):
    """A flat thing with a pattern before a wall; ``width_px`` None: as wide as the picture."""

    camera: Calibration
    pattern: Pattern
    z: float
    period: float
    phase: float = 0.3
    width_px: Optional[float] = None
    #: How much of each place's own, unlike the pattern, is seen on it: a share of the contrast.
    own: float = 0.0
    contrast: float = 60.0
    noise: float = 1.0
    wall_z: float = 12.0
    u: float = 0.0
    seed: int = 0

    def pair(self) -> Tuple[Picture, Picture]:
        return self._eye(0), self._eye(1)

    def _eye(self, eye: int) -> Picture:
        shift, wall_shift = (eye * self.camera.focal_baseline / z for z in (self.z, self.wall_z))
        fine = 4
        x = (np.arange(fine * self.camera.left.width) + 0.5) / fine - 0.5
        y = np.arange(HEIGHT, dtype=float)
        column = x + shift
        thing = self.pattern(column[None, :] / self.period + self.phase, y[:, None] / self.period)
        values = 128 + self.contrast * thing
        if self.own:
            values += self.contrast * self.own * Waves(self.seed).at(column, y)
        if self.width_px is not None:
            beside = np.abs(column - self.u) > self.width_px / 2
            values[:, beside] = 128 + 30 * Waves(self.seed + 1000).at(x[beside] + wall_shift, y)
        values = values.reshape(HEIGHT, -1, fine).mean(axis=2)
        random = np.random.default_rng([self.seed, eye])
        noisy = values + random.normal(0, self.noise, values.shape)
        return np.asarray(np.clip(np.rint(noisy), 0, 255), np.uint8)


def depth_of(scene: Scene, at: Optional[Tuple[float, float]] = None) -> Optional[float]:
    """The depth that a run would publish; None without one."""
    u, v = at or (scene.u, HEIGHT / 2)
    patch = depth_patch(*scene.pair(), u, v, 5, scene.camera, NEAR, FAR)
    finite = patch[np.isfinite(patch)]
    return float(np.median(finite)) if finite.size >= 5 else None


def ratio_of(scene: Scene) -> float:
    """How many times too far; 1 where nothing was said."""
    depth = depth_of(scene)
    return 1.0 if depth is None else depth / scene.z


@settings(max_examples=80, deadline=None)
@given(
    where=st.sampled_from(CAMERAS),
    kind=st.sampled_from(sorted(PATTERNS)),
    z=st.floats(0.4, 4),
    period=st.floats(4, 50),
    phase=st.floats(0, 1),
    face_widths=st.one_of(st.none(), st.floats(1.2, 5)),
    contrast=st.sampled_from([20.0, 60.0]),
    noise=st.sampled_from([0.0, 1.0, 3.0]),
    place=st.floats(0.1, 0.85),
    seed=st.integers(0, 999),
)
def test_a_pattern_never_has_the_depth_of_its_repetition(
    where: Calibration,
    kind: str,
    z: float,
    period: float,
    phase: float,
    face_widths: Optional[float],
    contrast: float,
    noise: float,
    place: float,
    seed: int,
) -> None:
    """A repetition is at least one period away; nearer to the truth are errors of a pixel's fractions."""
    width = None if face_widths is None else face_widths * 0.15 * where.left.fx / z
    u = float(round(place * where.left.width))
    scene = Scene(where, PATTERNS[kind], z, period, phase, width, 0.0, contrast, noise, u=u, seed=seed)
    depth = depth_of(scene)
    if depth is not None:
        off = abs(where.focal_baseline / depth - where.focal_baseline / z)
        assert off < max(0.6 * period, 1.5) or depth == pytest.approx(z, rel=WRONG)


def many(own: float = 0.0) -> List[Scene]:
    """Scenes of all kinds: the same ones each time."""
    random = np.random.default_rng(5)
    scenes = []
    for kind in sorted(PATTERNS):
        for _ in range(6):
            where = CAMERAS[random.integers(len(CAMERAS))]
            z, period = float(np.exp(random.uniform(-0.9, 1.2))), float(np.exp(random.uniform(1.6, 3.8)))
            u = float(round(random.uniform(0.1, 0.8) * where.left.width))
            phase, seed = float(random.uniform()), int(random.integers(999))
            scenes.append(Scene(where, PATTERNS[kind], z, period, phase, own=own, u=u, seed=seed))
    return scenes


@pytest.mark.parametrize("own", [0.0, 0.05, 0.2], ids=["repeats", "almost repeats", "hardly repeats"])
def test_of_many_patterns_none_is_farther_or_nearer_than_it_is(own: float) -> None:
    assert [scene for scene in many(own=own) if abs(ratio_of(scene) - 1) > WRONG] == []


def test_a_pattern_that_fits_in_several_places_is_refused_as_ambiguous_not_as_unknown() -> None:
    told = [
        ambiguous(*scene.pair(), scene.u, HEIGHT / 2, scene.camera, NEAR)
        for scene in many()
        if depth_of(scene) is None and scene.period > 10
    ]
    assert len(told) >= 20
    assert np.mean(told) >= 0.9


@pytest.mark.parametrize("place", [0.03, 0.08, 0.15])
@pytest.mark.parametrize("kind", ["stripes", "chessboard", "fence", "bricks"])
def test_where_the_true_place_lies_beyond_the_right_pictures_edge_its_repetition_is_not_taken(
    kind: str, place: float
) -> None:
    where = CAMERAS[0]
    for period in (13.0, 22.0, 31.0):
        scene = Scene(where, PATTERNS[kind], 0.45, period, u=float(round(place * where.left.width)))
        assert abs(ratio_of(scene) - 1) <= WRONG


@pytest.mark.parametrize("kind", sorted(PATTERNS))
def test_a_face_before_a_patterned_wall_keeps_its_depth(kind: str) -> None:
    where, z, u = CAMERAS[2], 1.5, 700.0
    wall = Scene(where, PATTERNS[kind], 3.0, 24.0)
    shown: List[Picture] = []
    for eye, picture in enumerate(wall.pair()):
        columns = np.arange(where.left.width) + eye * where.focal_baseline / z
        inside = np.abs(columns - u) <= 0.075 * where.left.fx / z
        face = 128 + 25 * Waves(3, 4, 25).at(columns[inside], np.arange(HEIGHT, dtype=float))
        picture[:, inside] = np.clip(np.rint(face), 0, 255)
        shown.append(picture)
    patch = depth_patch(shown[0], shown[1], u, HEIGHT / 2, 5, where, NEAR, FAR)
    assert float(np.nanmedian(patch)) == pytest.approx(z, rel=0.01)


@pytest.mark.parametrize("kind", ["stripes", "chessboard", "bricks"])
def test_above_a_patterned_shirt_a_face_keeps_its_depth_and_the_shirt_has_the_true_one_or_none(kind: str) -> None:
    where, z, u, neck = CAMERAS[2], 1.2, 640.0, 110
    scene = Scene(where, PATTERNS[kind], z, 14.0, width_px=260, u=u)
    shown = [picture.copy() for picture in scene.pair()]
    for eye, picture in enumerate(shown):
        columns = np.arange(where.left.width) + eye * where.focal_baseline / z
        inside = np.abs(columns - u) <= 0.075 * where.left.fx / z
        face = 128 + 25 * Waves(3, 4, 25).at(columns[inside], np.arange(neck, dtype=float))
        picture[:neck, inside] = np.clip(np.rint(face), 0, 255)
    face_depth, shirt_depth = (
        depth_patch(shown[0], shown[1], u, v, 5, where, NEAR, FAR) for v in (neck - 60, neck + 30)
    )
    assert float(np.nanmedian(face_depth)) == pytest.approx(z, rel=0.01)
    assert not np.isfinite(shirt_depth).any() or float(np.nanmedian(shirt_depth)) == pytest.approx(z, rel=WRONG)


def test_what_does_not_repeat_itself_is_answered() -> None:
    """All but a few: waves of a few pixels may by chance look like others a hundred pixels away."""
    scenes = [
        Scene(where, lambda x, y: 0 * x + 0 * y, z, 1.0, own=0.5, u=float(round(0.6 * where.left.width)), seed=seed)
        for where in CAMERAS
        for seed, z in enumerate(np.linspace(0.5, 3, 12))
    ]
    answered = [scene for scene in scenes if depth_of(scene) is not None]
    assert len(answered) >= 0.95 * len(scenes)
    assert [ratio_of(scene) for scene in answered] == pytest.approx([1.0] * len(answered), abs=0.03)


def test_a_point_outside_the_picture_is_not_ambiguous() -> None:
    scene = Scene(CAMERAS[0], PATTERNS["stripes"], 1.0, 14.0)
    for u, v in ((-5, 80), (900, 80), (300, -3), (300, 400)):
        assert not ambiguous(*scene.pair(), u, v, scene.camera, NEAR)


def test_a_weak_wall_is_unknown_not_ambiguous() -> None:
    grey = np.full((HEIGHT, 672), 120, np.uint8)
    noise = np.random.default_rng(2).normal(0, 0.5, (2, HEIGHT, 672))
    left, right = (np.clip(np.rint(grey + eye), 0, 255).astype(np.uint8) for eye in noise)
    assert np.isnan(depth_patch(left, right, 400, 80, 5, CAMERAS[0], NEAR, FAR)).all()
    assert not ambiguous(left, right, 400, 80, CAMERAS[0], NEAR)


@pytest.mark.parametrize("kind", ["stripes", "chessboard"])
def test_a_pair_of_another_size_is_refused_alike(kind: str) -> None:
    scene = Scene(CAMERAS[0], PATTERNS[kind], 0.9, 22.0, u=400.0)
    for scale in (1, 2, 3):
        left, right = (cv2.resize(eye, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC) for eye in scene.pair())
        lens = Intrinsics(672 * scale, HEIGHT * scale, 350.0 * scale, 350.0 * scale, 0, 0)
        where = Calibration(lens, 0.12)
        u, v = (400.5 * scale - 0.5, (HEIGHT / 2 + 0.5) * scale - 0.5)
        patch = depth_patch(np.asarray(left, np.uint8), np.asarray(right, np.uint8), u, v, 5, where, NEAR, FAR)
        finite = patch[np.isfinite(patch)]
        assert finite.size == 0 or float(np.median(finite)) == pytest.approx(0.9, rel=WRONG)
