"""Callbacks for trainings in several processes: one writes down what each rank saw, one kills a rank."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytorch_lightning as pl


class Seen(pl.Callback):
    """Writes FOLDER/RANK.json: {"train": pictures of each batch, "val": the same, "first": of each its first pixel}.

    Each batch is [epoch, indices]; pixels are of what the augmentation gave.
    """

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.batches: dict[str, list[Any]] = {"train": [], "val": [], "first": []}

    def on_train_batch_start(self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any, _: int) -> None:
        self.batches["train"].append([trainer.current_epoch, batch["index"].tolist()])
        self.batches["first"].append(batch["rgb"][:, :, 0, 0].tolist())

    def on_validation_batch_start(self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any, *_: int) -> None:
        self.batches["val"].append([trainer.current_epoch, batch["index"].tolist()])

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{trainer.global_rank}.json").write_text(json.dumps(self.batches))


class Die(pl.Callback):
    """Kills the process of a rank when a batch of that number begins."""

    def __init__(self, rank: int, batch: int) -> None:
        self.rank, self.batch = rank, batch

    def on_train_batch_start(self, trainer: pl.Trainer, module: pl.LightningModule, batch: Any, number: int) -> None:
        if (trainer.global_rank, number) == (self.rank, self.batch):
            os.kill(os.getpid(), signal.SIGKILL)
