"""Gates: what is refused although it was measured, because it contradicts what was seen just before."""

import math
from enum import Enum
from typing import NamedTuple, Optional

from nasion.core.locate import reason_for
from nasion.core.results import Located
from nasion.settings import HysteresisSettings, JumpSettings


class Verdict(Enum):
    """What the jump gate says of a range."""

    #: It fits the reference (or there was none).
    ACCEPTED = "accepted"
    #: Nobody moves that fast.
    JUMP = "jump"
    #: It does not fit, but the reference is too old to judge by: accepted, and probably somebody else.
    RESTARTED = "restarted"


class Reference(NamedTuple):
    """The last accepted range: metres, its standard deviation in metres, and when, nanoseconds."""

    range_m: float
    sigma_m: float
    t_ns: int


def seconds_between(a_ns: int, b_ns: int) -> float:
    """Time between two instants, whichever was first.

    A clock that went back must neither open a gate for ever nor close it: what lies an instant in the future is as good
    a reference as what lies as far in the past.
    """
    return abs(a_ns - b_ns) * 1e-9


class JumpGate:
    """Refuses a range too far from the last accepted one of the same person; one gate per person."""

    def __init__(self, settings: JumpSettings) -> None:
        self._settings = settings
        self.reference: Optional[Reference] = None

    def judge(self, range_m: float, sigma_m: float, t_ns: int) -> Verdict:
        """Verdict on a range and its standard deviation, metres, at ``t_ns``; what is accepted is the next reference.

        The reference expires in every mode, so nobody is refused for longer than ``expires_s`` without an accepted
        range. (The original's gate, mode `fixed`, had no expiry and could lock a second person out.)
        """
        verdict = self._verdict(range_m, sigma_m, t_ns)
        if verdict is not Verdict.JUMP:
            self.reference = Reference(range_m, sigma_m, t_ns)
        return verdict

    def _verdict(self, range_m: float, sigma_m: float, t_ns: int) -> Verdict:
        settings, reference = self._settings, self.reference
        if reference is None or settings.mode == "off":
            return Verdict.ACCEPTED
        elapsed = seconds_between(t_ns, reference.t_ns)
        if settings.mode == "fixed":
            allowed = settings.fixed_m
        else:
            noise = math.hypot(sigma_m, reference.sigma_m)
            allowed = settings.max_speed_m_s * elapsed + settings.sigmas * noise
        if abs(range_m - reference.range_m) <= allowed:
            return Verdict.ACCEPTED
        return Verdict.RESTARTED if elapsed >= settings.expires_s else Verdict.JUMP


class Hysteresis:
    """Two thresholds for one camera: ``appear`` for who is new, ``stay`` for as many as were in view before.

    Call ``locate`` with ``threshold`` and pass its result through ``admit``, frame by frame. Not enabled, the single
    ``threshold`` given here holds and everybody is admitted.
    """

    def __init__(self, settings: HysteresisSettings, threshold: float) -> None:
        self._settings = settings
        self._in_view = 0
        #: What ``locate`` is to search down to.
        self.threshold = settings.stay if settings.enabled else threshold

    def admit(self, located: Located) -> Located:
        """``located`` without those who would be new but are not probable enough to appear."""
        if not self._settings.enabled:
            return located
        admitted = tuple(
            keypoint
            for rank, keypoint in enumerate(located.keypoints)
            if rank < self._in_view or keypoint.probability >= self._settings.appear
        )
        self._in_view = len(admitted)
        if located.keypoints and not admitted:
            return Located((), reason_for(located.keypoints[0].probability), located.peak)
        return Located(admitted, located.reason, located.peak)
