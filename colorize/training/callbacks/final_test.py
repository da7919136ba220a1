"""A check, before a training begins, that there are pictures for its final test."""

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from colorize.data.base import data_of
from colorize.errors import ColorizeError


class FinalTest(Callback):
    """Ends a training before it begins where there is no picture to test it with, unless no test is wanted.

    Raises:
        ColorizeError: the test split is empty, and `trainer.limit_test_batches` is not 0.
    """

    def on_fit_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        data = data_of(trainer)
        if trainer.limit_test_batches != 0 and not len(data.splits["test"]):
            raise ColorizeError(data.empty_split("test"))
