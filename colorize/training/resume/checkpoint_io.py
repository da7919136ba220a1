"""Checkpoints on the disk: each appears whole or not at all, and is on the disk when it does."""

import io
import logging
import os
from pathlib import Path
from typing import Any

import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO

from colorize.errors import ColorizeError, first_line
from colorize.files import whole_file

log = logging.getLogger(__name__)
PREVIOUS = "previous.ckpt"


class WholeCheckpointIO(TorchCheckpointIO):
    """Lightning's CheckpointIO, which writes a checkpoint beside its place, syncs it, and then renames it."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write `checkpoint`; what is at `path` stays until it is complete.

        Args:
            checkpoint: what to write.
            path: of the file.
            storage_options: with {"spare": True} what is at `path` becomes PREVIOUS beside it, and a checkpoint that
                cannot be written is warned of and does not end the training.

        Raises:
            ColorizeError: it cannot be written.
        """
        path, spare = Path(path), bool((storage_options or {}).get("spare"))
        buffer = io.BytesIO()  # torch.save hides the reason why a file cannot be written
        torch.save(checkpoint, buffer)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as file:
                file.write(buffer.getbuffer())
                if spare and path.is_file():
                    file.flush()
                    os.fsync(file.fileno())
                    path.replace(path.with_name(PREVIOUS))
        except OSError as error:
            if not spare:
                raise ColorizeError(
                    f"{path} cannot be written ({first_line(error)}), and what was there stays: make room, and go on "
                    "with resume=true."
                ) from error
            log.warning("%s cannot be written (%s): the one before stays, and the training goes on.", path, error)
