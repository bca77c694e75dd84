"""How a picture is meant to be looked at: the orientation in its EXIF data."""

from typing import Dict, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

_BYTE_ORDERS = {b"II*\0": "little", b"MM\0*": "big"}
_TAG, _ENTRY_BYTES = 0x0112, 12

#: Orientation (EXIF 2.3, 4.6.4): whether rows and columns are swapped, then whether each of them is turned round.
_TURNS: Dict[int, Tuple[bool, bool, bool]] = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def orientation(exif: Optional[bytes]) -> int:
    """1 to 8 as EXIF counts them; 1, as it is stored, where nothing sensible is said."""
    order = _BYTE_ORDERS.get((exif or b"")[:4])
    if exif is None or order is None:
        return 1

    def number(at: int, size: int) -> int:
        return int.from_bytes(exif[at : at + size], order)  # type: ignore[arg-type]

    directory = number(4, 4)
    for index in range(number(directory, 2)):
        entry = directory + 2 + index * _ENTRY_BYTES
        if entry + _ENTRY_BYTES > len(exif):
            break
        if number(entry, 2) == _TAG:
            said = number(entry + 8, 2)
            return said if said in _TURNS else 1
    return 1


def upright(picture: NDArray[np.uint8], said: int) -> NDArray[np.uint8]:
    """``picture`` (H, W, 3) turned and mirrored as its orientation ``said`` it is to be looked at."""
    swapped, rows, columns = _TURNS[said]
    if swapped:
        picture = picture.swapaxes(0, 1)
    if rows:
        picture = picture[::-1]
    if columns:
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture)
