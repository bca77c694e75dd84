"""One pixel of the left picture searched in the right one: peaks of a level, and other places that look like them."""

import math
from dataclasses import dataclass
from typing import List, Optional, Tuple

import cv2

from nasion.core.correlation import peak_offset
from nasion.core.stereo_scan import OWN, Level, Picture, grey, rival, scan

#: A second place with more than this share of the best score makes the match ambiguous, ...
MAX_PEAK_RATIO = 0.85
#: ... unless it leaves this many times as much unexplained (1 - score), where that may excuse it.
MIN_MISFIT_RATIO = 10.0
#: A match is looked at closely from this share of the best score on, ...
DOUBTFUL_RATIO = 0.65
#: ... or where its level shows less than this share of the window's contrast.
LEAST_DETAIL = 0.85

#: Side of a search window, pixels of the level it is used on.
WINDOW = 16
#: The search ends a little beyond infinity, so that the peak of something very far has two sides.
LOWEST_DISPARITY = -3.0
#: From this scale on `Search.matches` looks for rivals in the whole range of disparities, which costs little there.
WIDE_FROM = 2
#: A close look has so many columns for one of the level, where the picture has them.
_FINER = 4


@dataclass(frozen=True)
class Match:
    """A peak of the search: disparity in full-resolution pixels, score 0..1, scale and window of its level.

    ``rival``: the highest score of the same window in another place, as far as the search has looked.
    """

    disparity: float
    score: float
    scale: int
    window: int = WINDOW
    rival: float = 0.0


def alike(second: float, best: float, excusable: bool) -> bool:
    """Whether a place with the score ``second`` might as well be the true one as that with the ``best`` score.

    ``excusable``: whether a ``best`` that is far better than good may excuse it.
    """
    excused = excusable and 1 - second > MIN_MISFIT_RATIO * (1 - best)
    return second > MAX_PEAK_RATIO * best and not excused


@dataclass(frozen=True)
class Search:
    """For pixel (column, row) of ``left``; disparities up to ``highest`` are possible."""

    left: Picture
    right: Picture
    column: int
    row: int
    highest: float

    def matches(self, level: Level) -> List[Match]:
        """The highest peak of the level's range, and the highest one clearly beside it, as many as there are.

        `Match.rival` of the first is that of the whole range of disparities from scale `WIDE_FROM` on.
        """
        scale = level.scale
        wide = scale >= WIDE_FROM
        scanned = self._scan(level, *((LOWEST_DISPARITY, self.highest) if wide else (level.low, level.high)))
        if scanned is None:
            return []
        scores, first = scanned
        # A peak is lower on both sides; the end of what was compared is none, for the score may rise beyond it.
        begin = max(1, -math.ceil(level.high / scale) - first)
        end = min(len(scores) - 1, -math.floor(level.low / scale) - first + 1)
        tops = [at for at in range(begin, end) if scores[at - 1] < scores[at] >= scores[at + 1]]
        tops.sort(key=scores.__getitem__, reverse=True)
        tops = tops[:1] + [at for at in tops[1:] if abs(at - tops[0]) > OWN][:1]
        return [
            Match(
                disparity=-(first + at + peak_offset(scores, at)) * scale,
                score=scores[at],
                scale=scale,
                window=level.window,
                rival=rival(scores, at) if at == tops[0] else scores[tops[0]],
            )
            for at in tops
        ]

    def rival(self, match: Match) -> float:
        """The highest score of the window of ``match`` in another place of the whole range of disparities."""
        scanned = self._scan(_level(match), LOWEST_DISPARITY, self.highest)
        if scanned is None:
            return math.inf
        scores, first = scanned
        return rival(scores, max(-round(match.disparity / match.scale) - first, 0))

    def is_doubtful(self, match: Match) -> bool:
        """Whether a place as good as ``match`` may have been missed, so that a close look is worth while.

        Another place is fairly good; or the right picture ends before the range of disparities does; or the level shows
        too little of the detail in the window: what repeats itself within few pixels of the level looks different from
        one repetition to the next.
        """
        half = match.window * match.scale // 2
        if match.rival > DOUBTFUL_RATIO * match.score or self.column - self.highest - half < 0:
            return True
        if match.scale == 1:
            return False
        rows = slice(max(self.row - half, 0), self.row + half, match.scale)
        detailed = grey(self.left[rows, max(self.column - half, 0) : self.column + half])
        size = max(detailed.shape[1] // match.scale, 1), detailed.shape[0]
        plain = cv2.resize(detailed, size, interpolation=cv2.INTER_AREA)
        return bool(cv2.meanStdDev(plain)[1].item() < LEAST_DETAIL * cv2.meanStdDev(detailed)[1].item())

    def is_repeated(self, match: Match, excusable: bool) -> bool:
        """Whether what matched in the right picture is seen in the left one in another place, too.

        Looked at in more detail than the level's, in which a place between two pixels looks worse than it is. True
        where it cannot be looked at. ``excusable``: see `alike`.
        """
        finer = min(match.scale, _FINER)
        step = match.scale // finer
        low, high = math.floor(LOWEST_DISPARITY / step), math.ceil(self.highest / step)
        matched = self.column - round(match.disparity)
        scanned = scan(self.right, self.left, matched, self.row, _level(match), low, high, finer)
        if scanned is None:
            return True
        scores, first = scanned
        begin = max(math.floor((match.disparity - match.scale) / step) - first, 0)
        end = min(math.ceil((match.disparity + match.scale) / step) - first + 1, len(scores))
        if begin >= end:
            return True
        at = max(range(begin, end), key=scores.__getitem__)
        return alike(rival(scores, at), scores[at], excusable)

    def _scan(self, level: Level, low: float, high: float) -> Optional[Tuple[List[float], int]]:
        """The right picture at disparities ``low..high``; see `scan`."""
        shifts = -math.ceil(high / level.scale), -math.floor(low / level.scale)
        return scan(self.left, self.right, self.column, self.row, level, *shifts)


def _level(match: Match) -> Level:
    """The level of ``match``, with no range but its disparity."""
    return Level(match.scale, match.window, match.disparity, match.disparity)
