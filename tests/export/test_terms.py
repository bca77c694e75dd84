"""What a card says of the terms is what the run was made of; nothing is claimed that nobody told."""

import pytest

from export.terms import RESEARCH_NOTICE, RESEARCH_ONLY, licence_of, notice_of, notice_of_licence
from training.fit.origin import Origin, Weights

OWN = {"hall": 40, "yard": 12}
OURS = Weights(name="nasion-lite 2", licence="research use only (terms of the training pictures); see the model card")
FREE = Weights(name="free 1", licence="CC0")


def origin(sources: dict[str, int], *weights: Weights) -> Origin:
    return Origin(commands=("python -m training.train",), sources=sources, weights=weights)


def test_from_scratch_on_own_pictures_nothing_is_restricted_by_us() -> None:
    made = origin(OWN)
    assert not licence_of(made).startswith(RESEARCH_ONLY)
    assert "Research use only" not in notice_of(made)
    assert "`hall` (40), `yard` (12)" in notice_of(made)


@pytest.mark.parametrize(
    "made",
    [
        origin(OWN, OURS),
        origin({**OWN, "helen": 3}),
        origin({"helen": 3, "lfw": 9}, OURS),
        origin(OWN, Weights(name="best.ckpt", licence="pictures of helen, hall")),
        origin(OWN, FREE, OURS),
    ],
    ids=["fine-tuned from ours", "mixed with ours", "both", "from a checkpoint of ours", "taught by ours"],
)
def test_what_was_made_of_research_pictures_stays_so(made: Origin) -> None:
    assert licence_of(made).startswith(RESEARCH_ONLY)
    assert "**Research use only.**" in notice_of(made)
    assert "from scratch" in " ".join(notice_of(made).split())


def test_our_own_releases_have_our_notice() -> None:
    assert notice_of(origin({"helen": 3, "lfw": 9})) == RESEARCH_NOTICE
    assert notice_of_licence("nasion-lite 2", OURS.licence or "") == RESEARCH_NOTICE


def test_free_weights_stay_free() -> None:
    assert not licence_of(origin(OWN, FREE)).startswith(RESEARCH_ONLY)
    assert "free 1: CC0" in " ".join(notice_of(origin(OWN, FREE)).split())
    assert "CC0" in notice_of_licence("free", "CC0")


@pytest.mark.parametrize("made", [None, origin(OWN, Weights(name="old.ckpt", licence=None))])
def test_what_nobody_told_is_not_known(made: Origin | None) -> None:
    assert licence_of(made).startswith("not known")
    assert "Terms not known" in notice_of(made)


def test_lines_are_those_of_a_page() -> None:
    assert max(map(len, notice_of(origin({f"source{n}": n for n in range(40)}, FREE)).splitlines())) <= 121
