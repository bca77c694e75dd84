"""The loaders of a run: pictures in memory, random pairs to learn from, whole pictures to choose checkpoints by."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import lightning as L
from torch.utils.data import DataLoader, Dataset

from training.data.augment import Pixels
from training.data.pairs import Batch, CropRecipe, PairDataset, Sampling, flatten
from training.data.pixels import read_rgb
from training.data.table import Picture
from training.data.whole import WholePictures

# Crops are prepared in several processes; threads inside each would only get in each other's way.
cv2.setNumThreads(0)


@dataclass(frozen=True)
class Phase:
    """A part of a run, up to the share ``until`` of it, and the crops it shows."""

    until: float
    crops: CropRecipe


def phase_at(phases: Sequence[Phase], progress: float) -> Phase:
    """The phase a run is in at ``progress``, 0..1; the last one also at its end."""
    return next((phase for phase in phases if progress < phase.until), phases[-1])


class Pictures(L.LightningDataModule):
    """``phase`` is asked at the start of each epoch. ``pairs_per_epoch`` None: as many as there are positives."""

    def __init__(
        self,
        train: Sequence[Picture],
        hold_out: Sequence[Picture],
        *,
        stride: int,
        phase: Callable[[], Phase],
        sampling: Sampling,
        pairs_per_batch: int,
        pairs_per_epoch: int | None,
        workers: int,
    ) -> None:
        super().__init__()
        self.train, self.hold_out = list(train), list(hold_out)
        self.stride, self.phase, self.sampling = stride, phase, sampling
        self.pairs_per_batch, self.pairs_per_epoch = pairs_per_batch, pairs_per_epoch
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
        dataset = PairDataset(
            self.train,
            self._pixels_of(self.train),
            recipe=self.phase().crops,
            stride=self.stride,
            sampling=self.sampling,
            pairs=self.pairs_per_epoch,
            epoch=self.trainer.current_epoch if self.trainer else 0,
        )
        return self._loader(dataset, self.pairs_per_batch, collate_fn=flatten, shuffle=True, drop_last=True)

    def val_dataloader(self) -> DataLoader[Batch]:
        pixels = self._pixels_of(self.hold_out)
        side = -(-max(max(p.shape[:2]) for p in pixels) // 32) * 32
        return self._loader(WholePictures(self.hold_out, pixels, side, self.stride, self.phase().crops.target), 16)
