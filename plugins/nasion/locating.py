"""Who is in a still picture: the whole of it is searched, however large or small it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from nasion.core.heatmap import HeatMap
from nasion.core.locate import locate
from nasion.core.results import Located
from nasion.core.scaling import scaled_crop
from nasion.core.tensor import blank_tensor, fill_tensor
from nasion.core.views import INPUT_SIZES, ViewGeometry, whole_picture
from nasion.engine.onnx_model import HeatMapModel

#: Longest side of what the network sees of a picture, pixels: the size of the pictures it was taught and judged with.
FIRST_LOOK = 320
#: Longest side at a second, closer look at larger pictures: that of the view `fine`.
SECOND_LOOK = INPUT_SIZES["fine"][1]
#: The closer look sees up to nine times as many places where it can be wrong, so it must be surer: it counts from this
#: share of the way between the threshold and certainty. Measured: it finds most of the people that are too small for
#: the first look, and nearly all of what it would see where nobody is stays below.
_SURER = 0.5


@dataclass(frozen=True)
class Finding:
    """Who was found, and the heat map that says so with its place in the picture."""

    located: Located
    heat: HeatMap
    geometry: ViewGeometry


class PictureLocator:
    """A model for still pictures of all sizes; one engine is opened for each shape that comes, and kept."""

    def __init__(self, model: Path, *, threads: int = 1, second_look: bool = True) -> None:
        """``second_look``: search larger pictures at up to 960 pixels too; what is surer there wins.

        InputError: the file is not a heat-map model. DependencyError: ONNX Runtime is missing.
        """
        self._path = model
        self._threads = threads
        self._second_look = second_look
        self._engines: Dict[Tuple[int, int], HeatMapModel] = {}
        self.metadata = self._engine(FIRST_LOOK, FIRST_LOOK).metadata

    def find(self, picture: NDArray[np.uint8], *, threshold: Optional[float] = None, max_persons: int = 1) -> Finding:
        """The up to ``max_persons`` most probable persons of ``picture``, (H, W, 3) BGR.

        ``threshold``: lowest probability, default the model's own; 0 gives the place of the highest peak in any case.
        """
        if threshold is None:
            threshold = self.metadata.threshold
        first = self._look(picture, FIRST_LOOK, threshold, max_persons)
        closer = min(SECOND_LOOK, max(picture.shape[:2]))
        if not self._second_look or closer <= FIRST_LOOK:
            return first
        second = self._look(picture, closer, threshold, max_persons)
        needed = max(_peak(first), threshold + _SURER * (1 - threshold))
        return second if _peak(second) >= needed else first

    def _look(self, picture: NDArray[np.uint8], longest: int, threshold: float, max_persons: int) -> Finding:
        tensor, geometry = network_input(picture, longest)
        heat = self._engine(geometry.input_height, geometry.input_width).infer(tensor)
        located = locate(
            heat,
            geometry,
            self.metadata.stride,
            threshold=threshold,
            max_persons=max_persons,
            drawn_sigma_px=self.metadata.sigma_px,
        )
        return Finding(located, heat, geometry)

    def _engine(self, height: int, width: int) -> HeatMapModel:
        if (height, width) not in self._engines:
            self._engines[height, width] = HeatMapModel(self._path, height=height, width=width, threads=self._threads)
        return self._engines[height, width]


def network_input(picture: NDArray[np.uint8], longest: int) -> Tuple[NDArray[np.float32], ViewGeometry]:
    """``picture`` (H, W, 3) BGR as the network sees it, its longest side at ``longest`` pixels: (1, 3, h, w) RGB."""
    height, width = picture.shape[:2]
    geometry = whole_picture(width, height, longest=longest)
    tensor = blank_tensor(geometry.input_height, geometry.input_width)
    fill_tensor(scaled_crop(picture, geometry), tensor)
    return tensor, geometry


def _peak(finding: Finding) -> float:
    return finding.located.peak or 0.0
