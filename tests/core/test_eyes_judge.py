"""One look after the other, as a story: what is believed when, and when the next look is due."""

from __future__ import annotations

import pytest
from nasion.core.eyes_judge import FIRST_LOOKS, EyesJudge
from nasion.core.results import EyesFault, EyesFit, EyesLook, EyesUnknown, EyesVerdict

S = 1_000_000_000
FRAME = S // 30
LIMIT = 2.0

LOOKS = {
    "good": EyesLook(0.2, LIMIT),
    "poor": EyesLook(1.4, LIMIT),
    "nearly": EyesLook(1.7, LIMIT),
    "rows": EyesLook(5.0, LIMIT, fault=EyesFault.ROWS),
    "crossed": EyesLook(0.3, LIMIT, fault=EyesFault.CROSSED),
    "same": EyesLook(0.0, LIMIT, fault=EyesFault.SAME),
    "unrelated": EyesLook(None, LIMIT, fault=EyesFault.UNRELATED),
    "dark": EyesLook(None, LIMIT, unknown=EyesUnknown.LITTLE_TEXTURE),
}


def told(judge: EyesJudge, *story: str) -> list[str]:
    """After each look: the fault or how they fit; with a `!` where distances are withheld."""
    said = []
    for number, name in enumerate(story):
        verdict = judge.add(LOOKS[name], number * S)
        word = (verdict.fault or verdict.fit).value
        said.append(f"{word}!" if verdict.withheld else word)
    return said


@pytest.mark.parametrize(
    ("story", "expected"),
    [
        ("good", "ok"),
        ("rows", "rows!"),
        ("crossed", "crossed!"),
        ("dark dark", "unknown unknown"),
        ("dark rows", "unknown rows!"),
        ("dark good dark", "unknown ok ok"),
        # What one picture may look like is believed when three say so; meanwhile nothing is given.
        ("same same same", "unknown! unknown! same!"),
        ("unrelated unrelated unrelated", "unknown! unknown! unrelated!"),
        ("unrelated good", "unknown! ok"),
        ("unrelated dark dark", "unknown! unknown! unknown!"),
        ("same unrelated same same same", "unknown! unknown! unknown! unknown! same!"),
        # A change needs three in a row.
        ("good rows good rows rows rows", "ok ok ok ok ok rows!"),
        ("good rows dark rows rows", "ok ok ok ok rows!"),
        ("rows good good rows good good good", "rows! rows! rows! rows! rows! rows! ok"),
        ("rows dark dark dark dark", "rows! rows! rows! rows! rows!"),
        ("rows crossed crossed crossed", "rows! rows! rows! crossed!"),
        # A fault of rows begins at the limit and is over below 0.8 of it.
        ("nearly", "poor"),
        ("rows nearly nearly nearly", "rows! rows! rows! rows!"),
        ("rows poor poor poor", "rows! rows! rows! poor"),
        ("crossed nearly nearly nearly", "crossed! crossed! crossed! poor"),
        # How poorly they fit is the median of the last looks.
        ("good good good poor poor poor poor", "ok ok ok ok ok poor poor"),
    ],
)
def test_what_is_believed_after_each_look(story: str, expected: str) -> None:
    assert told(EyesJudge(), *story.split()) == expected.split()


def test_before_the_first_look_nothing_is_known_and_nothing_withheld() -> None:
    assert EyesJudge().verdict == EyesVerdict(EyesFit.UNKNOWN, None, None, None)
    assert not EyesJudge().verdict.withheld


@pytest.mark.parametrize(
    ("story", "fault"),
    [("unrelated", EyesFault.UNRELATED), ("same same", EyesFault.SAME), ("dark", None), ("good", None)],
)
def test_what_was_suspected_when_no_picture_follows_is_what_was_found(story: str, fault: EyesFault | None) -> None:
    judge = EyesJudge()
    told(judge, *story.split())
    assert judge.end().fault is fault


def test_the_figure_is_the_median_of_the_latest_offsets_that_are_believed() -> None:
    judge = EyesJudge()
    told(judge, "good", "poor", "poor", "rows")
    assert judge.verdict.rows_px == 1.4
    told(judge, "rows", "rows", "dark")
    assert judge.verdict.rows_px == 5.0
    assert judge.verdict.limit_px == LIMIT


def due_after(story: str, seconds: float) -> bool:
    judge = EyesJudge()
    names = story.split()
    for number in range(max(FIRST_LOOKS - len(names), 0)):
        judge.add(LOOKS[names[0]], number * FRAME)
    for number, name in enumerate(names):
        judge.add(LOOKS[name], S + number * FRAME)
    return judge.due(S + (len(names) - 1) * FRAME + round(seconds * S))


def test_the_first_pictures_are_all_looked_at() -> None:
    judge = EyesJudge()
    for number in range(FIRST_LOOKS):
        assert judge.due(number)
        judge.add(LOOKS["good"], number)
    assert not judge.due(FIRST_LOOKS)


@pytest.mark.parametrize(
    ("story", "seconds"), [("good", 5.0), ("rows", 1.0), ("dark", 1.0), ("good rows", 0.2), ("rows good", 0.2)]
)
def test_then_one_in_a_while_the_sooner_the_less_is_settled(story: str, seconds: float) -> None:
    assert not due_after(story, seconds - 0.01)
    assert due_after(story, seconds)


def test_a_recording_whose_times_begin_anew_is_looked_at() -> None:
    assert due_after("good", -0.5)
