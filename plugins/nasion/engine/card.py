"""The card beside a model's file states the file's digest, and the two are compared before the network runs: a hundred
bytes of zeros in the weights make a network that never sees anybody and looks well.

A model and its INT8 twin share one card. It finds damage and mixed releases; it is no signature.
"""

import re
from pathlib import Path
from typing import Optional

from typing_extensions import Literal

from nasion.errors import InputError
from nasion.files import read_text

_MAX_BYTES = 1 << 20
_STATED = {
    precision: re.compile(rf"^SHA-256 of {which}: `([0-9a-f]{{64}})`$", re.MULTILINE)
    for precision, which in (("float", "the file"), ("int8", "its INT8 twin"))
}


def card_of(model: Path) -> Path:
    """Where the card of ``model`` is, if there is one."""
    stem = model.stem[: -len("-int8")] if model.stem.endswith("-int8") else model.stem
    return model.with_name(f"{stem}.md")


def stated_digest(model: Path, precision: Literal["float", "int8"]) -> Optional[str]:
    """The SHA-256, hexadecimal, that the card of ``model`` states; None where it has no card, or one that states none.

    InputError: the card cannot be read.
    """
    card = card_of(model)
    if not card.exists():
        return None
    text = read_text(card, _MAX_BYTES, what="model card", too_large=f"{_MAX_BYTES >> 20} MiB; expected a model's card")
    stated = _STATED[precision].search(text)
    return stated[1] if stated else None


def require_as_stated(model: Path, digest: str, precision: Literal["float", "int8"]) -> bool:
    """Whether the card of ``model`` states this ``digest``; False: it states none, so nobody can tell.

    InputError: it states another one, or cannot be read.
    """
    stated = stated_digest(model, precision)
    if stated is not None and stated != digest:
        raise InputError(
            f"model {model} has the digest {digest[:12]}, but its card {card_of(model).name} states {stated[:12]}: the "
            "file is damaged, or of another release; take file and card of one release"
        )
    return stated is not None
