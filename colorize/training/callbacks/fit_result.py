"""The result of a training, handed back from the processes of a spawning strategy too."""

import math
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint


class FitResult(Callback):
    """Adds the result of a training to `trainer.callback_metrics`: these and the path of the best checkpoint are all
    that Lightning's spawning strategies hand back from their processes.

    Keys, each a scalar: `fit/epochs`, as `epochs` counts them, a resumed training's earlier ones included, `fit/steps`
    of the optimizer in this training, and `fit/best_score`, the best checkpoint's monitored metric, where there is one.
    """

    def __init__(self) -> None:
        self.first_step: int | None = None

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.first_step = trainer.global_step

    def on_fit_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        steps = 0 if self.first_step is None else trainer.global_step - self.first_step
        found: dict[str, Any] = {"epochs": epochs(trainer), "steps": steps}
        saver = trainer.checkpoint_callback
        if isinstance(saver, ModelCheckpoint) and saver.best_model_score is not None:
            found["best_score"] = saver.best_model_score.item()
        trainer.callback_metrics.update({f"fit/{name}": torch.tensor(value) for name, value in found.items()})


def epochs(trainer: pl.Trainer) -> float:
    """How many epochs a training has had: of one that was cut short (max_steps, max_time) the share of its batches."""
    done, whole = trainer.fit_loop.epoch_loop.batch_progress.current.completed, trainer.num_training_batches
    cut_short = trainer.current_epoch and done < whole < math.inf
    return trainer.current_epoch - 1 + done / whole if cut_short else trainer.current_epoch
