"""The progress of a training on one line."""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import TQDMProgressBar
from pytorch_lightning.callbacks.progress.tqdm_progress import Tqdm
from pytorch_lightning.trainer.states import TrainerFn

SHORT = {"train/loss_step": "loss", "val/loss": "val_loss"}


class ProgressBar(TQDMProgressBar):
    """tqdm's bar, within 80 columns: the loss of the last step and of the last validation, which has no bar of its own.

    (Where there is rich, Lightning's default is rich's bar, whose metrics take six lines.)
    """

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, Any]:
        shown = trainer.progress_bar_metrics
        return {short: shown[name] for name, short in SHORT.items() if name in shown}

    def init_validation_tqdm(self) -> Tqdm:
        fitting = self.trainer.state.fn == TrainerFn.FITTING
        return Tqdm(disable=True) if fitting else super().init_validation_tqdm()
