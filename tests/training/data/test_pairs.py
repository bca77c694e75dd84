"""Pairs of crops: which pictures meet, and what is drawn for them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from training.data.augment import CropRange
from training.data.pairs import CropRecipe, PairDataset, Sampling
from training.data.pixels import read_rgb
from training.data.table import Picture, TableError, read_table


def dataset(pictures: list[Picture], sampling: Sampling, **options: int) -> PairDataset:
    pixels = [read_rgb(p.path) for p in pictures]
    recipe = CropRecipe(64, reach=CropRange(backdrop=0.5))
    return PairDataset(pictures, pixels, recipe=recipe, stride=2, sampling=sampling, **options)


def met(pairs: PairDataset) -> list[tuple[int, int]]:
    return [pairs.pair(np.random.default_rng(i), i) for i in range(len(pairs))]


@pytest.fixture
def pictures(make_table: Callable[..., Path]) -> list[Picture]:
    """24 positives and 24 negatives, in turn."""
    return read_table(make_table(6))


def test_a_pair_is_one_positive_and_one_negative(pictures: list[Picture]) -> None:
    pairs = dataset(pictures, Sampling(), pairs=8)
    for index in range(8):
        item = pairs[index]
        assert item["picture"].shape == (2, 3, 64, 64)
        assert item["target"].shape == item["weight"].shape == (2, 1, 32, 32)
        assert item["target"][0].max() > 0.8
        assert item["target"][1].max() == 0


def test_indexed_positives_are_each_seen_once_an_epoch(pictures: list[Picture]) -> None:
    pairs = dataset(pictures, Sampling("indexed", "random"))
    assert sorted(positive for positive, _ in met(pairs)) == pairs.positives


def test_short_epochs_go_on_through_the_indexed_positives(pictures: list[Picture]) -> None:
    half = len(dataset(pictures, Sampling("indexed", "random")).positives) // 2
    epochs = [dataset(pictures, Sampling("indexed", "random"), pairs=half, epoch=epoch) for epoch in (0, 1)]
    assert sorted(positive for pairs in epochs for positive, _ in met(pairs)) == epochs[0].positives[: 2 * half]


def test_shuffled_negatives_are_each_seen_once_and_meet_others_in_the_next_epoch(pictures: list[Picture]) -> None:
    first, second = (met(dataset(pictures, Sampling("indexed", "shuffled"), epoch=epoch)) for epoch in (0, 1))
    assert sorted(negative for _, negative in first) == sorted(negative for _, negative in second)
    assert first != second


def test_ordered_negatives_show_the_original_s_mistake(pictures: list[Picture]) -> None:
    fewer_positives = [p for i, p in enumerate(pictures) if not p.positive or i < 10]
    pairs = dataset(fewer_positives, Sampling("indexed", "ordered"))
    assert met(pairs) == met(dataset(fewer_positives, Sampling("indexed", "ordered"), epoch=1))
    assert len({negative for _, negative in met(pairs)}) == len(pairs.positives) < len(pairs.negatives)


def test_random_ones_come_from_their_kind(pictures: list[Picture]) -> None:
    pairs = dataset(pictures, Sampling("random", "random"), pairs=200)
    positives, negatives = zip(*met(pairs), strict=True)
    assert set(positives) == set(pairs.positives)
    assert set(negatives) == set(pairs.negatives)


def test_a_class_without_pictures_is_refused(pictures: list[Picture]) -> None:
    with pytest.raises(TableError, match="no negative picture"):
        dataset([p for p in pictures if p.positive], Sampling())


def test_an_unreadable_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"no picture")
    with pytest.raises(TableError, match=r"x\.jpg: not a readable picture"):
        read_rgb(tmp_path / "x.jpg")
