"""The made scene is what it says: the person is where the truth is, in both eyes, comes too near, goes far and away."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from nasion.core.stereo import depth_patch
from nasion.errors import DependencyError
from nasion.sources.demo.portrait import load_portrait
from nasion.sources.demo.scene import CALIBRATIONS, WALL_M, DemoScene
from nasion.sources.demo.walk import CYCLE_FRAMES, FPS, place


@pytest.fixture(scope="module", params=sorted(CALIBRATIONS))
def scene(request: pytest.FixtureRequest) -> DemoScene:
    return DemoScene(request.param)


def test_the_truth_is_the_pinhole_projection_of_the_place(scene: DemoScene) -> None:
    lens = scene.calibration.left
    for index in range(0, CYCLE_FRAMES, 5):
        truth = scene.truth(index)
        if truth is None:
            continue
        x, y, z = truth.xyz
        assert (x, y, z) == place(index)
        assert ((truth.u - lens.cx) * z / lens.fx, (truth.v - lens.cy) * z / lens.fy) == pytest.approx((x, y))
        assert truth.u - truth.u_right == pytest.approx(scene.calibration.focal_baseline / z)


def test_the_person_stands_in_the_pictures_where_the_truth_says(scene: DemoScene) -> None:
    checked = 0
    for index in (0, 45, 95, 150, 200, 260, 310, 360, 420, 500, 690):
        truth = scene.truth(index)
        if truth is None or not truth.whole_face:
            continue
        left, right = scene.render(index)
        depth = depth_patch(left, right, truth.u, truth.v, 5, scene.calibration, 0.3, 10.0)
        assert float(np.median(depth)) == pytest.approx(truth.xyz[2], rel=0.01)
        checked += 1
    assert checked >= 9


def test_the_eyes_in_the_picture_are_at_the_eyes_of_the_portrait(scene: DemoScene) -> None:
    """The pupils are the darkest of what lies beside the keypoint, and 63 mm apart."""
    truth = scene.truth(150)
    assert truth is not None
    left, _ = scene.render(150)
    grey = left.astype(np.float64).mean(axis=2)
    metre = scene.calibration.left.fx / truth.xyz[2]
    pupils = []
    for side in (-1, 1):
        u, v = truth.u + side * 0.0315 * metre, truth.v + side * 0.0016 * metre
        half = 0.008 * metre
        window = grey[round(v - half) : round(v + half), round(u - half) : round(u + half)]
        dark = np.clip(70 - window, 0, None)
        rows, columns = np.mgrid[: window.shape[0], : window.shape[1]]
        pupils.append((round(u - half) + (dark * columns).sum() / dark.sum(), (dark * rows).sum() / dark.sum()))
    assert (pupils[1][0] - pupils[0][0]) / metre == pytest.approx(0.063, abs=0.003)
    assert (pupils[0][0] + pupils[1][0]) / 2 == pytest.approx(truth.u, abs=0.002 * metre)


def test_the_wall_is_where_it_says(scene: DemoScene) -> None:
    truth = scene.truth(0)
    assert truth is not None
    left, right = scene.render(0)
    width, height = scene.calibration.left.width, scene.calibration.left.height
    patches = [
        depth_patch(left, right, u * width, v * height, 5, scene.calibration, 0.7, 10.0)
        for u in (0.1, 0.2, 0.3, 0.7, 0.8, 0.9)
        for v in (0.2, 0.3, 0.8, 0.9)
    ]
    # Its texture is weak: of places that several depths fit alike none is given. 10 of 24 are answered.
    depth = [float(np.median(patch[np.isfinite(patch)])) for patch in patches if np.isfinite(patch).any()]
    assert len(depth) >= 8
    assert depth == pytest.approx([WALL_M] * len(depth), rel=0.06)


def test_the_same_frame_is_always_the_same_and_another_one_is_not(scene: DemoScene) -> None:
    again = DemoScene(scene.calibration.left.height)
    for one, other in zip(scene.render(37), again.render(37)):
        assert np.array_equal(one, other)
    # One walk later the person is at the same place, but the noise is new.
    assert not np.array_equal(scene.render(37)[0], scene.render(37 + CYCLE_FRAMES)[0])


def test_each_eye_has_its_own_noise_and_the_right_one_is_a_little_darker(scene: DemoScene) -> None:
    part = np.s_[100:400, 100:500]
    frames = np.stack([[eye[part] for eye in scene.render(index)] for index in (540, 540 + CYCLE_FRAMES)])
    difference = frames[0].astype(int) - frames[1]
    for eye in (0, 1):
        # Two noises of 2.5 grey levels.
        assert difference[eye].std() == pytest.approx(2.5 * np.sqrt(2), rel=0.1)
    assert abs(np.corrcoef(difference[0].ravel(), difference[1].ravel())[0, 1]) < 0.03
    means = frames.mean(axis=(0, 2, 3, 4))
    assert 0.95 < means[1] / means[0] < 0.99


def test_pictures_are_fresh_arrays_of_the_calibrated_size(scene: DemoScene) -> None:
    lens = scene.calibration.left
    first, second = scene.render(3), scene.render(3)
    for one, other in zip(first, second):
        assert one.shape == (lens.height, lens.width, 3)
        assert one.dtype == np.uint8
        assert one.flags.c_contiguous
        assert not np.shares_memory(one, other)


@pytest.mark.parametrize("height", sorted(CALIBRATIONS))
def test_the_walk_shows_everything_a_demonstration_needs(height: int) -> None:
    scene = DemoScene(height)
    truths = [scene.truth(index) for index in range(CYCLE_FRAMES)]
    assert 20 * FPS <= CYCLE_FRAMES <= 30 * FPS
    seen = [truth for truth in truths if truth is not None]
    depths = np.array([truth.xyz[2] for truth in seen])
    assert 0.6 <= depths.min() < 0.65
    assert 4.9 < depths.max() <= 5.0
    assert np.count_nonzero(depths < 0.7) >= FPS
    assert np.count_nonzero((depths >= 1) & (depths < 2.5)) >= 4 * FPS
    assert np.count_nonzero((depths >= 2.5) & (depths < 4)) >= 2 * FPS
    # Out of view once, for more than a second, and back; in view first of all.
    gone = [truth is None for truth in truths]
    assert sum(gone) >= FPS
    assert sum(one != other for one, other in zip(gone, gone[1:])) == 2
    assert not any(gone[: round(5 * FPS)])
    assert np.mean([truth is not None and truth.whole_face for truth in truths]) > 0.8
    assert truths[0] is not None
    assert truths[0].xyz[2] == pytest.approx(2.0)


def test_nobody_walks_faster_than_a_person_and_the_walk_closes() -> None:
    places = np.array([place(index) for index in range(CYCLE_FRAMES + 1)])
    steps = np.linalg.norm(np.diff(places, axis=0), axis=1) * FPS
    assert steps.max() < 3.0
    assert places[0].tolist() == places[-1].tolist()


def test_a_missing_library_is_told_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(DependencyError, match="scripts/setup demo"):
        load_portrait()
    broken = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: broken)
    with pytest.raises(DependencyError, match=r"astronaut\.png is not"):
        load_portrait()
