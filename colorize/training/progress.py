"""The progress of a training on one line."""

import time
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import TQDMProgressBar
from pytorch_lightning.callbacks.progress.tqdm_progress import Tqdm
from pytorch_lightning.trainer.states import TrainerFn

from colorize.progress import in_lines

SHORT = {"train/loss_step": "loss", "val/loss": "val_loss"}
LEAST_SECONDS = 0.1
"""Between two steps that a bar shows: for the loss of each the CPU waits until a GPU has come to it."""


class ProgressBar(TQDMProgressBar):
    """tqdm's bar, within 80 columns: the loss of the last step and of the last validation, which has no bar of its own.

    (Where there is rich, Lightning's default is rich's bar, whose metrics take six lines.)
    """

    def __init__(self) -> None:
        super().__init__()
        self._shown = 0.0

    def _should_update(self, current: int, total: int) -> bool:
        """Whether the bar shows step `current`; it always shows the last."""
        now = time.monotonic()
        if not super()._should_update(current, total) or (current != total and now < self._shown + LEAST_SECONDS):
            return False
        self._shown = now
        return True

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        shown = trainer.progress_bar_metrics
        return {short: shown[name] for name, short in SHORT.items() if name in shown}

    def init_train_tqdm(self) -> Tqdm:
        return in_lines(super().init_train_tqdm())

    def init_validation_tqdm(self) -> Tqdm:
        fitting = self.trainer.state.fn == TrainerFn.FITTING
        return Tqdm(disable=True) if fitting else in_lines(super().init_validation_tqdm())

    def init_test_tqdm(self) -> Tqdm:
        return in_lines(super().init_test_tqdm())
