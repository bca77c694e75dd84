"""The cards in weights/ are what a release writes from the files beside them."""

import json
import re
from pathlib import Path

import pytest

from export.card import write_card
from export.release import Int8Figures
from export.terms import RESEARCH_NOTICE
from tests.export.written import metadata_of

WEIGHTS = Path(__file__).parents[2] / "weights"
CARDS = sorted(path.stem for path in WEIGHTS.glob("*.md") if not path.stem.endswith(".tried"))


def twin_of(model: Path, card: str) -> Int8Figures | None:
    small = model.with_name(f"{model.stem}-int8.onnx")
    if not small.exists():
        return None
    before, figures = (json.loads(path.with_suffix(".json").read_text()) for path in (model, small))
    # How far peaks moved stands nowhere else.
    shift = re.search(r"Its peaks lie ([0-9.]+) px", card)
    assert shift is not None
    lost = before["right_location_free"] - figures["right_location_free"]
    return Int8Figures(small, figures, lost=lost, shift_px=float(shift[1]))


@pytest.mark.parametrize("name", CARDS)
def test_a_released_card_says_what_the_files_beside_it_say(name: str, tmp_path: Path) -> None:
    model, card = WEIGHTS / f"{name}.onnx", (WEIGHTS / f"{name}.md").read_text()
    command = re.search(r"^    (python -m training\.train .+)$", card, re.MULTILINE)
    assert command is not None
    notes = WEIGHTS / f"{name}.tried.md"
    write_card(
        tmp_path / "card.md",
        model,
        metadata_of(model),
        json.loads(model.with_suffix(".json").read_text()),
        twin_of(model, card),
        [command[1]],
        RESEARCH_NOTICE,
        notes.read_text() if notes.exists() else "",
    )
    assert (tmp_path / "card.md").read_text() == card


def test_without_a_twin_and_without_remarks_the_card_is_whole(tmp_path: Path) -> None:
    model = WEIGHTS / f"{CARDS[0]}.onnx"
    figures = json.loads(model.with_suffix(".json").read_text())
    write_card(
        tmp_path / "card.md",
        model,
        metadata_of(model),
        figures,
        None,
        ["python -m training.train"],
        RESEARCH_NOTICE,
        "",
    )
    card = (tmp_path / "card.md").read_text()
    assert "No INT8 twin was made of it." in card
    assert f"--out weights/{CARDS[0]}.onnx --no-int8\n\non the label tables named above.\n\nTo make one" in card
    assert "twin:" not in card
