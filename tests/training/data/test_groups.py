"""Which groups become val: the same everywhere, whatever the order, and about as many as asked for."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.groups import Stratum, draw_groups, unit_interval
from training.errors import WorkshopError

KIND = Stratum("mine", True)


def split_by_group(groups: Iterable[str], share: float = 0.1, seed: int = 0) -> frozenset[str]:
    """All of one stratum."""
    return draw_groups(dict.fromkeys(groups, KIND), share, seed)


GROUPS = st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=40)


@given(GROUPS, st.integers(0, 5), st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(groups: list[str], seed: int, random: st.DataObject) -> None:
    mixed = groups * 2
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert split_by_group(mixed, 0.3, seed) == split_by_group(groups, 0.3, seed)


@given(GROUPS)
def test_two_groups_or_more_are_on_both_sides(groups: list[str]) -> None:
    val = split_by_group(groups)
    assert val <= set(groups)
    if len(set(groups)) > 1:
        assert 0 < len(val) < len(set(groups))


@given(st.integers(0, 1000), st.sampled_from([0.1, 0.2, 0.5]))
def test_the_share_is_as_asked(seed: int, share: float) -> None:
    count = len(split_by_group((f"group {n}" for n in range(4000)), share, seed))
    assert abs(count - 4000 * share) <= 1


def test_no_group_changes_sides_when_others_are_added() -> None:
    """But for those at the border."""
    few, many = ({f"group {n}" for n in range(count)} for count in (500, 1000))
    before, after = split_by_group(few), split_by_group(many) & few
    assert before <= after or after <= before
    assert len(before ^ after) < 0.05 * len(few)


def test_the_draw_is_the_same_on_every_machine() -> None:
    assert unit_interval(0, "person A") == int.from_bytes(bytes.fromhex(PERSON_A), "big") / 2**48
    assert split_by_group("abcdefghij", 0.3, 7) != split_by_group("abcdefghij", 0.3, 8)


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, float("nan")])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(WorkshopError, match="between 0 and 1"):
        split_by_group(["a", "b"], share)


#: The first six bytes of SHA-256 of "0:person A", as `sha256sum` has them.
PERSON_A = "3a07631f89cc"
