"""What a check finds, and the exit code of all together."""

import re
from dataclasses import dataclass
from typing import Dict, Iterable, Optional, Tuple

from typing_extensions import Literal

from nasion.errors import DependencyError, HardwareError, InputError, NasionError
from nasion.redaction import redacted

Status = Literal["ok", "warn", "fail", "skipped"]

#: Exit codes of failures, the most telling first: what is asked for wrongly has to be put right before anything else
#: can be judged, and no hardware is seen without its libraries.
TELLING = (InputError.exit_code, DependencyError.exit_code, HardwareError.exit_code, NasionError.exit_code)


@dataclass(frozen=True)
class Verdict:
    """``found``: what is there, or why the check does not apply; ``remedy``: what to do, of warnings and failures."""

    name: str
    status: Status
    found: str
    remedy: Optional[str] = None
    exit_code: int = 0

    def __post_init__(self) -> None:
        """Nothing that was typed with a password in it is repeated with it."""
        object.__setattr__(self, "found", redacted(self.found))
        object.__setattr__(self, "remedy", self.remedy and redacted(self.remedy))

    def as_json(self) -> Dict[str, Optional[str]]:
        """The verdict for one JSON object."""
        return {"name": self.name, "status": self.status, "found": self.found, "remedy": self.remedy}


def ok(name: str, found: str) -> Verdict:
    """It is as it should be."""
    return Verdict(name, "ok", found)


def warn(name: str, found: str, remedy: str) -> Verdict:
    """A run is possible, but it may not be what is wanted."""
    return Verdict(name, "warn", found, remedy)


def fail(name: str, found: str, remedy: str, exit_code: int = NasionError.exit_code) -> Verdict:
    """A run would fail."""
    return Verdict(name, "fail", found, remedy, exit_code)


def skipped(name: str, why: str) -> Verdict:
    """It does not apply."""
    return Verdict(name, "skipped", why)


def refused(name: str, error: NasionError, remedy: str = "put that right") -> Verdict:
    """The failure that a run would end with; ``remedy``: where its text tells none."""
    found, told = in_two(str(error))
    return fail(name, found, told or remedy, error.exit_code)


def in_two(text: str) -> Tuple[str, str]:
    """What is wrong and what to do: our errors have ``; `` between them, not counting what stands in brackets."""
    for place in (match.start() for match in re.finditer("; ", text)):
        found = text[:place]
        if found.count("(") == found.count(")"):
            return found, text[place + 2 :]
    return text, ""


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """0 where nothing fails, else that of the most telling failure."""
    codes = {verdict.exit_code for verdict in verdicts if verdict.status == "fail"}
    return next((code for code in TELLING if code in codes), NasionError.exit_code if codes else 0)
