"""Still pictures of all sizes: found where they are, with the model's threshold and at the scale that shows most."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nasion.core.results import FrameReason
from nasion.engine.onnx_model import HeatMapModel
from nasion.errors import InputError
from nasion.locating import LOOKS, ONE_LOOK, PictureLocator
from onnx import helper

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def with_spot(width: int, height: int, u: float, v: float, sigma: float, strength: float = 1.0) -> NDArray[np.uint8]:
    """Grey noise with a red Gaussian of ``sigma`` pixels around (u, v)."""
    rows, columns = np.mgrid[:height, :width]
    spot = strength * np.exp(-((columns - u) ** 2 + (rows - v) ** 2) / (2 * sigma**2))[:, :, None]
    noise = np.random.default_rng(0).integers(90, 130, (height, width, 1)) * np.ones(3)
    mixed: NDArray[np.float64] = noise * (1 - spot) + np.array([0, 0, 255]) * spot
    return mixed.round().astype(np.uint8)


@pytest.fixture(scope="session")
def locator(spot_model: Path) -> PictureLocator:
    return PictureLocator(spot_model)


@given(
    shape=st.tuples(st.integers(120, 900), st.integers(120, 900)),
    place=st.tuples(st.floats(0.2, 0.8), st.floats(0.2, 0.8)),
)
@settings(max_examples=25, deadline=None)
def test_the_spot_is_found_where_it_is_whatever_the_size(
    locator: PictureLocator, shape: tuple[int, int], place: tuple[float, float]
) -> None:
    height, width = shape
    u, v = place[0] * width, place[1] * height
    scale = max(width, height) / 320
    located = locator.find(with_spot(width, height, u, v, 4 * scale)).located
    assert located.reason is None
    assert located.keypoints[0].u == pytest.approx(u, abs=0.5 * scale)
    assert located.keypoints[0].v == pytest.approx(v, abs=0.5 * scale)


@pytest.mark.parametrize(
    ("strength", "reason"),
    [(1.0, None), (0.55, FrameReason.LOW_PROBABILITY), (0.2, FrameReason.NO_FACE)],
)
def test_the_models_own_threshold_decides(locator: PictureLocator, strength: float, reason: FrameReason | None) -> None:
    located = locator.find(with_spot(320, 240, 100, 80, 6, strength)).located
    assert located.reason is reason
    assert bool(located.keypoints) == (reason is None)
    assert located.peak == pytest.approx(strength, abs=0.1)


def test_a_threshold_of_zero_gives_the_place_of_the_highest_peak(locator: PictureLocator) -> None:
    keypoint = locator.find(with_spot(320, 240, 100, 80, 6, 0.2), threshold=0).located.keypoints[0]
    assert (keypoint.u, keypoint.v) == pytest.approx((100, 80), abs=2)


def test_two_persons_where_two_are_asked_for(locator: PictureLocator) -> None:
    picture = np.hstack((with_spot(160, 240, 80, 120, 6), with_spot(160, 240, 80, 120, 6, 0.9)))
    found = locator.find(picture, max_persons=2).located.keypoints
    assert [round(keypoint.u) for keypoint in found] == [80, 240]


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 900), (900, 3), (64, 48)])
def test_odd_pictures_are_searched_like_any_other(locator: PictureLocator, width: int, height: int) -> None:
    finding = locator.find(np.full((height, width, 3), 120, np.uint8))
    assert finding.located.reason is FrameReason.NO_FACE
    assert (finding.geometry.frame_width, finding.geometry.frame_height) == (width, height)


def test_the_closer_look_finds_what_averaging_hides(spot_model: Path) -> None:
    """A spot that is a pixel wide at the second look."""
    picture = with_spot(1280, 720, 1011, 322, 2.6)
    assert PictureLocator(spot_model, closer_look=False).find(picture).located.reason is not None
    keypoint = PictureLocator(spot_model).find(picture).located.keypoints[0]
    assert (keypoint.u, keypoint.v) == pytest.approx((1011, 322), abs=1)


@pytest.mark.parametrize(("strength", "found"), [(0.7, False), (0.95, True)])
def test_the_closer_look_must_be_surer(spot_model: Path, strength: float, found: bool) -> None:
    """The threshold is 0.6; halfway between it and certainty is 0.8."""
    located = PictureLocator(spot_model).find(with_spot(960, 720, 300, 200, 5, strength)).located
    assert bool(located.keypoints) == found


def test_what_the_closer_look_sees_as_well_is_placed_by_it(spot_model: Path) -> None:
    picture = with_spot(960, 720, 300, 200, 9, 1.0)
    first = PictureLocator(spot_model, closer_look=False).find(picture)
    both = PictureLocator(spot_model).find(picture)
    assert first.located.keypoints
    assert both.geometry.scale_x < first.geometry.scale_x
    assert (both.located.peak or 0) >= (first.located.peak or 0)


def test_the_closer_look_leaves_small_pictures_alone(spot_model: Path) -> None:
    picture = with_spot(200, 150, 60, 50, 4)
    first = PictureLocator(spot_model, closer_look=False).find(picture)
    assert PictureLocator(spot_model).find(picture).geometry == first.geometry


def test_a_file_that_is_no_model_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(InputError, match=r"bad\.onnx"):
        PictureLocator(tmp_path / "bad.onnx")


def test_what_is_seen_in_one_size_only_is_nobody(spot_model: Path) -> None:
    """A spot so small that the first of two looks averages it away, and the second does not."""
    picture = with_spot(480, 360, 200, 150, 1)
    alone = PictureLocator(spot_model, looks=(480,)).find(picture).located
    both = PictureLocator(spot_model).find(picture).located
    assert alone.keypoints
    assert not both.keypoints
    assert (both.peak or 0) < (alone.peak or 0)


@pytest.mark.parametrize(("agreed_threshold", "found"), [(0.5, True), (0.7, False), (None, True)])
def test_two_looks_have_a_threshold_of_their_own(
    spot_model: Path, tmp_path: Path, agreed_threshold: float | None, found: bool
) -> None:
    """The model's for one look is 0.6; without another it holds for both."""
    facts = {} if agreed_threshold is None else {"agreed_threshold": str(agreed_threshold)}
    path = told(spot_model, tmp_path / "spot.onnx", **facts)
    picture = with_spot(320, 240, 100, 80, 6, 0.66)

    assert bool(PictureLocator(path).find(picture).located.keypoints) == found
    assert PictureLocator(path, looks=ONE_LOOK).threshold == 0.6


