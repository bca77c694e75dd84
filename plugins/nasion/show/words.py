"""The reasons of messages in words, for screens that people look at; lines and JSON keep the codes."""

from typing import Dict

_WORDS: Dict[str, str] = {
    "no_face": "nobody",
    "low_probability": "unsure",
    "no_tensor": "no heat map",
    "corrupt_frame": "damaged frame",
    "frozen": "frozen picture",
    "no_frame": "source silent",
    "no_depth": "depth unknown",
    "ambiguous": "pattern repeats",
    "too_near": "too near",
    "too_far": "too far",
    "jump": "distance jumps",
    "unpaired": "depth missing",
    "eyes_do_not_fit": "eyes do not fit",
}


def in_words(reason: str) -> str:
    """A reason as a person says it; one that is not known (yet), at least without underscores."""
    return _WORDS.get(reason, reason.replace("_", " "))
