"""The host's own time."""

import time

from nasion.sources.frame import Clock, Stamp


class SystemClock:
    """Wall clock, monotonic clock and sleep of this host."""

    def utc_ns(self) -> int:
        """Nanoseconds since 1970, UTC; steps when the host's time is set."""
        return time.time_ns()

    def monotonic_ns(self) -> int:
        """Nanoseconds since boot (CLOCK_MONOTONIC): only rise, the same in all processes of the host."""
        return time.monotonic_ns()

    def sleep(self, seconds: float) -> None:
        """Wait; returns at once for 0 or less."""
        if seconds > 0:
            time.sleep(seconds)


def stamp_now(clock: Clock) -> Stamp:
    """This instant on both clocks."""
    return Stamp(utc_ns=clock.utc_ns(), monotonic_ns=clock.monotonic_ns())