class TestTheLooksOfAModel:
    """Sizes that a model's file names: each two neighbours must agree, the surest pair decides."""

    LOOKS = (224, 320, 480)
    PAIRS = (LOOKS[:2], LOOKS[1:])

    @pytest.fixture
    def particular(self, spot_model: Path, tmp_path: Path) -> Path:
        """Sees red spots but no large ones: what is around them is subtracted. It names three looks."""
        model = told(spot_model, tmp_path / "spot.onnx", looks=", ".join(map(str, self.LOOKS)))
        proto = onnx.load(model)
        proto.graph.node.insert(
            2, helper.make_node("AveragePool", ["pooled"], ["around"], kernel_shape=[31, 31], pads=[15] * 4)
        )
        proto.graph.node.insert(3, helper.make_node("Sub", ["pooled", "around"], ["alone"]))
        proto.graph.node[4].input[0] = "alone"
        onnx.save(proto, model)
        return model

    def test_they_take_the_place_of_the_usual_ones(self, particular: Path, spot_model: Path) -> None:
        assert tuple(PictureLocator(particular).looks) == self.LOOKS
        assert tuple(PictureLocator(particular, looks=ONE_LOOK).looks) == ONE_LOOK
        assert tuple(PictureLocator(spot_model).looks) == LOOKS

    @pytest.mark.parametrize(("sigma", "decides"), [(1.7, 1), (24, 0)])
    def test_the_pair_that_sees_more_of_somebody_decides(self, particular: Path, sigma: float, decides: int) -> None:
        picture = with_spot(480, 360, 200, 150, sigma)
        alone = [PictureLocator(particular, looks=pair, closer_look=False).find(picture) for pair in self.PAIRS]
        assert [bool(one.located.keypoints) for one in alone] == [index == decides for index in range(2)]
        found = PictureLocator(particular).find(picture)
        assert (found.located, found.geometry) == (alone[decides].located, alone[decides].geometry)
        assert (found.located.keypoints[0].u, found.located.keypoints[0].v) == pytest.approx((200, 150), abs=1)

    @pytest.mark.parametrize(("sigma", "decides"), [(4, 1), (6, 0)])
    def test_of_two_that_are_sure_the_one_that_knows_the_place_better_tells_it(
        self, particular: Path, sigma: float, decides: int
    ) -> None:
        """The larger pair is the surer one both times; the probability is the surer one's in any case."""
        picture = with_spot(480, 360, 200, 150, sigma)
        smaller, larger = (PictureLocator(particular, looks=p, closer_look=False).find(picture) for p in self.PAIRS)
        assert 0.9 * (larger.located.peak or 0) < (smaller.located.peak or 0) < (larger.located.peak or 0)
        found = PictureLocator(particular).find(picture)
        told, expected = found.located.keypoints[0], (smaller, larger)[decides].located.keypoints[0]
        assert found.geometry == (smaller, larger)[decides].geometry
        assert (told.u, told.v) == pytest.approx((expected.u, expected.v), abs=1e-3)
        assert (told.sigma_u, told.sigma_v) == pytest.approx((expected.sigma_u, expected.sigma_v), rel=1e-2)
        assert told.probability == found.located.peak == pytest.approx(larger.located.peak)

    @pytest.mark.parametrize(("threshold", "found"), [(0.9, True), (0.93, False)])
    def test_the_surest_pair_tells_whether_somebody_is_there(
        self, particular: Path, threshold: float, found: bool
    ) -> None:
        """The smaller pair, which knows the place better, comes up to 0.899, the larger one to 0.914."""
        located = PictureLocator(particular).find(with_spot(480, 360, 200, 150, 6), threshold=threshold).located
        assert bool(located.keypoints) == found
        assert located.reason is (None if found else FrameReason.LOW_PROBABILITY)

    def test_what_one_size_alone_sees_is_nobody(self, spot_model: Path, tmp_path: Path) -> None:
        picture = with_spot(480, 360, 200, 150, 1)
        model = told(spot_model, tmp_path / "spot.onnx", looks="224, 320, 480")
        assert PictureLocator(model, looks=(480,)).find(picture).located.keypoints
        assert not PictureLocator(model).find(picture).located.keypoints

    @pytest.mark.parametrize(
        "looks", ["", "320", "320, 481", "0, 320", "320 x 240", "-320, 320", "320, 320000", "480, 320"]
    )
    def test_sizes_that_no_network_takes_are_refused(self, spot_model: Path, tmp_path: Path, looks: str) -> None:
        model = told(spot_model, tmp_path / "spot.onnx", looks=looks)
        with pytest.raises(InputError, match=rf"spot\.onnx.*'nasion\.looks'.*came: {looks!r}"):
            PictureLocator(model)


def told(model: Path, copy: Path, **facts: str) -> Path:
    """A ``copy`` of ``model`` that says this of itself, too."""
    proto = onnx.load(model)
    for key, value in facts.items():
        proto.metadata_props.add(key=f"nasion.{key}", value=value)
    onnx.save(proto, copy)
    return copy


def test_a_folder_of_many_shapes_does_not_fill_the_memory(spot_model: Path) -> None:
    """Engines are the memory: of all that were opened only so many live, and those that are used again stay."""
    engines: weakref.WeakSet[HeatMapModel] = weakref.WeakSet()

    class Counted(HeatMapModel):
        def __init__(self, path: Path, *, height: int, width: int, threads: int) -> None:
            super().__init__(path, height=height, width=width, threads=threads)
            engines.add(self)
            opened.append((height, width))

    opened: list[tuple[int, int]] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("nasion.locating.HeatMapModel", Counted)
        locator = PictureLocator(spot_model)
        often = np.zeros((240, 320, 3), np.uint8)
        for height in range(64, 1024, 64):
            locator.find(often)
            locator.find(np.zeros((height, 640, 3), np.uint8))
    assert len(opened) > 20
    assert len(engines) == 8
    assert opened.count((256, 320)) == 1
