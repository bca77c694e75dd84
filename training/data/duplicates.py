"""Pictures that are the same, or nearly: a difference hash tells what a picture looks like in 256 bits."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.bool_]

#: Cells of the hash in either direction. With 8 too many street scenes agree by chance.
CELLS = 16
#: Pictures that differ in no more of the 256 bits look alike: another size or quality, one scene with somebody pasted
#: in. Bare skies may agree as well, so only a look can tell.
NEAR_BITS = 16
_ROWS_AT_ONCE = 1024


def difference_hash(picture: NDArray[np.uint8]) -> Bits:
    """Whether the picture, (H, W, 3) BGR uint8, gets darker from each of 16 x 16 places to the next on its right."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(grey, (CELLS + 1, CELLS), interpolation=cv2.INTER_AREA)
    bits: Bits = (small[:, :-1] > small[:, 1:]).ravel()
    return bits


def near_pairs(hashes: NDArray[np.bool_], most_bits: int = NEAR_BITS) -> Iterator[tuple[int, int, int]]:
    """(i, j, bits that differ) of every two rows i < j of ``hashes``, (N, bits), with at most ``most_bits`` of them."""
    # As a product of matrices of -1 and 1 all distances cost seconds, also for tens of thousands of pictures.
    signs = np.where(hashes, np.float32(1), np.float32(-1))
    bits = hashes.shape[1]
    for start in range(0, len(signs), _ROWS_AT_ONCE):
        distance = (bits - signs[start : start + _ROWS_AT_ONCE] @ signs[start:].T) / 2
        for row, column in np.argwhere(distance <= most_bits):
            if row < column:
                yield start + int(row), start + int(column), int(distance[row, column])
