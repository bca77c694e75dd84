"""Whether the eyes of a source fit, from one look after the other; and when the next is due. Time is an argument."""

from collections import deque
from statistics import median
from typing import Deque, Optional

from nasion.core.eyes import POOR
from nasion.core.results import EyesFault, EyesFit, EyesLook, EyesVerdict

#: So many pictures at the beginning are all looked at; then one in such a time: while nothing is known or a fault is
#: there, while all is well, while it seems to change.
FIRST_LOOKS = 5
_UNKNOWN_NS, _SETTLED_NS, _CHANGING_NS = 1_000_000_000, 5_000_000_000, 200_000_000
#: So many looks in a row change what was found before; and these faults, which one picture may look like, are believed
#: only then.
_IN_A_ROW = 3
_NEEDS_SEVERAL = (EyesFault.SAME, EyesFault.UNRELATED)
#: Of the limit: below this a fault of rows is over.
_OVER = 0.8
#: Row offsets that the figure told is the median of.
_ROWS_KEPT = 5


class EyesJudge:
    """The looks at one source, from when it was opened."""

    def __init__(self) -> None:
        self.verdict = EyesVerdict()
        self._looks = 0
        self._looked_ns = 0
        self._settled = False
        self._fault: Optional[EyesFault] = None
        self._other: Optional[EyesFault] = None
        self._in_a_row = 0
        self._rows: Deque[float] = deque(maxlen=_ROWS_KEPT)
        self._limit_px = 0.0

    def due(self, t_ns: int) -> bool:
        """Whether the picture of this time is to be looked at. ``t_ns``: one clock for all; it may begin anew."""
        if self._looks < FIRST_LOOKS or t_ns < self._looked_ns:
            return True
        calm_ns = _SETTLED_NS if self._settled and self._fault is None else _UNKNOWN_NS
        return t_ns - self._looked_ns >= (_CHANGING_NS if self._in_a_row else calm_ns)

    def add(self, look: EyesLook, t_ns: int) -> EyesVerdict:
        """What was seen in the picture of this time, and what it comes to."""
        self._looks += 1
        self._looked_ns, self._limit_px = t_ns, look.limit_px
        # A picture that tells nothing changes nothing: neither that the eyes fit nor that they do not.
        if look.unknown is None:
            self._take(look)
        return self._judged()

    def end(self) -> EyesVerdict:
        """No picture follows: what was suspected is then what was found."""
        if not self._settled and self._in_a_row:
            self._settled, self._fault, self._in_a_row = True, self._other, 0
        return self._judged()

    def _judged(self) -> EyesVerdict:
        rows = median(self._rows) if self._rows else None
        if not self._settled:
            fit = EyesFit.UNKNOWN
        elif self._fault is not None:
            fit = EyesFit.MISFIT
        else:
            fit = EyesFit.POOR if rows is not None and rows >= POOR * self._limit_px else EyesFit.OK
        suspected = not self._settled and self._in_a_row > 0
        self.verdict = EyesVerdict(fit, self._fault, rows, self._limit_px or None, suspected)
        return self.verdict

    def _take(self, look: EyesLook) -> None:
        seen = self._seen(look)
        if self._settled and seen == self._fault:
            self._in_a_row = 0
        else:
            self._in_a_row = self._in_a_row + 1 if self._in_a_row and seen == self._other else 1
            self._other = seen
            needed = _IN_A_ROW if self._settled or seen in _NEEDS_SEVERAL else 1
            if self._in_a_row >= needed:
                self._settled, self._fault, self._in_a_row = True, seen, 0
                self._rows.clear()
        if look.rows_px is not None and self._in_a_row == 0:
            self._rows.append(look.rows_px)

    def _seen(self, look: EyesLook) -> Optional[EyesFault]:
        """The fault of this picture; that of rows lasts a little longer than it takes to begin."""
        if self._fault is EyesFault.ROWS and look.fault is None and look.rows_px is not None:
            return EyesFault.ROWS if look.rows_px >= _OVER * look.limit_px else None
        return look.fault
