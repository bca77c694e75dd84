"""Answers that a test counts by hand."""

from pathlib import Path

from training.data.table import Face, Picture
from training.judging.answer import Answer

FACE = Face(50, 50, 20, "human")


def with_person(name: str = "p.jpg", *faces: Face, source: str = "helen") -> Picture:
    """A positive whose face is at (50, 50), its eyes 20 px apart, if no other is given."""
    return Picture(Path(name), source, "val", faces or (FACE,))


def without(name: str = "n.jpg", source: str = "bsds") -> Picture:
    """A negative."""
    return Picture(Path(name), source, "val")


#: Found in place, 0.1 eye distances off; found elsewhere, 2 off; missed; a false alarm; and rightly nobody.
FIVE = [
    Answer(with_person("in_place.jpg"), 0.9, (52, 50)),
    Answer(with_person("elsewhere.jpg"), 0.8, (90, 50)),
    Answer(with_person("missed.jpg"), 0.4, (50, 50)),
    Answer(without("alarm.jpg"), 0.7, (1, 1)),
    Answer(without("quiet.jpg"), 0.1, None),
]
