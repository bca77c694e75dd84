"""Pictures in memory, and the pairs of one positive and one negative crop that a training step sees."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from training.data.augment import CropRange, Pixels, apply_affine, backdrop, disturb, random_affine, warp
from training.data.table import Face, Picture, TableError
from training.data.target import TargetConfig, draw

Batch = dict[str, Tensor]

# Crops are prepared in several processes; threads inside each would only get in each other's way.
cv2.setNumThreads(0)


def read_bgr(path: Path) -> Pixels:
    """Decode a picture file to (H, W, 3) BGR uint8, as OpenCV and the run time have it."""
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise TableError(f"{path}: not a readable picture; remove it from the table or replace it")
    return np.asarray(bgr, np.uint8)


def read_rgb(path: Path) -> Pixels:
    """The same as (H, W, 3) RGB uint8, as the network has it."""
    return np.ascontiguousarray(read_bgr(path)[..., ::-1])


class PairDataset(Dataset[Batch]):
    """Item i: one random crop of a positive and one of a negative, with target and weight maps."""

    def __init__(
        self,
        pictures: Sequence[Picture],
        pixels: Sequence[Pixels],
        *,
        size: int,
        stride: int,
        pairs: int,
        target: TargetConfig,
        reach: CropRange,
    ) -> None:
        self.pictures, self.pixels = pictures, pixels
        self.size, self.stride, self.pairs = size, stride, pairs
        self.target, self.reach = target, reach
        self.positives = [i for i, p in enumerate(pictures) if p.positive]
        self.negatives = [i for i, p in enumerate(pictures) if not p.positive]
        for name, members in (("positive", self.positives), ("negative", self.negatives)):
            if not members:
                raise TableError(f"the training split holds no {name} picture; both kinds are needed")

    def __len__(self) -> int:
        return self.pairs

    @staticmethod
    def _any(rng: np.random.Generator, members: Sequence[int]) -> int:
        return members[int(rng.integers(len(members)))]

    def _crop(self, rng: np.random.Generator, index: int) -> tuple[Tensor, Tensor, Tensor]:
        picture, pixels = self.pictures[index], self.pixels[index]
        faces: Sequence[Face] = picture.faces
        affine = random_affine(rng, pixels.shape[:2], faces, self.size, self.reach)
        background = None
        if rng.random() < self.reach.backdrop:
            background = backdrop(rng, self.pixels[self._any(rng, self.negatives)], self.size)
        crop = disturb(rng, warp(rng, pixels, affine, self.size, background))
        points = np.array([(f.u, f.v) for f in faces], float).reshape(-1, 2)
        scale = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
        target, weight = draw(
            self.size,
            self.stride,
            apply_affine(affine, points),
            [scale * f.interocular_px for f in faces],
            self.target,
        )
        return (
            torch.from_numpy(np.ascontiguousarray(crop.transpose(2, 0, 1))),
            torch.from_numpy(target)[None],
            torch.from_numpy(weight)[None],
        )

    def __getitem__(self, index: int) -> Batch:
        rng = np.random.default_rng(int(torch.randint(2**62, ()).item()))
        chosen = self._any(rng, self.positives), self._any(rng, self.negatives)
        picture, target, weight = zip(*(self._crop(rng, i) for i in chosen), strict=True)
        return {
            "picture": torch.stack(picture),
            "target": torch.stack(target),
            "weight": torch.stack(weight),
            "positive": torch.tensor([True, False]),
        }


class WholePictures(Dataset[Batch]):
    """Pictures as `nasion locate` searches them: whole, at the top left of a square of zeros."""

    def __init__(self, pictures: Sequence[Picture], pixels: Sequence[Pixels], size: int) -> None:
        self.pictures, self.pixels, self.size = pictures, pixels, size

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> Batch:
        picture, pixels = self.pictures[index], self.pixels[index]
        height, width = pixels.shape[:2]
        canvas = np.zeros((self.size, self.size, 3), np.uint8)
        canvas[:height, :width] = pixels[: self.size, : self.size]
        return {
            "picture": torch.from_numpy(canvas.transpose(2, 0, 1).copy()),
            "index": torch.tensor(index),
            "positive": torch.tensor(picture.positive),
        }


def _flatten(items: list[Batch]) -> Batch:
    """Pairs to one batch: positives and negatives side by side."""
    return {key: torch.cat([item[key] for item in items]) for key in items[0]}


@dataclass(frozen=True)
class Phase:
    """A part of a run, up to the share ``until`` of it: side of the crops in pixels, what they show, what is drawn."""

    until: float
    crop: int
    target: TargetConfig
    reach: CropRange


def phase_at(phases: Sequence[Phase], progress: float) -> Phase:
    """The phase a run is in at ``progress``, 0..1; the last one also at its end."""
    return next((phase for phase in phases if progress < phase.until), phases[-1])


class Pictures(L.LightningDataModule):
    """Loaders for training (random pairs) and for choosing checkpoints (whole pictures of the hold-out).

    ``phase`` is asked at the start of each epoch.
    """

    def __init__(
        self,
        train: Sequence[Picture],
        hold_out: Sequence[Picture],
        *,
        stride: int,
        phase: Callable[[], Phase],
        pairs_per_batch: int,
        batches_per_epoch: int,
        workers: int,
    ) -> None:
        super().__init__()
        self.train, self.hold_out = list(train), list(hold_out)
        self.stride, self.phase = stride, phase
        self.pairs_per_batch, self.batches_per_epoch = pairs_per_batch, batches_per_epoch
        self.workers = workers
        self._pixels: dict[Path, Pixels] = {}

    def setup(self, stage: str) -> None:  # noqa: ARG002 - Lightning names it
        # Decoded once: a JPEG costs as much as everything else done to a crop.
        for picture in (*self.train, *self.hold_out):
            if picture.path not in self._pixels:
                self._pixels[picture.path] = read_rgb(picture.path)

    def _pixels_of(self, pictures: Sequence[Picture]) -> list[Pixels]:
        return [self._pixels[p.path] for p in pictures]

    def _loader(self, dataset: Dataset[Batch], batch: int, **options: Any) -> DataLoader[Batch]:
        return DataLoader(dataset, batch_size=batch, num_workers=self.workers, **options)

    def train_dataloader(self) -> DataLoader[Batch]:
        phase = self.phase()
        dataset = PairDataset(
            self.train,
            self._pixels_of(self.train),
            size=phase.crop,
            stride=self.stride,
            pairs=self.batches_per_epoch * self.pairs_per_batch,
            target=phase.target,
            reach=phase.reach,
        )
        return self._loader(dataset, self.pairs_per_batch, collate_fn=_flatten)

    def val_dataloader(self) -> DataLoader[Batch]:
        side = max(max(p.shape[:2]) for p in self._pixels_of(self.hold_out))
        side = -(-side // 32) * 32
        return self._loader(WholePictures(self.hold_out, self._pixels_of(self.hold_out), side), 16)
