"""Three generations of TensorRT on the Jetsons, and how they tell which one they are."""

from __future__ import annotations

import pytest
from nasion.errors import DependencyError, InputError
from nasion.tensorrt.versions import Version, check_known, from_banner, from_number, from_text


@pytest.mark.parametrize(
    ("line", "version", "flag"),
    [
        ("&&&& RUNNING TensorRT.trtexec [TensorRT v8502] # trtexec --help", "8.5.2", "--buildOnly"),
        ("&&&& RUNNING TensorRT.trtexec [TensorRT v8601] # trtexec --help", "8.6.1", "--skipInference"),
        ("&&&& RUNNING TensorRT.trtexec [TensorRT v100300] [b26] # trtexec", "10.3.0", "--skipInference"),
        ("&&&& RUNNING TensorRT.trtexec [TensorRT v101600] [b72] # trtexec", "10.16.0", "--skipInference"),
    ],
)
def test_the_first_line_tells_the_version_and_the_version_tells_the_flag(line: str, version: str, flag: str) -> None:
    found = from_banner(f"{line}\n=== Model Options ===\n")
    assert str(found) == version
    assert found == from_text(version)
    assert found.only_build == flag
    check_known(found)


@pytest.mark.parametrize("number", [8401, 9200, 110300])
def test_other_generations_are_refused(number: int) -> None:
    with pytest.raises(DependencyError, match=r"known are 8\.5 and 8\.6"):
        check_known(from_number(number))


def test_a_program_that_says_no_version_is_none() -> None:
    with pytest.raises(DependencyError, match="did not say its version"):
        from_banner("usage: something else")


@pytest.mark.parametrize("text", ["8.5", "ten", "8.5.x", ""])
def test_a_mistyped_version_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"8\.5\.2"):
        from_text(text)


def test_a_fourth_number_says_nothing_more() -> None:
    assert from_text("8.5.2.2") == Version(8, 5, 2)
