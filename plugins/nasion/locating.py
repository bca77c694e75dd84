"""Who is in a still picture: the whole of it is searched, however large or small it is."""

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import List, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from nasion.core.heatmap import HeatMap
from nasion.core.locate import locate
from nasion.core.looks import Look, agreement
from nasion.core.results import Located
from nasion.core.scaling import scaled_crop
from nasion.core.tensor import blank_tensor, fill_tensor
from nasion.core.views import INPUT_SIZES, ViewGeometry, whole_picture
from nasion.engine.onnx_model import HeatMapModel

#: Longest side of what the network sees of a picture, pixels, at each of two looks that must agree, where the model
#: names no others: the size of the pictures it was taught with, and half as much again, which is as wide as the view
#: `full`.
LOOKS = (320, INPUT_SIZES["full"][1])
#: One look: what a stream has time for. The size that eye distances are told in.
ONE_LOOK = LOOKS[:1]
#: Longest side at one more, closer look at larger pictures: that of the view `fine`.
CLOSER_LOOK = INPUT_SIZES["fine"][1]
#: The closer look sees up to nine times as many places where it can be wrong, so it must be surer: it counts from this
#: share of the way between the threshold and certainty. Measured: it finds most of the people that are too small for
#: the others, and nearly all of what it would see where nobody is stays below.
_SURER = 0.5
#: Pairs of looks that come up to this share of the surest one's probability are as good to tell where somebody is.
#: Measured on held-out pictures: with 0.8 as with 0.9 most people are placed right, and most exactly.
_NEARLY = 0.9
#: Upright and lying pictures of one camera take so many. An engine of a wide network may hold a gigabyte, and pictures
#: in a folder may have any shape.
_ENGINES_KEPT = 8


@dataclass(frozen=True)
class Finding:
    """Who was found, and the heat map that says so with its place in the picture."""

    located: Located
    heat: HeatMap
    geometry: ViewGeometry


class PictureLocator:
    """A model for still pictures of all sizes; an engine is opened for each shape of its input that comes, and kept
    until others were needed more lately."""

    def __init__(
        self, model: Path, *, threads: int = 1, looks: Optional[Sequence[int]] = None, closer_look: bool = True
    ) -> None:
        """``looks``: longest sides of the looks, multiples of 32, smallest first; default: the model's own, or `LOOKS`.
        Each two neighbours must agree, and the surest of these pairs tells whether somebody is there: the smaller ones
        see who is close by, the larger ones who is far away. Of those nearly as sure the one whose place is known best
        tells where.
        ``closer_look``: search larger pictures at up to 960 pixels too; what is surer there wins.

        InputError: the file is not a heat-map model. DependencyError: ONNX Runtime is missing.
        """
        self._closer_look = closer_look

        # No method: the cache would hold us, and we the cache.
        @lru_cache(maxsize=_ENGINES_KEPT)
        def engine(height: int, width: int) -> HeatMapModel:
            return HeatMapModel(model, height=height, width=width, threads=threads)

        self._engine = engine
        some = ONE_LOOK[0]
        self.metadata = self._engine(some, some).metadata
        self.looks: Sequence[int] = looks or self.metadata.looks or LOOKS

    @property
    def threshold(self) -> float:
        """The model's own, for these looks."""
        about = self.metadata
        agreed = about.agreed_threshold if len(self.looks) > 1 else None
        return about.threshold if agreed is None else agreed

    def find(self, picture: NDArray[np.uint8], *, threshold: Optional[float] = None, max_persons: int = 1) -> Finding:
        """The up to ``max_persons`` most probable persons of ``picture``, (H, W, 3) BGR.

        ``threshold``: lowest probability, default the model's own; 0 gives the place of the highest peak in any case.
        """
        agreed = self._agreed(picture, self.threshold if threshold is None else threshold, max_persons)
        closest = min(CLOSER_LOOK, max(picture.shape[:2]))
        if not self._closer_look or closest <= max(self.looks):
            return agreed
        alone = self.metadata.threshold if threshold is None else threshold
        closer = self._search([self._look(picture, closest)], alone, max_persons)
        needed = max(_peak(agreed), alone + _SURER * (1 - alone))
        return closer if _peak(closer) >= needed else agreed

    def _agreed(self, picture: NDArray[np.uint8], threshold: float, max_persons: int) -> Finding:
        seen = [self._look(picture, longest) for longest in self.looks]
        pairs: List[Sequence[Look]] = [*zip(seen, seen[1:])] or [seen]
        found = [self._search(pair, threshold, max_persons) for pair in pairs]
        surest = max(map(_peak, found))
        as_good = [one for one in found if _peak(one) >= _NEARLY * surest]
        return min((self._raised(one, surest, threshold, max_persons) for one in as_good), key=_spread)

    def _raised(self, finding: Finding, peak: float, threshold: float, max_persons: int) -> Finding:
        """What would be found if the map were as high as ``peak``."""
        own = _peak(finding)
        if own == peak:
            return finding
        return self._located(finding.heat * np.float32(peak / own), finding.geometry, threshold, max_persons)

    def _search(self, seen: Sequence[Look], threshold: float, max_persons: int) -> Finding:
        return self._located(agreement(seen, self.metadata.stride), seen[-1].geometry, threshold, max_persons)

    def _located(self, heat: HeatMap, geometry: ViewGeometry, threshold: float, max_persons: int) -> Finding:
        located = locate(
            heat,
            geometry,
            self.metadata.stride,
            threshold=threshold,
            max_persons=max_persons,
            drawn_sigma_px=self.metadata.sigma_px,
        )
        return Finding(located, heat, geometry)

    def _look(self, picture: NDArray[np.uint8], longest: int) -> Look:
        tensor, geometry = network_input(picture, longest)
        return Look(self._engine(geometry.input_height, geometry.input_width).infer(tensor), geometry)


def network_input(picture: NDArray[np.uint8], longest: int) -> Tuple[NDArray[np.float32], ViewGeometry]:
    """``picture`` (H, W, 3) BGR as the network sees it, its longest side at ``longest`` pixels: (1, 3, h, w) RGB."""
    height, width = picture.shape[:2]
    geometry = whole_picture(width, height, longest=longest)
    tensor = blank_tensor(geometry.input_height, geometry.input_width)
    fill_tensor(scaled_crop(picture, geometry), tensor)
    return tensor, geometry


def _peak(finding: Finding) -> float:
    return finding.located.peak or 0.0


def _spread(finding: Finding) -> float:
    """How uncertain the place of the most probable person is, square pixels of the picture."""
    best = next(iter(finding.located.keypoints), None)
    return math.inf if best is None else best.sigma_u * best.sigma_v
