"""What a training step sees: pairs of one positive and one negative crop, as the original paired them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from training.data.augment import CropRange, Pixels, apply_affine, backdrop, random_affine, warp
from training.data.disturb import Chances, disturb
from training.data.table import Picture, TableError
from training.data.target import TargetConfig, draw

Batch = dict[str, Tensor]


@dataclass(frozen=True)
class Sampling:
    """Which pictures make a pair.

    Positives: ``indexed``, in turn, each as often as any other, or ``random``. Negatives: ``shuffled``, in a new order
    each epoch, ``random``, or ``ordered``: the n-th with the n-th positive. With ``ordered`` the negatives beyond the
    number of positives are never seen, and each positive has the same partner in every epoch: the original's mistake,
    kept for comparison.
    """

    positives: Literal["indexed", "random"] = "random"
    negatives: Literal["shuffled", "ordered", "random"] = "random"


@dataclass(frozen=True)
class CropRecipe:
    """How a picture becomes a crop of ``size`` x ``size`` pixels with its target."""

    size: int
    target: TargetConfig = field(default_factory=TargetConfig)
    reach: CropRange = field(default_factory=CropRange)
    chances: Chances = field(default_factory=Chances)


class PairDataset(Dataset[Batch]):
    """Item i: one random crop of a positive and one of a negative, with target and weight maps.

    ``pictures`` and their decoded ``pixels`` (RGB) belong together; ``pairs`` is the length of an epoch, by default
    the number of positives. ``epoch`` decides the order of shuffled negatives, and from which positive on the indexed
    ones go. TableError: a kind has no picture.
    """

    def __init__(
        self,
        pictures: Sequence[Picture],
        pixels: Sequence[Pixels],
        *,
        recipe: CropRecipe,
        stride: int,
        sampling: Sampling,
        pairs: int | None = None,
        epoch: int = 0,
    ) -> None:
        self.pictures, self.pixels = pictures, pixels
        self.recipe, self.stride, self.sampling = recipe, stride, sampling
        self.positives = [i for i, p in enumerate(pictures) if p.positive]
        self.negatives = [i for i, p in enumerate(pictures) if not p.positive]
        for name, members in (("positive", self.positives), ("negative", self.negatives)):
            if not members:
                raise TableError(f"the training split holds no {name} picture; both kinds are needed")
        self.pairs = len(self.positives) if pairs is None else pairs
        self._first = epoch * self.pairs
        self._order = np.random.default_rng(epoch).permutation(len(self.negatives))

    def __len__(self) -> int:
        return self.pairs

    def pair(self, rng: np.random.Generator, index: int) -> tuple[int, int]:
        """Indices of the positive and the negative picture of item ``index``."""
        positive = (
            self.positives[(self._first + index) % len(self.positives)]
            if self.sampling.positives == "indexed"
            else _any(rng, self.positives)
        )
        place = index % len(self.negatives)
        match self.sampling.negatives:
            case "ordered":
                return positive, self.negatives[place]
            case "shuffled":
                return positive, self.negatives[int(self._order[place])]
            case "random":
                return positive, _any(rng, self.negatives)

    def _crop(self, rng: np.random.Generator, index: int) -> tuple[Tensor, Tensor, Tensor]:
        recipe, pixels, faces = self.recipe, self.pixels[index], self.pictures[index].faces
        affine = random_affine(rng, pixels.shape[:2], faces, recipe.size, recipe.reach)
        background = None
        if rng.random() < recipe.reach.backdrop:
            background = backdrop(rng, self.pixels[_any(rng, self.negatives)], recipe.size)
        crop = disturb(rng, warp(rng, pixels, affine, recipe.size, background), recipe.chances)
        scale = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
        target, weight = draw(
            (recipe.size, recipe.size),
            self.stride,
            apply_affine(affine, np.array([[f.u, f.v] for f in faces]).reshape(-1, 2)),
            [scale * f.interocular_px for f in faces],
            recipe.target,
        )
        return (
            torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1))),
            torch.from_numpy(target)[None],
            torch.from_numpy(weight)[None],
        )

    def __getitem__(self, index: int) -> Batch:
        rng = np.random.default_rng(int(torch.randint(2**62, ()).item()))
        picture, target, weight = zip(*(self._crop(rng, i) for i in self.pair(rng, index)), strict=True)
        return {
            "picture": torch.stack(picture),
            "target": torch.stack(target),
            "weight": torch.stack(weight),
            "positive": torch.tensor([True, False]),
        }


def flatten(items: list[Batch]) -> Batch:
    """Pairs to one batch: positives and negatives side by side."""
    return {key: torch.cat([item[key] for item in items]) for key in items[0]}


def _any(rng: np.random.Generator, members: Sequence[int]) -> int:
    return members[int(rng.integers(len(members)))]
