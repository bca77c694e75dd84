"""Checkpoints that are whole or not there: a full disk costs the newest one, never the last good one."""

import os
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint

from training.errors import WorkshopError


class SafeCheckpointIO(TorchCheckpointIO):
    """Writes beside the old checkpoint and replaces it only when the new one is complete on the disk."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        """WorkshopError: it could not be written; what stood at ``path`` still does."""
        del storage_options
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(path.name + ".part")
        try:
            with draft.open("wb") as stream:
                torch.save(checkpoint, stream)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(path)
        except (OSError, RuntimeError) as error:
            # torch reports a failed write of its archive as a RuntimeError.
            draft.unlink(missing_ok=True)
            kept = "the checkpoint there is the last good one" if path.exists() else "there was none before it"
            raise WorkshopError(
                f"{path}: the checkpoint could not be written ({error}); {kept}; make room and --resume"
            ) from error


def checkpoints(out: Path) -> list[ModelCheckpoint]:
    """``out/last.ckpt`` after each epoch, ``out/best.ckpt`` where most hold-out pictures are right in place."""
    return [
        ModelCheckpoint(
            dirpath=out,
            filename="last",
            enable_version_counter=False,
            every_n_epochs=1,
            save_on_train_epoch_end=True,
        ),
        ModelCheckpoint(
            dirpath=out,
            filename="best",
            enable_version_counter=False,
            monitor="hold_out/right_in_place",
            mode="max",
            save_top_k=1,
        ),
    ]
