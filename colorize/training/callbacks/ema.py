"""A moving average of the weights."""

from functools import partial

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import WeightAveraging
from torch import Tensor

from colorize.errors import ColorizeError


class EMA(WeightAveraging):
    """Validates and saves an exponential moving average of the weights instead of the weights themselves.

    After n steps the decay is min(`decay`, (1 + n) / (10 + n)), so that the first steps are soon forgotten (the
    warm-up of TensorFlow's ExponentialMovingAverage).

    Raises:
        ColorizeError: a decay out of range.
    """

    def __init__(self, decay: float = 0.999) -> None:
        if not isinstance(decay, int | float) or not 0 <= decay < 1:
            raise ColorizeError(f"callbacks.ema.decay is {decay}, but must be at least 0 and below 1.")
        super().__init__(multi_avg_fn=partial(average, decay))  # not a closure, which ddp_spawn could not pickle

    def setup(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        """Average on the training's device: the module is not there yet, and each step would copy its weights."""
        self._device = trainer.strategy.root_device
        super().setup(trainer, module, stage)

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Leave the weights as they are, so that the last checkpoint has both; they are averaged at the fit's end."""

    def on_fit_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        super().on_train_end(trainer, module)


def average(decay: float, averaged: list[Tensor], current: list[Tensor], steps: Tensor | int) -> None:
    """A step of the moving average, in place: a `multi_avg_fn` of `torch.optim.swa_utils.AveragedModel`."""
    if averaged[0].is_floating_point():  # all of a call are of one type
        n = int(steps)
        torch._foreach_lerp_(averaged, current, 1 - min(decay, (1 + n) / (10 + n)))
    else:
        torch._foreach_copy_(averaged, current)
