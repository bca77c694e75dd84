"""What a source's URI says: scheme, target and options. Nothing is opened here."""

import re
from dataclasses import dataclass
from typing import Dict, Iterable, Optional, Sequence
from urllib.parse import unquote

from nasion.config.nearest import did_you_mean
from nasion.errors import InputError

#: Schemes this version reads, and how they are written.
FORMS: Dict[str, str] = {
    "demo": "demo:",
    "pairs": "pairs:DIR",
    "sbs": "sbs:FILE",
    "rgbd": "rgbd:DIR",
    "zed": "zed:[SERIAL]",
    "svo": "svo:FILE",
    "zed-stream": "zed-stream:HOST:PORT",
    "mcap": "mcap:FILE",
}

#: Files whose ending says what they are.
ENDING_SCHEMES: Dict[str, str] = {".mcap": "mcap", ".svo": "svo", ".svo2": "svo"}

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_TRUE, _FALSE = ("1", "true", "yes"), ("0", "false", "no")


@dataclass(frozen=True)
class SourceUri:
    """A source as it was written. ``scheme`` is None for a plain path."""

    text: str
    scheme: Optional[str]
    target: str
    options: Dict[str, str]

    def require_options(self, known: Sequence[str]) -> None:
        """InputError names the first option that is not known, and the nearest one that is."""
        for name in self.options:
            if name not in known:
                has = f"it has {', '.join(known)}" if known else "it has none"
                raise InputError(f"{self.text}: unknown option {name!r}{did_you_mean(name, known)} ({has})")

    def choice(self, name: str, values: Iterable[int], default: int) -> int:
        """One of some whole numbers."""
        allowed = list(values)
        text = self.options.get(name, str(default))
        if not text.isdecimal() or int(text) not in allowed:
            raise InputError(f"{self.text}: {name} is one of {', '.join(map(str, allowed))}, not {text!r}")
        return int(text)

    def count(self, name: str) -> Optional[int]:
        """A whole number of at least 1; None where it is not said."""
        text = self.options.get(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdecimal()) or int(text) < 1:
            raise InputError(f"{self.text}: {name} is a whole number of at least 1, not {text!r}")
        return int(text)

    def number(self, name: str, least: float, most: float) -> Optional[float]:
        """A number from ``least`` to ``most``; None where it is not said."""
        text = self.options.get(name)
        if text is None:
            return None
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not least <= value <= most:
            raise InputError(f"{self.text}: {name} is a number from {least:g} to {most:g}, not {text!r}")
        return value

    def flag(self, name: str) -> Optional[bool]:
        """Yes or no; None where it is not said."""
        text = self.options.get(name)
        if text is None:
            return None
        if text.lower() not in _TRUE + _FALSE:
            raise InputError(f"{self.text}: {name} is 1 or 0, not {text!r}")
        return text.lower() in _TRUE


def parse_uri(text: str) -> SourceUri:
    """Take a URI apart: ``SCHEME:TARGET?NAME=VALUE&…``, or a plain path with or without options.

    Values may be percent-encoded, the target is taken as it is. InputError: an unknown scheme, an option without ``=``
    or given twice.
    """
    if not text:
        raise InputError(f"a source is missing; expected {_forms()} or a path")
    match = _SCHEME.fullmatch(text)
    scheme, rest = (match[1].lower(), match[2]) if match else (None, text)
    if scheme is not None and scheme not in FORMS:
        raise InputError(f"{text}: unknown kind of source {scheme!r}{did_you_mean(scheme, FORMS)} (known: {_forms()})")
    target, _, query = rest.partition("?")
    return SourceUri(text, scheme, target, _options(text, query))


def _options(text: str, query: str) -> Dict[str, str]:
    options: Dict[str, str] = {}
    for part in filter(None, query.split("&")):
        name, equals, value = part.partition("=")
        if not equals or not name:
            raise InputError(f"{text}: expected an option NAME=VALUE, found {part!r}")
        if name in options:
            raise InputError(f"{text}: option {name!r} is given twice")
        options[name] = unquote(value)
    return options


def _forms() -> str:
    return ", ".join(FORMS.values())
