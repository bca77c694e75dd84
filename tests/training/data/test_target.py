"""The heat map to be learnt."""

import numpy as np
import pytest

from training.data.target import TargetConfig, draw, gaussian


@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("place", [(40.0, 30.0), (40.5, 30.5), (12.3, 100.9)])
def test_the_peak_lies_where_the_keypoint_is(stride: int, place: tuple[float, float]) -> None:
    heat = gaussian((128, 128), stride, *place, sigma_px=4.0).astype(float)
    assert heat.shape == (128 // stride, 128 // stride)
    centres = (np.arange(128 // stride) + 0.5) * stride - 0.5
    assert (heat.sum(0) @ centres) / heat.sum() == pytest.approx(place[0], abs=0.05)
    assert (heat.sum(1) @ centres) / heat.sum() == pytest.approx(place[1], abs=0.05)
    assert heat.max() == pytest.approx(1, abs=0.02 * stride**2)


def test_nobody_is_zeros_of_weight_one() -> None:
    target, weight = draw((64, 64), 2, np.zeros((0, 2)), [], TargetConfig())
    assert not target.any()
    assert (weight == 1).all()


def test_every_face_is_drawn_and_the_tiny_one_counts_neither_way() -> None:
    config = TargetConfig()
    points = np.array([[20.0, 20.0], [90.0, 90.0], [20.0, 90.0]])
    target, weight = draw((128, 128), 2, points, [10.0, 30.0, 2.0], config)
    assert target[10, 10] > 0.9
    assert target[45, 45] > 0.9
    assert target[45, 10] < 0.1
    assert weight[45, 10] == 0
    assert weight[10, 10] == pytest.approx(1 + config.peak_weight * target[10, 10])


def test_a_tiny_face_beside_a_large_one_does_not_hide_it() -> None:
    _, weight = draw((128, 128), 2, np.array([[40.0, 40.0], [41.0, 40.0]]), [20.0, 2.0], TargetConfig())
    assert weight[20, 20] > 1


def test_the_map_has_the_picture_s_shape() -> None:
    target, weight = draw((64, 96), 4, np.array([[80.0, 10.0]]), [20.0], TargetConfig())
    assert target.shape == weight.shape == (16, 24)
    assert divmod(int(target.argmax()), target.shape[1]) == (2, 20)


def test_the_original_draws_the_most_prominent_face_only() -> None:
    target, _ = draw(
        (64, 64), 2, np.array([[10.0, 10.0], [50.0, 50.0]]), [20.0, 19.0], TargetConfig(prominent_only=True)
    )
    assert target[5, 5] > 0.9
    assert target[25, 25] < 0.01
