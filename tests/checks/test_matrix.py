"""The table of versions that go together."""

from typing import Optional, Tuple

import pytest
from nasion.checks.matrix import RELEASES, any_of, fits, numbers_in, read_l4t, release_of, written

#: L4T, DeepStream, TensorRT, CUDA, Python, pyds, as NVIDIA's release notes pair them.
PAIRS = [
    ("35.4", "6.3", "8.5", "11.4", "3.8", "1.1.8"),
    ("35.5", "6.3", "8.5", "11.4", "3.8", "1.1.8"),
    ("36.2", "6.4", "8.6", "12.2", "3.10", "1.1.10"),
    ("36.3", "7.0", "8.6", "12.2", "3.10", "1.1.11"),
    ("36.4", "7.1", "10.3", "12.6", "3.10", "1.2.0"),
    ("38.2", "8.0", "10.13", "13.0", "3.12", "1.2.2"),
    ("38.4", "9.0", "10.14", "13", "3.12", None),
    ("39.2", "9.1 or 9.2", "10.16", "13.2", "3.12", None),
]


@pytest.mark.parametrize(("l4t", "deepstream", "tensorrt", "cuda", "python", "pyds"), PAIRS)
def test_what_goes_with_an_l4t(
    l4t: str, deepstream: str, tensorrt: str, cuda: str, python: str, pyds: Optional[str]
) -> None:
    row = release_of((*numbers_in(l4t), 3))
    assert row is not None
    assert any_of(row.deepstream) == deepstream
    assert (written(row.tensorrt), written(row.cuda), written(row.python)) == (tensorrt, cuda, python)
    assert (written(row.pyds) if row.pyds else None) == pyds


def test_no_l4t_stands_in_two_rows() -> None:
    every = [one for row in RELEASES for one in (*row.l4t, *row.reported)]
    assert len(every) == len(set(every))


def test_xavier_is_in_the_row_of_deepstream_6_3_only() -> None:
    assert [any_of(row.deepstream) for row in RELEASES if "Xavier" in row.modules] == ["6.3"]


@pytest.mark.parametrize("l4t", [None, (32, 7, 1), (35, 3, 1), (36, 5, 0), (37, 0, 0)])
def test_an_l4t_that_is_not_in_the_table_has_no_row(l4t: Optional[Tuple[int, ...]]) -> None:
    assert release_of(l4t) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# R35 (release), REVISION: 4.1, GCID: 33958178, BOARD: t186ref, EABI: aarch64, DATE: Tue Aug", (35, 4, 1)),
        ("# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64\n# KERNEL_VARIANT", (36, 4, 3)),
        ("# R36 (release), REVISION: 4", (36, 4, 0)),
        ("# R36 (release), REVISION: 4, GCID: 1", (36, 4, 0)),
        ("", None),
        (None, None),
        ("something else", None),
    ],
)
def test_the_file_that_says_which_l4t_it_is(text: Optional[str], expected: Optional[Tuple[int, ...]]) -> None:
    assert read_l4t(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Version: 9.1\nGCID: 1", (9, 1)), ('set(PACKAGE_VERSION "5.0.1")', (5, 0, 1)), ("none", ()), ("7", ())],
)
def test_a_version_is_found_in_what_surrounds_it(text: str, expected: Tuple[int, ...]) -> None:
    assert numbers_in(text) == expected


def test_10_3_is_no_10_30() -> None:
    assert fits((10, 3, 0), [(10, 3)])
    assert not fits((10, 30, 0), [(10, 3)])
    assert not fits((10,), [(10, 3)])
