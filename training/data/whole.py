"""Pictures as `nasion locate` searches them: whole and at their own scale."""

from collections.abc import Sequence

import numpy as np
import torch
from torch.utils.data import Dataset

from training.data.augment import Pixels
from training.data.pairs import Batch
from training.data.table import Picture
from training.data.target import TargetConfig, draw


class WholePictures(Dataset[Batch]):
    """Item i: picture i at the top left of a ``side`` x ``side`` square of zeros, with target and weight maps."""

    def __init__(
        self, pictures: Sequence[Picture], pixels: Sequence[Pixels], side: int, stride: int, target: TargetConfig
    ) -> None:
        self.pictures, self.pixels, self.side, self.stride, self.target = pictures, pixels, side, stride, target

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Batch:
        faces, pixels = self.pictures[index].faces, self.pixels[index]
        height, width = pixels.shape[:2]
        canvas = np.zeros((self.side, self.side, 3), np.uint8)
        canvas[:height, :width] = pixels[: self.side, : self.side]
        points = np.array([[f.u, f.v] for f in faces]).reshape(-1, 2)
        target, weight = draw(
            (self.side, self.side), self.stride, points, [f.interocular_px for f in faces], self.target
        )
        return {
            "picture": torch.from_numpy(canvas.transpose(2, 0, 1).copy()),
            "target": torch.from_numpy(target)[None],
            "weight": torch.from_numpy(weight)[None],
            "index": torch.tensor(index),
            "positive": torch.tensor(bool(faces)),
        }
