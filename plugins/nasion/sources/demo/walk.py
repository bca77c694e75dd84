"""Where the person of the demo stands at each instant."""

from typing import Tuple

Point = Tuple[float, float, float]

#: Frames per second of the demo.
FPS = 30.0

#: (second, x, y, z) of the point between the eyes, metres in the left camera's optical frame; repeats at the end.
_STATIONS: Tuple[Tuple[float, float, float, float], ...] = (
    (0.0, 0.00, -0.10, 2.00),
    (2.0, 0.10, -0.10, 1.90),
    (4.0, -0.10, -0.05, 1.10),
    (5.5, 0.05, 0.00, 0.60),
    (7.0, 0.05, 0.00, 0.60),
    (9.0, 0.20, -0.10, 2.00),
    (11.5, -0.60, -0.20, 3.60),
    (13.5, 0.60, -0.25, 5.00),
    (15.5, 0.10, -0.15, 3.40),
    (17.0, 0.30, -0.10, 2.50),
    (19.0, 3.20, -0.10, 2.50),
    (20.0, 3.20, -0.10, 2.30),
    (22.0, 0.30, -0.10, 2.30),
    (24.0, 0.00, -0.10, 2.00),
)

#: Frames after which the walk begins anew.
CYCLE_FRAMES = round(_STATIONS[-1][0] * FPS)


def place(index: int) -> Point:
    """Where the point between the eyes is in frame ``index``: (x, y, z) in metres, left optical frame."""
    second = index % CYCLE_FRAMES / FPS
    for begin, end in zip(_STATIONS, _STATIONS[1:]):
        if begin[0] <= second < end[0]:
            share = (second - begin[0]) / (end[0] - begin[0])
            eased = share * share * (3 - 2 * share)
            x, y, z = (start + eased * (stop - start) for start, stop in zip(begin[1:], end[1:]))
            return x, y, z
    raise AssertionError(f"second {second} lies outside the walk")
