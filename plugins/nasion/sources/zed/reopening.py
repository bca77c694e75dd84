"""How a lost camera is opened again: paced, and only as the same camera."""

from nasion.core.calibration import Calibration

#: Waits before each attempt, seconds; the last one again and again.
WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0)
#: A camera that still does not open after so many attempts is restarted, once in an outage.
ATTEMPTS_BEFORE_REBOOT = 3
#: Largest change of a ray that self-calibration makes, as its slope: 5 mm at 1 m. More is another camera.
MOST_SHIFT = 0.005


class Outage:
    """Attempts since the last frame."""

    def __init__(self) -> None:
        self._failures = 0
        self._rebooted = False

    def wait_s(self) -> float:
        """How long to wait before the next attempt; longer each time."""
        wait = WAITS_S[min(self._failures, len(WAITS_S) - 1)]
        self._failures += 1
        return wait

    def wants_reboot(self) -> bool:
        """Whether it is time to restart the camera; True once."""
        if self._rebooted or self._failures < ATTEMPTS_BEFORE_REBOOT:
            return False
        self._rebooted = True
        return True


def calibration_shift(before: Calibration, after: Calibration) -> float:
    """How far two calibrations of pictures of one size are apart: the largest change of x/z or y/z of a ray through the
    picture's corners, or of the baseline's relative length.
    """
    old, new = before.left, after.left
    across = [abs((u - old.cx) / old.fx - (u - new.cx) / new.fx) for u in (0, old.width - 1)]
    down = [abs((v - old.cy) / old.fy - (v - new.cy) / new.fy) for v in (0, old.height - 1)]
    return max(*across, *down, abs(after.baseline_m / before.baseline_m - 1))
