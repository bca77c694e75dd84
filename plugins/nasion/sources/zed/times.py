"""When a picture was taken, from the SDK's stamp of it, on both clocks of the host."""

from typing import Optional

from nasion.sources.frame import Stamp

#: A picture that is older when it is handed over has a stamp of some other clock.
MOST_AGE_NS = 1_000_000_000


class CaptureTimes:
    """Stamps of the pictures of one source, in the order they come.

    The SDK stamps a picture with the wall clock when it has arrived in memory. Its age by the wall clock, plus
    ``delay_ns`` from the exposure to that stamp, leads to the monotonic time of the capture. Where that cannot be (the
    wall clock was set between stamp and now; a stream's sender has another clock) the time passed between the stamps of
    two pictures is taken, and where that cannot be either, the moment of handing over; both are counted.
    """

    def __init__(self, delay_ns: int) -> None:
        self._delay_ns = delay_ns
        self._image_ns: Optional[int] = None
        self._monotonic_ns: Optional[int] = None
        #: Stamps made from the difference to the one before.
        self.by_difference = 0
        #: Stamps that say when the picture was handed over.
        self.by_arrival = 0

    def stamp(self, image_ns: int, now: Stamp) -> Stamp:
        """``image_ns``: the SDK's stamp, nanoseconds since 1970; ``now``: when the picture was handed over."""
        arrived_ns = now.monotonic_ns - (now.utc_ns - image_ns)
        if not self._possible(arrived_ns, now):
            arrived_ns = self._otherwise(image_ns, now)
        self._image_ns, self._monotonic_ns = image_ns, arrived_ns
        age_ns = now.monotonic_ns - arrived_ns + self._delay_ns
        return Stamp(utc_ns=now.utc_ns - age_ns, monotonic_ns=now.monotonic_ns - age_ns)

    def _otherwise(self, image_ns: int, now: Stamp) -> int:
        if self._image_ns is not None and self._monotonic_ns is not None:
            arrived_ns = self._monotonic_ns + image_ns - self._image_ns
            if self._possible(arrived_ns, now):
                self.by_difference += 1
                return arrived_ns
        self.by_arrival += 1
        return now.monotonic_ns

    def _possible(self, arrived_ns: int, now: Stamp) -> bool:
        later = self._monotonic_ns is None or arrived_ns > self._monotonic_ns
        return later and 0 <= now.monotonic_ns - arrived_ns <= MOST_AGE_NS
