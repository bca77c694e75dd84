"""Whether a camera repeats its picture to the bit: one that hangs can go on giving its last picture under new times.

A living camera's noise changes each picture somewhere. So a picture that is the same for long is no new look at the
world, and a position from it would be as old as its first appearance.
"""

import zlib
from typing import Optional

import numpy as np
from numpy.typing import NDArray

#: Every so many rows and columns are compared first; only where all of them are the same, the whole picture is.
_SPARSE = 16


class RepeatDetector:
    """Looks at one camera's pictures in order. Holds no picture: its owner may write over it."""

    def __init__(self) -> None:
        self._sample = b""
        self._sum: Optional[int] = None
        self._since_ns = 0

    def repeated_ns(self, picture: NDArray[np.uint8], time_ns: int) -> int:
        """For how long ``picture`` (height, width, channels) uint8, taken at ``time_ns``, has been the same already.

        0 where it differs from the one before, and for the second of a row, which is only suspected. A time that goes
        back counts as a change. Costs a look at one pixel in 256 as long as pictures change.
        """
        sample = picture[::_SPARSE, ::_SPARSE].tobytes()
        if sample != self._sample or time_ns < self._since_ns:
            self._sample, self._sum, self._since_ns = sample, None, time_ns
            return 0
        # CRC-32 finds every change of up to 32 bits in a row, and misses one of four billion others.
        found = zlib.crc32(np.ascontiguousarray(picture).data)
        if found != self._sum:
            # Of the first of a row only the sample is known; the time is counted from the first whole comparison.
            changed = self._sum is not None
            self._sum = found
            if changed:
                self._since_ns = time_ns
            return 0
        return time_ns - self._since_ns
