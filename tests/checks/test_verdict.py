"""One verdict for each thing, one exit code for all of them."""

from typing import List, Type

import pytest
from nasion.checks.verdict import TELLING, exit_code, fail, in_two, ok, refused, skipped, warn
from nasion.errors import DependencyError, HardwareError, InputError, NasionError


def test_all_that_can_be_wrong_before_a_run_has_its_place_in_the_order() -> None:
    assert sorted(TELLING) == sorted(
        kind.exit_code for kind in (NasionError, InputError, DependencyError, HardwareError)
    )


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([], 0), ([1], 1), ([1, 4], 4), ([4, 3], 3), ([1, 4, 3, 2], 2), ([4, 1, 2], 2), ([5], 1)],
)
def test_the_most_telling_failure_gives_the_exit_code(codes: List[int], expected: int) -> None:
    harmless = [ok("a", "there"), warn("b", "old", "renew it"), skipped("c", "not needed")]
    assert exit_code([*harmless, *(fail("x", "broken", "mend it", code) for code in codes)]) == expected


@pytest.mark.parametrize("kind", [NasionError, InputError, DependencyError, HardwareError])
def test_an_error_of_a_run_becomes_a_failure_with_its_remedy_and_code(kind: Type[NasionError]) -> None:
    verdict = refused("broker", kind("it is not there; start it"))
    assert verdict == fail("broker", "it is not there", "start it", kind.exit_code)


@pytest.mark.parametrize(
    ("text", "found", "told"),
    [
        ("gone; look for it; then again", "gone", "look for it; then again"),
        ("infer-dims=3;288;480 is wrong; write 3;224;224", "infer-dims=3;288;480 is wrong", "write 3;224;224"),
        ("no camera (LOST: plug it in; or look)", "no camera (LOST: plug it in; or look)", ""),
        ("no camera (LOST: a; b); plug it in", "no camera (LOST: a; b)", "plug it in"),
        ("nothing to do", "nothing to do", ""),
    ],
)
def test_what_is_wrong_and_what_to_do_stand_apart(text: str, found: str, told: str) -> None:
    assert in_two(text) == (found, told)


def test_a_failure_always_has_a_remedy() -> None:
    assert refused("x", NasionError("nothing to do"), "mend it").remedy == "mend it"
    assert refused("x", NasionError("nothing to do")).remedy


def test_the_exit_code_does_not_stand_in_the_json() -> None:
    assert warn("b", "old", "renew it").as_json() == {
        "name": "b",
        "status": "warn",
        "found": "old",
        "remedy": "renew it",
    }
