"""A run says what it is made of before its first step."""

from collections.abc import Callable
from pathlib import Path

import pytest

from training.data.table import of_split, read_table
from training.errors import WorkshopError
from training.fit.origin import FILE, Origin, Weights, origin_of_run, read_origin, write_origin

LITE = Path(__file__).parents[3] / "weights" / "nasion-lite.onnx"


def test_the_sources_are_those_that_are_learnt_from(make_table: Callable[..., Path]) -> None:
    pictures = read_table(make_table())
    origin = origin_of_run(pictures, [])
    assert sum(origin.sources.values()) == len(of_split(pictures, "train"))
    assert origin.weights == ()
    assert origin.commands[0].startswith("python ")


def test_what_it_begins_with_is_told_with_all_that_that_began_with(
    make_table: Callable[..., Path], tmp_path: Path
) -> None:
    pictures = read_table(make_table())
    (ours,) = origin_of_run(pictures, [LITE]).weights
    assert ours.name == "nasion-lite 2"
    assert (ours.licence or "").startswith("research use only")
    write_origin(tmp_path, Origin(commands=("a",), sources={"hall": 3}, weights=(ours,)))
    (tmp_path / "best.ckpt").touch()
    assert origin_of_run(pictures, [tmp_path / "best.ckpt"]).weights == (
        Weights(name="best.ckpt", licence="pictures of hall"),
        ours,
    )


def test_a_checkpoint_from_elsewhere_says_nothing(make_table: Callable[..., Path], tmp_path: Path) -> None:
    assert origin_of_run(read_table(make_table()), [tmp_path / "old.ckpt"]).weights == (
        Weights(name="old.ckpt", licence=None),
    )


def test_a_resumed_run_is_made_of_both(tmp_path: Path) -> None:
    first = Origin(commands=("a",), sources={"hall": 3}, weights=(Weights(name="x", licence=None),))
    write_origin(tmp_path, first)
    again = Origin(commands=("a --resume",), sources={"yard": 4}).after(read_origin(tmp_path))
    assert again == Origin(commands=("a", "a --resume"), sources={"hall": 3, "yard": 4}, weights=first.weights)


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"commands": 3}', "\x00"])
def test_a_damaged_one_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(WorkshopError, match=FILE):
        read_origin(tmp_path)
